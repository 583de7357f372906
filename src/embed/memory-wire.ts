// A wire without a socket: what the data plane writes is taken by a far end in the same thread, which gives what is to
// be read. Back-pressure goes both ways.
import type { Handle } from '../net/native.ts'
import { giveBuffer, OWN_BUFFER_BYTES } from '../net/read-buffers.ts'
import { Wire, type WireEvents } from '../net/wire.ts'

/** Who is at the other end of a memory wire. No method calls back into the wire. */
export interface FarEnd {
  /** Bytes were written, and are the far end's to keep. False = it is full: it says `drained` when it takes more. */
  take(bytes: Buffer): boolean
  /** Nothing more will be written (FIN). */
  ended(): void
  /** The wire was closed from its side; what has not been given yet is not wanted. */
  cut(): void
  /** Whether more is to be given. */
  flow(isFlowing: boolean): void
  /** Bytes that were taken are still on their way. */
  hasUnsent(): boolean
}

export class MemoryWire extends Wire {
  readonly reusesBuffers = false
  protected readonly writesAtOnce = false
  readonly #far: FarEnd
  /** Given while paused. */
  #held: Buffer[] = []
  #isGoing = false

  constructor(events: WireEvents, far: FarEnd) {
    super(events)
    this.#far = far
  }

  // --- what the far end calls, never from within a method of its own ---

  /** Bytes to be read, which nobody changes any more. */
  give(bytes: Buffer): void {
    if (this.closed) return
    if (this.paused) {
      this.#held.push(bytes)
      return
    }
    this.reading = true
    this.#guarded(() => this.events.onData(bytes, bytes.length))
    this.reading = false
  }

  /** The far end takes more again. */
  drained(): void {
    if (!this.pending) return
    this.pending = false
    if (!this.closed) this.#guarded(() => this.events.onDrain())
  }

  /** Nothing more will be given (FIN). */
  finish(): void {
    if (!this.closed) this.#guarded(() => this.events.onEnd())
  }

  /** The far end has gone, in the middle of something. */
  leave(): void {
    if (this.closed) return
    this.closed = true
    this.#goSoon('ECONNRESET')
  }

  // --- what the data plane calls ---

  override get hasUnsent(): boolean {
    return this.#far.hasUnsent()
  }

  write(text: string): void {
    this.writeBytes(Buffer.from(text, 'latin1'))
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.closed || this.ended) return
    this.written += bytes.length
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (!this.#far.take(buffer)) this.pending = true
  }

  protected writePooled(buffer: Buffer, size: number): void {
    // The far end keeps what it takes: of a pooled buffer that is nearly empty only a copy.
    if (size * 2 < OWN_BUFFER_BYTES) {
      this.writeBytes(Buffer.from(buffer.subarray(0, size)))
      giveBuffer(buffer)
    } else this.writeBytes(buffer.subarray(0, size))
  }

  pause(): void {
    if (this.paused || this.closed) return
    this.paused = true
    this.#far.flow(false)
  }

  resume(): void {
    if (!this.paused || this.closed) return
    this.paused = false
    if (this.#held.length === 0) this.#far.flow(true)
    else process.nextTick(giveHeld, this)
  }

  end(): void {
    if (this.closed || this.ended) return
    this.ended = true
    this.#far.ended()
  }

  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.#far.cut()
    this.#goSoon(null)
  }

  reset(): void {
    this.destroy()
  }

  detach(): Handle {
    throw new Error('a wire in memory has no socket')
  }

  setNoDelay(): void {}

  giveHeld(): void {
    while (this.#held.length > 0 && !this.paused && !this.closed) this.give(this.#held.shift()!)
    if (!this.paused && !this.closed) this.#far.flow(true)
  }

  #goSoon(code: string | null): void {
    if (this.#isGoing) return
    this.#isGoing = true
    const error = code === null ? null : Object.assign(new Error(code), { code })
    process.nextTick(() => {
      this.#held = []
      this.onGone?.()
      this.#guarded(() => this.events.onClose(error))
    })
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.events.onFault(error)
      this.destroy()
    }
  }
}

function giveHeld(wire: MemoryWire): void {
  wire.giveHeld()
}
