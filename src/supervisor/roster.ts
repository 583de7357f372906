// Who runs data planes in this process: threads by their lane of shared memory, and the main thread; who comes, who goes.
import type { WorkerInfo } from '../control/port.ts'
import type { Slot, Snapshot } from '../core/spec.ts'
import { canReusePort } from '../net/acceptor.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import type { PluginLoader } from '../plugins/plugin-loader.ts'
import type { OwnerState } from '../state/owner-state.ts'
import type { FromWorker, ToWorker } from '../worker/protocol.ts'
import type { CacheKeeper } from './cache-keeper.ts'
import type { Member } from './live-change.ts'
import { MainPlane } from './main-plane.ts'
import { WorkerSlot } from './worker-slot.ts'

/** What the process runs. */
export interface InForce {
  /** Null before the start. */
  snapshot: Snapshot | null
  /** 0 = the main thread serves. */
  workers: number
}

export interface RosterOptions {
  readonly state: OwnerState
  readonly inForce: InForce
  readonly caches: CacheKeeper
  readonly plugins: PluginLoader
  readonly maxClientsFor: (workers: number) => number
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
  readonly drainMs?: number | undefined
  /** Unix sockets that a thread opens when it starts, by listener. */
  readonly unixSockets: (worker: number) => string[]
  /** What a thread that joins starts with; null = what is in force by now. */
  readonly joinsWith: (slot: WorkerSlot) => Snapshot | null
  /** A thread that runs what is in force is about to start. */
  readonly onStart: (slot: WorkerSlot) => void
  readonly onMainPlane: (own: MainPlane) => void
  readonly onMessage: (worker: number, message: FromWorker) => void
  readonly onDeath: (slot: WorkerSlot, reason: string) => void
  /** It has nothing to do any more. */
  readonly onLeft: (worker: number) => void
  /** Its lane is anybody's. */
  readonly onGone: (worker: number) => void
}

export class Roster {
  /** By lane. */
  readonly slots = new Map<number, WorkerSlot>()
  /** What the thread of a slot runs. */
  readonly runs = new Map<number, Snapshot>()
  /** In the main thread: where there are no workers, and for connections that cannot be handed to one. */
  plane: MainPlane | null = null
  readonly #o: RosterOptions
  /** Former ones, whose connections end. */
  readonly #oldPlanes = new Set<MainPlane>()
  /** Ends of what leaves, by lane. */
  readonly #graces = new Map<number, NodeJS.Timeout>()
  readonly #addresses = new Map<Slot, readonly string[]>()
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()

  constructor(options: RosterOptions) {
    this.#o = options
  }

  /** A thread that is to join is none before it listens. */
  workers(): WorkerInfo[] {
    const threads = [...this.slots.values()].filter(({ phase }) => phase !== 'joining')
    const planes = this.planes().map(({ id, state }) => ({ id, state, restarts: 0, main: true as const }))
    return [...threads.map(({ id, state, restarts }) => ({ id, state, restarts })), ...planes]
  }

  planes(): MainPlane[] {
    return this.plane === null ? [...this.#oldPlanes] : [this.plane, ...this.#oldPlanes]
  }

  /** Lanes of all that run something now: what joins and what is dead does not. */
  running(): number[] {
    const threads = [...this.slots.values()].filter(({ phase, state }) => phase !== 'joining' && state !== 'dead')
    return [...threads, ...this.planes()].map(({ id }) => id)
  }

  /** Threads that are to stay. */
  serving(): WorkerSlot[] {
    return [...this.slots.values()].filter(({ phase }) => phase === 'serving')
  }

  /** All that a change goes to. */
  members(): Member[] {
    const threads = [...this.slots.values()].filter(({ phase }) => phase === 'serving' || phase === 'leaving')
    return [...threads, ...this.planes().filter(({ ending }) => !ending)]
  }

  runsOf(member: Member): Snapshot {
    return member instanceof MainPlane ? member.plane.snapshot : this.runs.get(member.id)!
  }

  /** @throws RangeError when there is no lane for it. */
  addThread(phase: WorkerSlot['phase']): WorkerSlot {
    const id = this.#freeLane()
    const slot = new WorkerSlot({
      id,
      data: () => this.#dataOf(slot),
      onMessage: (_, message) => this.#o.onMessage(id, message),
      onDeath: (_, reason) => this.#o.onDeath(slot, reason),
    })
    slot.phase = phase
    this.slots.set(id, slot)
    return slot
  }

  #dataOf(slot: WorkerSlot) {
    const { state, inForce, caches, maxClientsFor, drainMs, joinsWith, onStart, unixSockets } = this.#o
    const next = slot.phase === 'joining' ? joinsWith(slot) : null
    const snapshot = next ?? inForce.snapshot!
    this.runs.set(slot.id, snapshot)
    // It can be told of what goes on as soon as it exists.
    if (next === null) queueMicrotask(() => onStart(slot))
    return {
      workerId: slot.id,
      buffer: state.buffer,
      snapshot,
      cache: next === null ? caches.current : caches.upcoming,
      maxClients: maxClientsFor(inForce.workers),
      addresses: [...this.#addresses],
      ticketKeys: this.#ticketKeys,
      unixSockets: unixSockets(slot.id),
      waits: next !== null,
      drainMs,
    }
  }

  /** What leaves keeps its lane until it has gone. */
  #freeLane(): number {
    const { state } = this.#o
    const taken = new Set([...this.slots.keys(), ...this.planes().map(({ id }) => id)])
    let lane = 0
    while (taken.has(lane)) lane++
    const most = state.sizes.workers
    if (lane >= most) {
      throw new RangeError(`there is room for ${most} workers, with those that are leaving, until a restart`)
    }
    state.useLane(lane)
    return lane
  }

  /** The main thread's plane, made when it is first asked for. Throws where its plug-ins are not loaded. */
  ownPlane(): MainPlane {
    if (this.plane !== null) return this.plane
    const { state, inForce, caches, maxClientsFor, plugins, onExchange, onMessage, onMainPlane, drainMs } = this.#o
    const own = new MainPlane({
      workerId: this.#freeLane(),
      buffer: state.buffer,
      maxClients: maxClientsFor(inForce.workers),
      // Threads may come to share its addresses.
      reusePort: canReusePort,
      drainMs,
      plugins,
      onExchange,
      onMessage: ({ id }, message) => onMessage(id, message),
    })
    try {
      const snapshot = inForce.snapshot!
      const registry = plugins.find(snapshot.plugins) ?? notLoaded(snapshot.plugins)
      own.plane.apply(snapshot, registry, caches.current)
    } catch (error) {
      void own.close()
      throw error
    }
    for (const [slot, addresses] of this.#addresses) own.plane.setAddresses(slot, addresses)
    own.plane.setTicketKeys(this.#ticketKeys)
    this.plane = own
    onMainPlane(own)
    return own
  }

  // --- what holds for all ---

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#addresses.set(slot, addresses)
    this.broadcast({ type: 'addresses', slot, addresses })
  }

  cutBackend(slot: Slot): void {
    this.#addresses.delete(slot)
    this.broadcast({ type: 'cut', slot })
  }

  /** By listener: what session tickets are sealed with from now on, in every worker. */
  setTicketKeys(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#ticketKeys = keys
    this.broadcast({ type: 'ticket-keys', keys })
  }

  broadcast(message: ToWorker): void {
    this.tell(message, new Set())
  }

  /** To all; those that will answer are added to `waiting` first. */
  tell(message: ToWorker, waiting: Set<number>): void {
    for (const member of [...this.slots.values(), ...this.planes()]) {
      waiting.add(member.id)
      if (!member.post(message)) waiting.delete(member.id)
    }
  }

  // --- leaving ---

  /** It accepts who is in its queue, and ends when its connections have, or after the time of grace. */
  leave(member: WorkerSlot | MainPlane, graceMs: number): void {
    if (member instanceof MainPlane) {
      member.state = 'draining'
      this.#oldPlanes.add(member)
      if (this.plane === member) this.plane = null
    } else {
      member.phase = 'leaving'
      member.retire()
    }
    this.#graces.set(
      member.id,
      setTimeout(() => this.endLeaving(member.id), Math.min(graceMs, LONGEST_TIMER_MS)),
    )
    // One that is dead just now has nothing to finish.
    if (!member.post({ type: 'retire' })) this.endLeaving(member.id)
  }

  /** One that leaves has nothing left to do, or no time. Of others nothing happens. */
  endLeaving(worker: number): void {
    if (!this.#graces.has(worker)) return
    clearTimeout(this.#graces.get(worker))
    this.#graces.delete(worker)
    this.#o.onLeft(worker)
    for (const plane of this.#oldPlanes) if (plane.id === worker) this.endPlane(plane)
    const slot = this.slots.get(worker)
    if (slot === undefined) return
    slot.phase = 'ending'
    void endThread(slot).then(() => this.#forget(slot))
  }

  /** Ends a thread that never served. */
  async dismiss(slot: WorkerSlot): Promise<void> {
    await slot.stop(true)
    this.#forget(slot)
  }

  endPlane(plane: MainPlane): void {
    if (this.plane === plane) this.plane = null
    plane.ending = true
    this.#oldPlanes.add(plane)
    void plane.close().then(() => {
      this.#oldPlanes.delete(plane)
      this.reclaim(plane.id)
      this.#o.onGone(plane.id)
    })
  }

  #forget(slot: WorkerSlot): void {
    if (!this.slots.delete(slot.id)) return
    this.runs.delete(slot.id)
    this.reclaim(slot.id)
    this.#o.onGone(slot.id)
  }

  /** Whoever was in this lane has ended: what it held of shared memory is given back. */
  reclaim(lane: number): void {
    this.#o.state.reclaimWorker(lane)
    this.#o.caches.reclaim(lane)
  }

  /** Ends all, closing what is still open. */
  async stop(): Promise<void> {
    for (const grace of this.#graces.values()) clearTimeout(grace)
    this.#graces.clear()
    await Promise.all(this.planes().map((plane) => plane.close()))
    await Promise.all([...this.slots.values()].map(endThread))
  }
}

/** What Node's timers take. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** In peace, or by force if that takes too long. */
async function endThread(slot: WorkerSlot): Promise<void> {
  const force = setTimeout(() => void slot.stop(true), 1000)
  await slot.stop(false)
  clearTimeout(force)
}

function notLoaded(plugins: Snapshot['plugins']): never {
  throw new Error(`plug-ins are not loaded: ${plugins.map(({ label }) => label).join(', ')}`)
}
