// A wire on Node's TLS engine over a bare handle. The engine takes one write at a time, has each encrypted when the
// call returns, and says that it is done in the next turn of the loop: what comes meanwhile waits here.
import { getSystemErrorName } from 'node:util'
import { type Handle, native, type ShutdownRequest, type WriteRequest } from './native.ts'
import type { TlsHandle } from './native-tls.ts'
import { giveBuffer, sharedBuffer } from './read-buffers.ts'
import { type ReadSide, Wire, type WireEvents } from './wire.ts'

const UV_EOF = -4095

/** A write of so much makes its writer wait until the kernel has it: two at once would need a copy. */
const BULK_BYTES = 16 * 1024

interface WiredHandle extends TlsHandle {
  wire: TlsWire
}

function onRead(this: Handle): Uint8Array | undefined {
  return (this as WiredHandle).wire.onRead(native!.state[native!.readBytes]!)
}

function onWritten(this: WriteRequest, status: number): void {
  ;(this.owner as TlsWire).onWritten(status)
}

function onShutdown(this: ShutdownRequest): void {
  ;(this.owner as TlsWire).onShutdown()
}

function onTlsError(this: TlsHandle, error: NodeJS.ErrnoException): void {
  ;(this as WiredHandle).wire.onTlsError(error)
}

function onHandshakeStart(this: TlsHandle): void {
  ;(this as WiredHandle).wire.onHandshakeStart()
}

function afterDeath(): undefined {
  return undefined
}

function ignore(): void {}

export class TlsWire extends Wire {
  readonly reusesBuffers = true
  protected readonly writesAtOnce = true
  /** The socket itself, whose bytes are encrypted. */
  readonly #socket: Handle
  readonly #tls: WiredHandle
  #buffer: Buffer = sharedBuffer
  #error: NodeJS.ErrnoException | null = null
  /** Of small writes. Nobody is called when one is done: whoever wants to write next looks (`#isBusy`). */
  #quiet: WriteRequest | null = null
  /** The write in flight; it may be done without our knowing, if it is a quiet one. */
  #inFlight: WriteRequest | null = null
  #noDelay = false
  /** Written while another write was in flight. */
  readonly #queue: (string | Uint8Array)[] = []
  /** Records that were decrypted after `pause`: the engine gives all that it has. */
  #held: Buffer[] = []
  #peerEnded = false
  #endHeld = false
  #endWanted = false
  #shutDown = false
  #closing = false

  /** Takes over a connection whose handshake is done. Reading goes on. */
  constructor(socket: Handle, tls: TlsHandle, events: WireEvents) {
    super(events)
    this.#socket = socket
    this.#tls = tls as WiredHandle
    this.#tls.wire = this
    tls.onread = onRead
    tls.onhandshakestart = onHandshakeStart
    tls.onhandshakedone = ignore
    tls.onerror = onTlsError
    tls.useUserBuffer(sharedBuffer)
  }

  onRead(count: number): Buffer | undefined {
    if (this.closed) return undefined
    if (count > 0) {
      const buffer = this.#buffer
      if (this.paused) {
        this.#held.push(Buffer.from(buffer.subarray(0, count)))
        return undefined
      }
      this.reading = true
      this.#deliver(buffer, count)
      this.reading = false
      // The engine gives the rest of what it has all the same: not into a buffer that has been given back, nor over bytes
      // that a peer may still be writing.
      if (this.closed) return sharedBuffer
      if (this.paused) this.#tls.readStop()
      const wanted = (this.paused ? null : this.ownBuffer) ?? sharedBuffer
      if (wanted === buffer) return undefined
      this.#buffer = wanted
      return wanted
    }
    if (count === 0) return undefined
    if (count !== UV_EOF) this.#fail(count, 'read')
    else if (this.#peerEnded) return undefined
    else if (this.paused) this.#endHeld = true
    else this.#deliverEnd()
    return undefined
  }

  #deliver(bytes: Buffer, count: number): void {
    try {
      this.events.onData(bytes, count)
    } catch (error) {
      this.#fault(error)
    }
  }

  #deliverEnd(): void {
    this.#peerEnded = true
    this.#tls.readStop()
    // Nobody reads any more what would show that the connection is broken.
    if (this.#isBusy()) this.#wantsToKnow()
    try {
      this.events.onEnd()
    } catch (error) {
      this.#fault(error)
    }
    this.#closeIfOver()
  }

  override get hasUnsent(): boolean {
    return this.#queue.length > 0 || (this.#inFlight !== null && (this.#socket.writeQueueSize ?? 1) > 0)
  }

  write(text: string): void {
    if (this.closed || this.ended) return
    this.written += text.length
    if (this.#isBusy()) this.#enqueue(text)
    else {
      const request = this.#requestFor(text.length)
      this.#sent(request, this.#tls.writeLatin1String(request, text), text.length)
    }
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.closed || this.ended) return
    this.written += bytes.length
    if (this.#isBusy()) this.#enqueue(bytes)
    else {
      const request = this.#requestFor(bytes.length)
      this.#sent(request, this.#tls.writeBuffer(request, bytes), bytes.length)
    }
  }

  protected writePooled(buffer: Buffer, size: number): void {
    if (!this.closed && this.#isBusy()) this.writeBytes(Buffer.from(buffer.subarray(0, size)))
    else this.writeBytes(buffer.subarray(0, size))
    giveBuffer(buffer)
  }

  /** What was read is encrypted when the write returns: no copy is needed, from whatever buffer. */
  override relay(source: ReadSide, bytes: Buffer, start: number, end: number): void {
    const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    this.writeBytes(!this.closed && this.#isBusy() ? Buffer.from(part) : part)
    if (this.pending) source.pause()
  }

  /** Whether the engine still has a write to do. */
  #isBusy(): boolean {
    if (this.#inFlight === null) return false
    if (this.#inFlight !== this.#quiet || this.#tls.writeQueueSize !== 0) return true
    this.#inFlight = null
    return false
  }

  #requestFor(size: number): WriteRequest {
    if (size < BULK_BYTES && this.#quiet !== null) return this.#quiet
    const request = new native!.WriteRequest()
    request.owner = this
    if (size < BULK_BYTES) this.#quiet = request
    else request.oncomplete = onWritten
    return request
  }

  #sent(request: WriteRequest, status: number, size: number): void {
    if (status !== 0) {
      this.#fail(status, 'write')
      return
    }
    if (native!.state[native!.writeWaits] === 0) return
    this.#inFlight = request
    if (size < BULK_BYTES) return
    this.pending = true
    if (this.#peerEnded) this.#wantsToKnow()
  }

  /** Somebody waits for the write in flight after all. */
  #wantsToKnow(): void {
    const request = this.#inFlight!
    if (request === this.#quiet) {
      request.oncomplete = onWritten
      this.#quiet = null
    }
    // One that failed said so when nobody listened, and one behind a failed write of the engine's own (session tickets)
    // never will. By then the engine has spoken of one that did not.
    setImmediate(checkFailed, this, request)
  }

  /** If the kernel has nothing more to take, and the engine has not said that the write is done, it failed. */
  checkFailed(request: WriteRequest): void {
    if (this.#inFlight !== request) return
    const failed = (this.#socket.writeQueueSize ?? 1) === 0
    if (failed) this.#inFlight = null
    // What the kernel did not take after all is not waited for.
    if (this.#closing) this.#closeNow(false)
    else if (failed) this.#failWith(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }))
  }

  #enqueue(part: string | Uint8Array): void {
    this.#queue.push(part)
    this.pending = true
    if (this.#inFlight === this.#quiet) this.#wantsToKnow()
  }

  onWritten(status: number): void {
    this.#inFlight = null
    if (this.#closing) {
      this.#closeNow(status === 0)
      return
    }
    if (this.closed) return
    if (status < 0) {
      this.#fail(status, 'write')
      return
    }
    if (this.#queue.length > 0) {
      this.#flush()
      return
    }
    if (this.#endWanted) this.#shutdown()
    if (!this.pending) return
    this.pending = false
    try {
      this.events.onDrain()
    } catch (error) {
      this.#fault(error)
    }
  }

  #flush(): void {
    const parts = this.#queue.splice(0)
    const only = parts[0]!
    if (parts.length === 1 && typeof only === 'string') {
      const request = this.#requestFor(BULK_BYTES)
      this.#sent(request, this.#tls.writeLatin1String(request, only), BULK_BYTES)
      return
    }
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
    const request = this.#requestFor(BULK_BYTES)
    this.#sent(request, this.#tls.writeBuffer(request, bytes), BULK_BYTES)
  }

  pause(): void {
    if (this.paused || this.closed) return
    this.paused = true
    if (!this.reading) this.#tls.readStop()
  }

  resume(): void {
    if (!this.paused || this.closed) return
    this.paused = false
    if (this.#held.length > 0 || this.#endHeld) {
      // Not from within: whoever resumes need not expect bytes before the call returns.
      process.nextTick(releaseHeld, this)
      return
    }
    if (this.reading || this.#peerEnded) return
    const status = this.#tls.readStart()
    if (status !== 0) this.#fail(status, 'read')
  }

  /** Not `reading`: no next read buffer is chosen after it, so that the wire's own stays with the engine (`endOwn`). */
  releaseHeld(): void {
    while (!this.paused && !this.closed && this.#held.length > 0) {
      const bytes = this.#held.shift()!
      this.#deliver(bytes, bytes.length)
    }
    if (this.paused || this.closed) return
    if (this.#endHeld) {
      this.#endHeld = false
      this.#deliverEnd()
    } else if (!this.#peerEnded) this.#tls.readStart()
  }

  end(): void {
    if (this.closed || this.ended) return
    this.ended = true
    // The alert that says goodbye (close_notify) must come after what is still in flight.
    if (this.#isBusy()) {
      this.#endWanted = true
      this.#wantsToKnow()
    } else this.#shutdown()
  }

  #shutdown(): void {
    this.#endWanted = false
    const request = new native!.ShutdownRequest()
    request.owner = this
    request.oncomplete = onShutdown
    if (this.#tls.shutdown(request) !== 0) this.onShutdown()
  }

  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.#queue.length = 0
    this.#tls.onread = afterDeath
    // With all of it in the kernel the engine says so in the next turn, and goodbye can follow.
    const busy = this.#isBusy()
    if (busy && this.#error === null && (this.#socket.writeQueueSize ?? 1) === 0) {
      this.#closing = true
      this.#wantsToKnow()
    } else this.#closeNow(!busy && this.#error === null)
  }

  reset(): void {
    if (this.closed) return
    this.closed = true
    // The engine must outlive what libuv still holds of it.
    const release = (): void => this.#tls.destroySSL()
    this.#tls.onread = afterDeath
    if (this.#socket.reset === undefined || (this.ended && !this.#shutDown) || this.#socket.reset(release) !== 0) {
      this.#socket.close(release)
    }
    process.nextTick(announceClose, this)
  }

  #closeNow(goodbye: boolean): void {
    this.#closing = false
    if (goodbye && !this.ended) {
      const request = new native!.ShutdownRequest()
      request.oncomplete = ignore
      this.#tls.shutdown(request)
    }
    this.#socket.close(() => this.#tls.destroySSL())
    process.nextTick(announceClose, this)
  }

  detach(): Handle {
    throw new Error('a TLS connection stays where it is')
  }

  /**
   * Renegotiation (TLS 1.3 has none) is refused. For a server it is work that a client can ask for without end; OpenSSL
   * alone would answer with an alert each time, and keep those that are not read. And while it lasts, from whatever side,
   * the engine keeps a write without showing that it does (`#isBusy`).
   */
  onHandshakeStart(): void {
    this.#failWith(Object.assign(new Error('TLS renegotiation'), { code: 'ERR_TLS_RENEGOTIATION_DISABLED' }))
  }

  onTlsError(error: NodeJS.ErrnoException): void {
    this.#failWith(error)
  }

  setNoDelay(): void {
    if (this.#noDelay || this.closed) return
    this.#noDelay = true
    this.#socket.setNoDelay?.(true)
  }

  onShutdown(): void {
    this.#shutDown = true
    if (!this.closed) this.#closeIfOver()
  }

  announceClose(): void {
    this.releaseOwnBuffer(true)
    this.#held = []
    try {
      this.onGone?.()
      this.events.onClose(this.#error)
    } catch (error) {
      this.#fault(error)
    }
  }

  #closeIfOver(): void {
    if (this.#peerEnded && this.#shutDown) this.destroy()
  }

  #fail(status: number, syscall: string): void {
    const code = getSystemErrorName(status)
    this.#failWith(Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall }))
  }

  #failWith(error: NodeJS.ErrnoException): void {
    if (this.closed) return
    this.#error = error
    this.destroy()
  }

  #fault(error: unknown): void {
    this.events.onFault(error)
    this.destroy()
  }
}

function announceClose(wire: TlsWire): void {
  wire.announceClose()
}

function checkFailed(wire: TlsWire, request: WriteRequest): void {
  wire.checkFailed(request)
}

function releaseHeld(wire: TlsWire): void {
  wire.releaseHeld()
}
