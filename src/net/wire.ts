// One socket, client side or backend side, as the data plane reads and writes it. Rules for its users:
// bytes given to onData are valid only during the call; after pause() nothing more arrives until resume();
// nothing throws; every wire ends with exactly one onClose, which no method calls from within.
import type { Socket } from 'node:net'
import type { Handle } from './native.ts'
import { endOwn, OWN_BUFFER_BYTES, sharedBuffer, takeBuffer, takeOwn } from './read-buffers.ts'

/** Receives what happens on a wire. */
export interface WireEvents {
  /** `bytes[0..length)` arrived; they are overwritten after the call. */
  onData(bytes: Buffer, length: number): void
  /** The peer has sent its last byte (FIN). Our direction stays open. */
  onEnd(): void
  /** Everything written has been handed to the kernel, after `pending` had been true. */
  onDrain(): void
  /** The socket is gone. Called exactly once, after which nothing else is called. */
  onClose(error: NodeJS.ErrnoException | null): void
  /** One of these methods threw: a bug of ours. It is reported, and costs this wire alone; onClose follows. */
  onFault(error: unknown): void
}

/** Up to here a string is cheaper than a buffer of its own. */
export const STRING_BYTES = 4096

/** Where bytes that are passed on come from: another wire, or something that is read like one. */
export interface ReadSide {
  /** Whether the bytes it gives lie in memory that is used again as soon as they have been handed on. */
  readonly reusesBuffers: boolean
  pause(): void
  resume(): void
  /** Bytes that follow need not be copied. */
  useOwnBuffer(): void
}

export abstract class Wire implements ReadSide {
  events: WireEvents
  /** Called once when the socket is gone, whoever has taken the events over meanwhile. */
  onGone: (() => void) | null = null
  /** Closed or about to be: nothing is read or written any more. */
  closed = false
  paused = false
  /** True while bytes wait in user space because the kernel would not take them. */
  pending = false
  /** Bytes written since the last look: whoever counts sets it back. */
  written = 0
  /** Our FIN has been asked for. */
  ended = false
  /** Within onData. */
  protected reading = false
  protected ownBuffer: Buffer | null = null

  constructor(events: WireEvents) {
    this.events = events
  }

  /** Bytes written are still in user space and would be lost by `destroy`. */
  get hasUnsent(): boolean {
    return this.pending
  }

  /** Writes a latin1 string. A failure arrives at onClose. */
  abstract write(text: string): void
  /** Writes bytes that nobody changes until the kernel has them: not a read buffer, for which there is `relay`. */
  abstract writeBytes(bytes: Uint8Array): void
  /** Whether `writeRuns` is more than many writes, and `unsent` says how they get on. */
  readonly takesRuns: boolean = false

  /** Bytes that wait in user space, as far as that is known here; 0 = it is not. */
  get unsent(): number {
    return 0
  }

  /** Writes text ('' = none) and then bytes that nobody changes until the kernel has them, in as few system calls as can be. */
  writeRuns(text: string, runs: readonly Uint8Array[]): void {
    if (text !== '') this.write(text)
    for (const run of runs) this.writeBytes(run)
  }
  /** Writes the first `size` bytes of a buffer of `takeBuffer`, and sees to it that it can serve again afterwards. */
  protected abstract writePooled(buffer: Buffer, size: number): void
  abstract pause(): void
  abstract resume(): void
  /** Sends FIN after what was written; the other direction stays open. */
  abstract end(): void
  /** Closes at once. What the kernel already has is still delivered. */
  abstract destroy(): void
  /** Closes with RST, so that the peer cannot take a cut message for a complete one. */
  abstract reset(): void
  /**
   * Gives the socket up for another owner (TLS), within onData: nothing more is read or written here, and onClose is
   * not called.
   */
  abstract detach(): Handle | Socket
  /** No waiting for fuller segments. Costs a system call, so an accepted wire gets it when it writes a second time. */
  abstract setNoDelay(): void
  /** Whether bytes read here lie in a buffer that is used again. */
  abstract readonly reusesBuffers: boolean
  /** Whether a write that is not `pending` is over, so that its buffer may be used again. */
  protected abstract readonly writesAtOnce: boolean

  /**
   * Calls once, when memory that was relayed from `reusesBuffers` sources is not needed any more: the kernel has it, a copy was
   * made, or the socket is gone. At once where that is so already.
   */
  whenTaken(call: () => void): void {
    call()
  }

  /**
   * Writes `bytes[start..end)` just read from `source`, without a copy where that is safe, and pauses the source
   * while the kernel does not take them: memory per transfer stays at one read buffer.
   */
  relay(source: ReadSide, bytes: Buffer, start: number, end: number): void {
    // Other wires read into the shared buffer, and a stream keeps bytes without saying so: both need a copy.
    if (bytes === sharedBuffer || (!this.writesAtOnce && source.reusesBuffers)) {
      this.relayAfter('', source, bytes, start, end)
    } else {
      this.writeBytes(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
      if (this.pending) source.pause()
    }
  }

  /** As `relay` of `bytes[0..length)`, in the course of this turn of the loop: whether it has to wait shows then. */
  relaySoon(source: ReadSide, bytes: Buffer, length: number): void {
    this.relay(source, bytes, 0, length)
  }

  /** As `relay`, with text (a head, a chunk size) before the bytes in the same write. */
  relayAfter(text: string, source: ReadSide, bytes: Buffer, start: number, end: number): void {
    const size = end - start
    if (size <= STRING_BYTES) {
      this.write(size === 0 ? text : text + bytes.latin1Slice(start, end))
    } else if (text.length + size <= OWN_BUFFER_BYTES) {
      const copy = takeBuffer()
      copy.latin1Write(text, 0)
      bytes.copy(copy, text.length, start, end)
      this.writePooled(copy, text.length + size)
    } else {
      this.write(text)
      this.writeBytes(Buffer.from(bytes.subarray(start, end)))
    }
    if (this.pending) source.pause()
  }

  /** As `relayAfter` for several runs of `bytes` (pairs of start and end, `total` bytes), with text after them. */
  relayParts(
    before: string,
    source: ReadSide,
    bytes: Buffer,
    ranges: readonly number[],
    total: number,
    after: string,
  ): void {
    const size = before.length + total + after.length
    if (size <= STRING_BYTES && ranges.length <= 2) {
      this.write(total === 0 ? before + after : before + bytes.latin1Slice(ranges[0], ranges[1]) + after)
    } else {
      const pooled = size <= OWN_BUFFER_BYTES
      const copy = pooled ? takeBuffer() : Buffer.allocUnsafeSlow(size)
      let at = copy.latin1Write(before, 0)
      for (let index = 0; index < ranges.length; index += 2) {
        at += bytes.copy(copy, at, ranges[index], ranges[index + 1])
      }
      copy.latin1Write(after, at)
      if (pooled) this.writePooled(copy, size)
      else this.writeBytes(copy)
    }
    if (this.pending) source.pause()
  }

  /** Further reads go to a buffer of this wire alone, so that `relay` need not copy. For long messages. */
  useOwnBuffer(): void {
    if (this.reusesBuffers) this.ownBuffer ??= takeOwn()
  }

  /** Back to the shared buffer. `inFlight`: a peer may still be writing from it, so it is left to the collector. */
  releaseOwnBuffer(inFlight: boolean): void {
    const own = this.ownBuffer
    if (own === null) return
    this.ownBuffer = null
    // Within onData the next read buffer is chosen right afterwards. Outside it the handle would still read once
    // into the old one, which then must not be shared.
    endOwn(own, this.reading && !inFlight)
  }
}
