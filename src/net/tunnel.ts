// What follows a 101: bytes both ways, half-close carried through, a reset passed on as a reset, one idle deadline.

import { Timed, type TimerWheel } from '../util/timer-wheel.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface TunnelOptions {
  readonly client: { readonly wire: Wire; takeStash(): Buffer | null; becomeTunnel(end: WireEvents): void }
  readonly backend: Wire
  readonly wheel: TimerWheel
  /** Both sides silent for so long ends the tunnel; 0 = never. */
  readonly idleMs: number
  /** Bytes of the backend that came with its 101. */
  readonly early: Buffer
  /** Both sockets are closed or closing. Called once. */
  readonly onEnd: (bytes: { readonly fromClient: number; readonly fromBackend: number }) => void
  readonly onFault: (error: unknown) => void
}

/** Takes both wires over for good. */
export function startTunnel(options: TunnelOptions): void {
  const tunnel = new Tunnel(options)
  tunnel.start(options)
}

/** From here on a wire reads into a buffer of its own: a bulk transfer is on its way. */
const BULK_BYTES = 8 * 1024

class Tunnel extends Timed {
  readonly client: End
  readonly backend: End
  readonly #wheel: TimerWheel
  readonly #idleMs: number
  readonly #onEnd: TunnelOptions['onEnd']
  readonly fault: (error: unknown) => void
  #over = false

  constructor(options: TunnelOptions) {
    super()
    this.#wheel = options.wheel
    this.#idleMs = options.idleMs
    this.#onEnd = options.onEnd
    this.fault = options.onFault
    this.client = new End(options.client.wire, options.backend, this)
    this.backend = new End(options.backend, options.client.wire, this)
  }

  start(options: TunnelOptions): void {
    const stash = options.client.takeStash()
    options.backend.events = this.backend
    options.client.becomeTunnel(this.client)
    this.backend.count += options.early.length
    this.client.count += stash?.length ?? 0
    if (options.early.length > 0) options.client.wire.writeBytes(options.early)
    if (stash !== null) options.backend.writeBytes(stash)
    this.touch()
    options.client.wire.resume()
    options.backend.resume()
  }

  touch(): void {
    this.#wheel.arm(this, this.#idleMs)
  }

  halfClosed(): void {
    if (this.client.ended && this.backend.ended && !this.client.to.pending && !this.backend.to.pending) {
      this.client.to.destroy()
      this.backend.to.destroy()
    }
  }

  closed(other: Wire, error: Error | null): void {
    if (error === null) other.destroy()
    else other.reset()
    if (this.#over) return
    this.#over = true
    this.#wheel.remove(this)
    this.#onEnd({ fromClient: this.client.count, fromBackend: this.backend.count })
  }

  onDeadline(): void {
    this.client.to.destroy()
    this.backend.to.destroy()
  }
}

/** What arrives on one wire, sent to the other. */
class End implements WireEvents {
  readonly to: Wire
  ended = false
  /** Bytes that arrived. */
  count = 0
  readonly #from: Wire
  readonly #tunnel: Tunnel

  constructor(from: Wire, to: Wire, tunnel: Tunnel) {
    this.#from = from
    this.to = to
    this.#tunnel = tunnel
  }

  onData(bytes: Buffer, length: number): void {
    this.count += length
    this.to.relay(this.#from, bytes, 0, length)
    if (length >= BULK_BYTES) this.#from.useOwnBuffer()
    else this.#from.releaseOwnBuffer(this.to.pending)
    this.#tunnel.touch()
  }

  onEnd(): void {
    this.ended = true
    this.to.end()
    this.#tunnel.halfClosed()
  }

  onDrain(): void {
    // This wire has taken what came from the other side.
    this.#tunnel.touch()
    this.#otherEnd().#from.resume()
    this.#tunnel.halfClosed()
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.#tunnel.closed(this.to, error)
  }

  onFault(error: unknown): void {
    this.#tunnel.fault(error)
  }

  #otherEnd(): End {
    return this === this.#tunnel.client ? this.#tunnel.backend : this.#tunnel.client
  }
}
