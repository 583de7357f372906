// Two wires joined: bytes both ways as they come, half-close carried through, a reset passed on as a reset, one idle
// deadline. What a TCP connection is, and what follows a 101.
import type { WorkerState } from '../state/worker-state.ts'
import { Timed, type TimerWheel } from '../util/timer-wheel.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface TunnelOwner {
  /** Both sockets are gone; nothing else is called any more. */
  tunnelEnded(tunnel: Tunnel): void
  /** A bug of ours; the tunnel ends. */
  tunnelFault(error: unknown): void
}

export interface TunnelOptions {
  /** Both are taken over for good. */
  readonly client: Wire
  readonly backend: Wire
  readonly owner: TunnelOwner
  readonly wheel: TimerWheel
  /** Both sides silent for so long ends the tunnel; 0 = never. */
  readonly idleMs: number
  /** Where the client's bytes are counted, as they pass. */
  readonly state: WorkerState
  readonly row: number
}

/** From here on a wire reads into a buffer of its own: a bulk transfer is on its way. */
const BULK_BYTES = 8 * 1024

export class Tunnel extends Timed {
  readonly client: TunnelEnd
  readonly backend: TunnelEnd
  /** What broke it, and from which side; null while it lives, and after a peaceful end. */
  error: NodeJS.ErrnoException | null = null
  broken: 'client' | 'backend' | null = null
  timedOut = false
  readonly owner: TunnelOwner
  readonly #wheel: TimerWheel
  readonly #idleMs: number
  #open = 2

  constructor({ client, backend, owner, wheel, idleMs, state, row }: TunnelOptions) {
    super()
    this.owner = owner
    this.#wheel = wheel
    this.#idleMs = idleMs
    this.client = new ClientEnd(this, client, backend, wheel, state, row)
    this.backend = new BackendEnd(this, backend, client, wheel, state, row)
    client.events = this.client
    backend.events = this.backend
  }

  /** Begins with what was read before: bytes of the client, whether it has sent FIN already, bytes of the backend. */
  start(fromClient: Buffer | null, clientEnded: boolean, fromBackend: Buffer | null): void {
    this.#wheel.arm(this, this.#idleMs)
    this.client.sendOn(fromClient)
    this.backend.sendOn(fromBackend)
    if (clientEnded) this.client.onEnd()
  }

  opposite(end: TunnelEnd): TunnelEnd {
    return end === this.client ? this.backend : this.client
  }

  /** One of the sockets is gone. */
  closed(end: TunnelEnd, error: NodeJS.ErrnoException | null): void {
    const other = this.opposite(end)
    // After both have sent FIN each closes by itself, when it has taken what there is for it. Any other end is a cut,
    // which must not look like a FIN.
    if (error !== null || !end.ended || !other.ended) {
      if (this.broken === null && !this.timedOut) {
        this.broken = end === this.client ? 'client' : 'backend'
        this.error = error
      }
      other.wire.reset()
    }
    if (--this.#open > 0) return
    this.#wheel.remove(this)
    this.owner.tunnelEnded(this)
  }

  onDeadline(): void {
    const silentMs = this.#wheel.since(Math.max(this.client.lastTick, this.backend.lastTick))
    if (silentMs < this.#idleMs) {
      this.#wheel.arm(this, this.#idleMs - silentMs)
      return
    }
    this.timedOut = true
    this.client.wire.destroy()
    this.backend.wire.destroy()
  }
}

/** What arrives on one wire, sent to the other. */
abstract class TunnelEnd implements WireEvents {
  readonly wire: Wire
  /** Its peer has sent FIN. */
  ended = false
  /** Bytes that arrived. */
  count = 0
  /** When something last arrived here, or was taken. */
  lastTick: number
  protected readonly to: Wire
  protected readonly tunnel: Tunnel
  protected readonly wheel: TimerWheel
  protected readonly state: WorkerState
  protected readonly row: number

  constructor(tunnel: Tunnel, wire: Wire, to: Wire, wheel: TimerWheel, state: WorkerState, row: number) {
    this.tunnel = tunnel
    this.wire = wire
    this.to = to
    this.wheel = wheel
    this.lastTick = wheel.tick
    this.state = state
    this.row = row
  }

  abstract onData(bytes: Buffer, length: number): void

  protected relay(bytes: Buffer, length: number): void {
    this.count += length
    this.to.relaySoon(this.wire, bytes, length)
    if (length >= BULK_BYTES) this.wire.useOwnBuffer()
    else this.wire.releaseOwnBuffer(this.to.pending)
    this.lastTick = this.wheel.tick
  }

  /** Bytes read before the tunnel stood; then reading goes on, unless they have to wait. */
  sendOn(bytes: Buffer | null): void {
    if (bytes !== null && bytes.length > 0) {
      this.count += bytes.length
      this.to.writeBytes(bytes)
    }
    if (!this.to.pending) this.wire.resume()
  }

  onEnd(): void {
    this.ended = true
    // Where its own peer has ended already closing says the same as a FIN, in fewer calls.
    if (this.tunnel.opposite(this).ended && !this.to.hasUnsent) this.to.destroy()
    else this.to.end()
  }

  onDrain(): void {
    // This wire has taken what came from the other one.
    this.lastTick = this.wheel.tick
    this.to.resume()
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.tunnel.closed(this, error)
  }

  onFault(error: unknown): void {
    this.tunnel.owner.tunnelFault(error)
  }
}

class ClientEnd extends TunnelEnd {
  onData(bytes: Buffer, length: number): void {
    this.state.bytesReceived(this.row, length)
    this.relay(bytes, length)
  }
}

class BackendEnd extends TunnelEnd {
  onData(bytes: Buffer, length: number): void {
    this.relay(bytes, length)
    this.state.bytesSent(this.row, this.to.written)
    this.to.written = 0
  }
}
