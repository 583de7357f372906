// A wire on a net.Socket or TLSSocket, by public API only: for TLS, and where Node does not show its handles.
import type net from 'node:net'
import { TLSSocket } from 'node:tls'
import { Wire, type WireEvents } from './wire.ts'

export class SocketWire extends Wire {
  readonly reusesBuffers = false
  protected readonly writesAtOnce = false
  readonly #socket: net.Socket
  readonly #carrier: net.Socket
  #error: NodeJS.ErrnoException | null = null
  #endHeld = false

  /** Takes over a connected socket with `allowHalfOpen`. `carrier`: of a TLS socket, the one that it runs on. */
  constructor(socket: net.Socket, events: WireEvents, carrier: net.Socket = socket) {
    super(events)
    this.#socket = socket
    this.#carrier = carrier
    socket.on('data', (bytes) => {
      if (this.closed) return
      this.reading = true
      this.#guarded(() => this.events.onData(bytes, bytes.length))
      this.reading = false
    })
    socket.on('end', () => {
      this.#endHeld = true
      // Of a fatal alert a TLS socket says first that the stream has ended, then what it was: onClose tells that.
      if (socket instanceof TLSSocket) setImmediate(() => this.#tellEnd())
      else this.#tellEnd()
    })
    socket.on('drain', () => {
      this.pending = false
      if (!this.closed) this.#guarded(() => this.events.onDrain())
    })
    socket.on('error', (error) => {
      this.#error ??= error
      // A TLS socket half of which has ended is not closed by its error.
      socket.destroy()
    })
    socket.on('close', () => {
      this.#tellEnd()
      this.closed = true
      this.onGone?.()
      this.#guarded(() => this.events.onClose(this.#error))
    })
  }

  #tellEnd(): void {
    if (!this.#endHeld || this.closed || this.#error !== null) return
    this.#endHeld = false
    this.#guarded(() => this.events.onEnd())
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.events.onFault(error)
      this.destroy()
    }
  }

  /** A stream says that it is full only some way beyond the kernel. */
  override get hasUnsent(): boolean {
    return this.#socket.writableLength > 0
  }

  write(text: string): void {
    if (this.closed || this.ended) return
    this.written += text.length
    if (!this.#socket.write(text, 'latin1')) this.pending = true
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.closed || this.ended) return
    this.written += bytes.length
    if (!this.#socket.write(bytes)) this.pending = true
  }

  protected writePooled(buffer: Buffer, size: number): void {
    // When a stream lets go of it cannot be told cheaply: it is left to the collector.
    this.writeBytes(buffer.subarray(0, size))
  }

  pause(): void {
    if (this.paused || this.closed) return
    this.paused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.paused || this.closed) return
    this.paused = false
    this.#socket.resume()
  }

  end(): void {
    if (this.closed || this.ended) return
    this.ended = true
    this.#socket.end()
  }

  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.#socket.destroy()
  }

  reset(): void {
    if (this.closed) return
    this.closed = true
    try {
      this.#carrier.resetAndDestroy()
    } catch {
      // Not a TCP socket (Unix): there is no reset to send.
    }
    this.#socket.destroy()
  }

  detach(): net.Socket {
    this.closed = true
    for (const event of ['data', 'end', 'drain', 'error', 'close']) this.#socket.removeAllListeners(event)
    this.#socket.pause()
    return this.#socket
  }

  setNoDelay(): void {
    this.#socket.setNoDelay(true)
  }
}
