// One socket, client side or backend side, as the data plane reads and writes it.
// The only file that knows how Node's sockets can be read without an allocation per read. Rules for its users:
// bytes given to onData are valid only during the call; after pause() nothing more arrives until resume().
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { canWriteDirectly, type Handle, WriteRequest } from './direct-write.ts'

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
}

/** Size of the read buffers, in bytes. */
export const READ_BUFFER_BYTES = 64 * 1024
const FREE_BUFFERS = 64
/** A buffer of a wire alone also takes the head that is put before the first part of a body. */
const OWN_BUFFER_BYTES = READ_BUFFER_BYTES + 32 * 1024
/** Up to here a string is cheaper than a buffer of its own. */
const STRING_BYTES = 4096

const kWire = Symbol('wire')
interface WireSocket extends net.Socket {
  [kWire]: Wire
  _read(size: number): void
}

/** One for all wires of this thread that are not in the middle of a long message. */
const sharedBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
const freeBuffers: Buffer[] = []
let nextReadBuffer: Buffer | undefined

function onRead(this: WireSocket, length: number, buffer: Uint8Array): boolean {
  const wire = this[kWire]
  wire.reading = true
  wire.events.onData(buffer as Buffer, length)
  wire.reading = false
  const wanted = wire.ownBuffer ?? sharedBuffer
  nextReadBuffer = wanted === buffer ? undefined : wanted
  return !wire.paused
}

/** Node asks for the next read buffer right after onRead returned. Undefined keeps the current one. */
function readBuffer(): Buffer | undefined {
  return nextReadBuffer
}

const onread = { buffer: readBuffer, callback: onRead } as unknown as net.OnReadOpts

function onEnd(this: WireSocket): void {
  this[kWire].events.onEnd()
}

function onError(this: WireSocket, error: NodeJS.ErrnoException): void {
  this[kWire].error ??= error
}

function onClose(this: WireSocket): void {
  const wire = this[kWire]
  wire.closed = true
  wire.releaseOwnBuffer(true)
  wire.events.onClose(wire.error)
}

function onDrain(this: WireSocket): void {
  const wire = this[kWire]
  wire.pending = false
  if (!wire.closed) wire.events.onDrain()
}

function onData(this: WireSocket, bytes: Buffer): void {
  const wire = this[kWire]
  wire.reading = true
  wire.events.onData(bytes, bytes.length)
  wire.reading = false
}

function onWritten(this: WriteRequest, status: number): void {
  const wire = this.owner as Wire
  this.bytes = null
  wire.onWritten(status)
}

export class Wire {
  events: WireEvents
  readonly socket: WireSocket
  error: NodeJS.ErrnoException | null = null
  closed = false
  paused = false
  reading = false
  /** True while bytes wait in user space because the kernel would not take them. */
  pending = false
  ownBuffer: Buffer | null = null
  /** Reads come through `onread` into a buffer that is used again. */
  readonly #direct: boolean
  /** Writes go to the handle, or null: through the socket. */
  readonly #handle: Handle | null
  #writesInFlight = 0
  #ended = false
  #noDelay = false

  /** `direct`: the socket was made with `Wire.onread`; otherwise its 'data' events are used (TLS). */
  constructor(socket: net.Socket, events: WireEvents, direct: boolean) {
    this.socket = socket as WireSocket
    this.socket[kWire] = this
    this.events = events
    socket.on('end', onEnd)
    socket.on('error', onError)
    socket.on('close', onClose)
    this.#direct = direct
    const handle = (socket as unknown as { _handle: unknown })._handle
    this.#handle = direct && canWriteDirectly(handle) ? handle : null
    if (this.#handle === null) socket.on('drain', onDrain)
    if (!direct) socket.on('data', onData)
  }

  /** Give this as `onread` to the constructor of a socket that becomes a direct wire. */
  static get onread(): net.OnReadOpts {
    nextReadBuffer = sharedBuffer
    return onread
  }

  /** Wraps an accepted libuv handle. Reading starts at once. */
  static accept(handle: unknown, events: WireEvents): Wire {
    nextReadBuffer = sharedBuffer
    const socket = new net.Socket({ handle, allowHalfOpen: true, onread } as unknown as net.SocketConstructorOpts)
    const wire = new Wire(socket, events, true)
    wire.start()
    return wire
  }

  /** Begins to read, unless paused. A TLS wire reads from its construction. */
  start(): void {
    if (this.#direct && !this.paused && !this.socket.destroyed) this.socket.read(0)
  }

  /** Writes a latin1 string. Never throws; a failure arrives at onClose. */
  write(text: string): void {
    if (this.closed || this.#ended) return
    const handle = this.#handle
    if (handle === null) {
      if (!this.socket.write(text, 'latin1')) this.pending = true
      return
    }
    const request = spare ?? newRequest()
    const status = handle.writeLatin1String(request, text)
    if (status !== 0) this.#writeFailed(status)
    else if (handle.writeQueueSize !== 0) this.#tookRequest(request, null)
  }

  /** Writes bytes that nobody changes until the kernel has them: not a read buffer, for which there is `relay`. */
  writeBytes(bytes: Uint8Array): void {
    if (this.closed || this.#ended) return
    const handle = this.#handle
    if (handle === null) {
      if (!this.socket.write(bytes)) this.pending = true
      return
    }
    const request = spare ?? newRequest()
    const status = handle.writeBuffer(request, bytes)
    if (status !== 0) this.#writeFailed(status)
    else if (handle.writeQueueSize !== 0) this.#tookRequest(request, bytes)
  }

  /**
   * Writes `bytes[start..end)` just read from `source`, without a copy where that is safe, and pauses the source
   * while the kernel does not take them: memory per transfer stays at one read buffer.
   */
  relay(source: Wire, bytes: Buffer, start: number, end: number): void {
    // Other wires read into the shared buffer, and a stream keeps bytes without saying so: both need a copy.
    if (bytes === sharedBuffer || (this.#handle === null && source.#direct)) {
      this.relayAfter('', source, bytes, start, end)
    } else {
      this.writeBytes(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
      if (this.pending) source.pause()
    }
  }

  /** As `relay`, with text (a head, a chunk size) before the bytes in the same write. */
  relayAfter(text: string, source: Wire, bytes: Buffer, start: number, end: number): void {
    const size = end - start
    if (size <= STRING_BYTES) {
      this.write(size === 0 ? text : text + bytes.latin1Slice(start, end))
    } else if (text.length + size <= OWN_BUFFER_BYTES) {
      const copy = takeBuffer()
      copy.latin1Write(text, 0)
      bytes.copy(copy, text.length, start, end)
      this.writeBytes(copy.subarray(0, text.length + size))
      this.#giveBack(copy)
    } else {
      this.write(text)
      this.writeBytes(Buffer.from(bytes.subarray(start, end)))
    }
    if (this.pending) source.pause()
  }

  /** As `relayAfter` for several runs of `bytes` (pairs of start and end, `total` bytes), with text after them. */
  relayParts(
    before: string,
    source: Wire,
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
      this.writeBytes(copy.subarray(0, size))
      if (pooled) this.#giveBack(copy)
    }
    if (this.pending) source.pause()
  }

  /** Further reads go to a buffer of this wire alone, so that `relay` need not copy. For long messages. */
  useOwnBuffer(): void {
    if (this.#direct) this.ownBuffer ??= takeBuffer()
  }

  /** Back to the shared buffer. `inFlight`: a peer may still be writing from it, so it is left to the collector. */
  releaseOwnBuffer(inFlight: boolean): void {
    const own = this.ownBuffer
    if (own === null) return
    this.ownBuffer = null
    // While inside onData, the socket's next read buffer is chosen right afterwards; outside it the socket would
    // still read once into the old one, which then must not be shared.
    if (this.reading && !inFlight) giveBuffer(own)
  }

  pause(): void {
    if (this.paused || this.closed) return
    this.paused = true
    if (!this.reading || !this.#direct) this.socket.pause()
  }

  resume(): void {
    if (!this.paused || this.closed) return
    this.paused = false
    if (this.socket.destroyed) return
    if (!this.#direct) this.socket.resume()
    else if (!this.reading) this.socket._read(0)
  }

  /** No waiting for fuller segments. Costs a system call, so an accepted wire gets it when it writes a second time. */
  setNoDelay(): void {
    if (this.#noDelay || this.closed) return
    this.#noDelay = true
    this.socket.setNoDelay(true)
  }

  /** Sends FIN after what was written; the other direction stays open. */
  end(): void {
    if (this.closed || this.#ended) return
    this.#ended = true
    this.socket.end()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Closes at once. What the kernel already has is still delivered. */
  destroy(): void {
    if (!this.closed) this.socket.destroy()
  }

  /** Closes with RST, so that the peer cannot take a cut message for a complete one. */
  reset(): void {
    if (this.closed) return
    if (this.#handle !== null) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** A pooled buffer may serve again only when nothing of it can still be in flight. */
  #giveBack(buffer: Buffer): void {
    if (this.#handle !== null && !this.pending) giveBuffer(buffer)
  }

  #writeFailed(status: number): void {
    const error: NodeJS.ErrnoException = new Error('write failed')
    error.errno = status
    error.code = getSystemErrorName(status)
    error.syscall = 'write'
    this.socket.destroy(error)
  }

  #tookRequest(request: WriteRequest, bytes: Uint8Array | null): void {
    spare = null
    request.owner = this
    request.handle = this.#handle
    request.bytes = bytes
    this.#writesInFlight++
    this.pending = true
  }

  /** The kernel has taken a write that had to wait. */
  onWritten(status: number): void {
    if (--this.#writesInFlight > 0) return
    this.pending = false
    if (this.closed || this.socket.destroyed) return
    if (status < 0) this.#writeFailed(status)
    else this.events.onDrain()
  }
}

/** One request object serves all writes that complete at once; only one that has to wait is used up. */
let spare: WriteRequest | null = null

function newRequest(): WriteRequest {
  const request = new WriteRequest!()
  request.oncomplete = onWritten
  spare = request
  return request
}

function takeBuffer(): Buffer {
  return freeBuffers.pop() ?? Buffer.allocUnsafeSlow(OWN_BUFFER_BYTES)
}

function giveBuffer(buffer: Buffer): void {
  if (freeBuffers.length < FREE_BUFFERS) freeBuffers.push(buffer)
}
