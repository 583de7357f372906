// A backend as one worker knows it: its addresses and the connections that wait there. Keyed by slot; outlives every
// snapshot that speaks to it in the same way.
import type { BackendSpec, PoolSpec } from '../core/spec.ts'
import type { DialTarget } from '../net/dialer.ts'
import { type BackendContext, BackendContexts, BackendTls, speaksTls } from '../net/tls/backend-context.ts'
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

/** How its connections begin: with others a connection is not the same. */
interface Manner {
  readonly context: BackendContext | null
  readonly sendProxyProtocol: PoolSpec['sendProxyProtocol']
}

/** Everything open to a backend, whatever the manner it was begun in. */
interface Links {
  readonly wires: Set<Wire>
  isCut: boolean
}

export class LiveBackend implements DialTarget {
  spec: BackendSpec
  addresses: readonly string[] = []
  preferred = 0
  readonly tls: BackendTls | null
  readonly sendProxyProtocol: PoolSpec['sendProxyProtocol']
  /** Gone from the configuration, or spoken to in another manner now: nothing is kept for later. */
  retired = false
  readonly sockets: Sockets
  readonly #state: WorkerState
  readonly #idle: IdleConnection[] = []
  /** Connections that wait for one client alone. */
  readonly #reserved = new Set<IdleConnection>()
  #links: Links = { wires: new Set(), isCut: false }

  constructor(spec: BackendSpec, manner: Manner, state: WorkerState, sockets: Sockets) {
    this.spec = spec
    this.tls = manner.context === null ? null : new BackendTls(manner.context, spec)
    this.sendProxyProtocol = manner.sendProxyProtocol
    this.#state = state
    this.sockets = sockets
  }

  /** Whether a connection made now would be as those that are there. */
  isOf(spec: BackendSpec, manner: Manner): boolean {
    return (
      this.isSame(spec) &&
      (this.tls?.context ?? null) === manner.context &&
      this.sendProxyProtocol === manner.sendProxyProtocol
    )
  }

  /** Whether it is this very backend, in whatever manner. */
  isSame(spec: BackendSpec): boolean {
    return this.spec.url === spec.url && this.spec.pool === spec.pool
  }

  /** Takes the place of `other`, the same backend in another manner: what is open there can still be cut. */
  succeed(other: LiveBackend): void {
    this.addresses = other.addresses
    this.preferred = other.preferred
    this.#links = other.#links
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

  /** Keeps a connection for the one client that it belongs to; false = nothing is kept here any more. */
  reserve(connection: IdleConnection): boolean {
    if (this.retired) return false
    this.#reserved.add(connection)
    // It cannot make room for another: its client holds it.
    this.sockets.busy++
    this.#state.backendIdle(this.spec.slot, 1)
    return true
  }

  /** An idle connection is gone, or the one reserved for a client is used. Nothing happens if it had been taken. */
  removeIdle(connection: IdleConnection): void {
    if (this.#reserved.delete(connection)) {
      this.sockets.busy--
      this.#state.backendIdle(this.spec.slot, -1)
      return
    }
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
    for (const connection of [...this.#idle, ...this.#reserved]) connection.closeIdle()
  }

  /** Nothing new comes here: exchanges in flight go on, nothing is kept after them. */
  retire(): void {
    this.retired = true
    this.closeIdle()
  }

  /** A connection stands; it is forgotten when its socket closes. */
  opened(wire: Wire): void {
    const { wires, isCut } = this.#links
    if (isCut) wire.destroy()
    wires.add(wire)
    wire.onGone = () => wires.delete(wire)
  }

  /** Closes what is open now; what comes later may stay. */
  release(): void {
    this.closeIdle()
    for (const wire of this.#links.wires) wire.destroy()
  }

  /** Closes everything to this backend, exchanges and tunnels in flight too. */
  cut(): void {
    this.#links.isCut = true
    for (const wire of this.#links.wires) wire.destroy()
  }
}

/** By pool: how TLS is spoken to its backends. */
export type PoolContexts = ReadonlyMap<string, BackendContext>

/** All backends of one worker, by slot. */
export class LiveBackends implements Sockets {
  busy = 0
  idle = 0
  readonly #bySlot = new Map<number, LiveBackend>()
  /** Left the snapshot, and not yet cut: exchanges may still be open, or about to be. */
  readonly #leaving = new Set<LiveBackend>()
  readonly #state: WorkerState
  #maxSockets: number
  readonly #contexts = new BackendContexts()

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

  /** Other numbers of workers share the descriptors of the process in other parts. */
  setMaxSockets(maxSockets: number): void {
    this.#maxSockets = maxSockets
  }

  /** What `update` needs. @throws Error certificates of a pool cannot be used. */
  prepare(pools: readonly PoolSpec[]): PoolContexts {
    return this.#contexts.prepare(pools)
  }

  /**
   * Brings the table in line with a snapshot: connections and addresses of what stays are kept; where TLS or the PROXY
   * header changed, only addresses.
   */
  update(pools: readonly PoolSpec[], contexts: PoolContexts = this.prepare(pools)): void {
    this.#contexts.adopt(contexts)
    const seen = new Set<number>()
    for (const { name, backends, sendProxyProtocol } of pools) {
      for (const spec of backends) {
        seen.add(spec.slot)
        const context = speaksTls(spec) ? contexts.get(name)! : null
        this.#set(spec, { context, sendProxyProtocol })
      }
    }
    for (const [slot, live] of this.#bySlot) {
      if (seen.has(slot)) continue
      live.retire()
      this.#bySlot.delete(slot)
      this.#leaving.add(live)
    }
  }

  #set(spec: BackendSpec, manner: Manner): void {
    const live = this.#bySlot.get(spec.slot)
    if (live?.isOf(spec, manner)) {
      live.spec = spec
      return
    }
    const next = new LiveBackend(spec, manner, this.#state, this)
    if (live?.isSame(spec)) next.succeed(live)
    live?.retire()
    this.#bySlot.set(spec.slot, next)
  }

  /** Closes what is still open to a backend that has left, and what is open now to one whose drain has ended. */
  cut(slot: number): void {
    this.#bySlot.get(slot)?.release()
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
