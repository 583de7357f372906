// A backend as one worker knows it: its addresses and its idle connections. Keyed by slot; outlives every snapshot.
import type { BackendSpec } from '../core/spec.ts'
import type { DialTarget } from '../net/dialer.ts'
import type { Wire } from '../net/wire.ts'
import type { WorkerState } from '../state/worker-state.ts'

/** A connection that can wait for its next exchange. */
export interface IdleConnection {
  /** Closes it; it must then call `LiveBackend.removeIdle`. */
  closeIdle(): void
}

/** The sockets that one worker has to backends, all of them together. */
interface Sockets {
  /** Places taken: each has a connection, or is about to open one. */
  busy: number
  /** Connections that wait for their next exchange. */
  idle: number
  /** One more is about to be opened: closes waiting ones where there would be too many. */
  makeRoom(): void
}

export class LiveBackend implements DialTarget {
  spec: BackendSpec
  addresses: readonly string[] = []
  preferred = 0
  tlsSession: Buffer | null = null
  /** Gone from the configuration: nothing is kept for later. */
  retired = false
  readonly sockets: Sockets
  readonly #state: WorkerState
  readonly #idle: IdleConnection[] = []
  readonly #open = new Set<Wire>()
  #isCut = false

  constructor(spec: BackendSpec, state: WorkerState, sockets: Sockets) {
    this.spec = spec
    this.#state = state
    this.sockets = sockets
  }

  /** The connection used last: the others may age and be closed. Undefined = there is room for a new one. */
  takeIdle(): IdleConnection | undefined {
    const connection = this.#idle.pop()
    if (connection !== undefined) this.#countIdle(-1)
    else this.sockets.makeRoom()
    return connection
  }

  /** Keeps a connection for later; false = there are `max` already, or the backend is gone. */
  keepIdle(connection: IdleConnection, max: number): boolean {
    if (this.retired || this.#idle.length >= max) return false
    this.#idle.push(connection)
    this.#countIdle(1)
    return true
  }

  /** An idle connection is gone. Nothing happens if it had been taken. */
  removeIdle(connection: IdleConnection): void {
    const index = this.#idle.lastIndexOf(connection)
    if (index < 0) return
    this.#idle.splice(index, 1)
    this.#countIdle(-1)
  }

  get idleCount(): number {
    return this.#idle.length
  }

  /** Closes the connection that has waited longest. */
  closeOldest(): void {
    this.#idle[0]?.closeIdle()
  }

  #countIdle(delta: number): void {
    this.sockets.idle += delta
    this.#state.backendIdle(this.spec.slot, delta)
  }

  closeIdle(): void {
    for (const connection of [...this.#idle]) connection.closeIdle()
  }

  /** Leaves the configuration: exchanges in flight go on, nothing is kept after them. */
  retire(): void {
    this.retired = true
    this.closeIdle()
  }

  /** A connection stands; it is forgotten when its socket closes. */
  opened(wire: Wire): void {
    if (this.#isCut) wire.destroy()
    this.#open.add(wire)
    wire.onGone = () => this.#open.delete(wire)
  }

  /** Closes everything to this backend, exchanges and tunnels in flight too. */
  cut(): void {
    this.#isCut = true
    for (const wire of this.#open) wire.destroy()
  }
}

/** All backends of one worker, by slot. */
export class LiveBackends implements Sockets {
  busy = 0
  idle = 0
  readonly #bySlot = new Map<number, LiveBackend>()
  /** Left the snapshot, and not yet cut: exchanges may still be open, or about to be. */
  readonly #leaving = new Set<LiveBackend>()
  readonly #state: WorkerState
  readonly #maxSockets: number

  /** `maxSockets`: as many as there may be clients, since each needs one at most; more would starve accepting. */
  constructor(state: WorkerState, maxSockets: number) {
    this.#state = state
    this.#maxSockets = maxSockets
  }

  makeRoom(): void {
    while (this.idle > 0 && this.busy + this.idle > this.#maxSockets) {
      let most: LiveBackend | undefined
      for (const live of this.#bySlot.values()) if (live.idleCount > (most?.idleCount ?? 0)) most = live
      if (most === undefined) return
      most.closeOldest()
    }
  }

  /** Brings the table in line with a snapshot: connections and addresses of what stays are kept. */
  update(specs: readonly BackendSpec[]): void {
    const seen = new Set<number>()
    for (const spec of specs) {
      seen.add(spec.slot)
      const live = this.#bySlot.get(spec.slot)
      if (live !== undefined && live.spec.url === spec.url && live.spec.pool === spec.pool) live.spec = spec
      else {
        live?.retire()
        this.#bySlot.set(spec.slot, new LiveBackend(spec, this.#state, this))
      }
    }
    for (const [slot, live] of this.#bySlot) {
      if (seen.has(slot)) continue
      live.retire()
      this.#bySlot.delete(slot)
      this.#leaving.add(live)
    }
  }

  /** Closes what is still open to a backend that has left. */
  cut(slot: number): void {
    for (const live of this.#leaving) {
      if (live.spec.slot !== slot) continue
      live.cut()
      this.#leaving.delete(live)
    }
  }

  get(slot: number): LiveBackend | undefined {
    return this.#bySlot.get(slot)
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    const live = this.#bySlot.get(slot)
    if (live === undefined) return
    live.addresses = addresses
    live.preferred = 0
  }

  closeIdle(): void {
    for (const live of this.#bySlot.values()) live.closeIdle()
  }
}
