// Changes of what the crew runs, one at a time: addresses looked at, workers asked, and then all of it in force or none.
import type { Prepared } from '../control/port.ts'
import type { Log } from '../core/log.ts'
import type { Snapshot } from '../core/spec.ts'
import type { PluginLoader } from '../plugins/plugin-loader.ts'
import { placeOf } from '../worker/listening-sockets.ts'
import type { PrepareFailure } from '../worker/protocol.ts'
import { sharing } from '../worker/snapshot-delta.ts'
import { listenerNews } from './bound-listener.ts'
import type { CacheKeeper } from './cache-keeper.ts'
import type { InheritedListeners } from './inherited-listeners.ts'
import type { Assignment } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { type ListenerPlaces, type PlacePlan, withPorts } from './listener-places.ts'
import { LiveChange, type Member } from './live-change.ts'
import type { MainPlane } from './main-plane.ts'
import type { InForce, Roster } from './roster.ts'
import type { SocketKeepers } from './socket-keepers.ts'
import type { TicketKeys } from './ticket-keys.ts'
import type { WorkerSlot } from './worker-slot.ts'

export interface CrewChangesOptions {
  readonly bind: boolean
  readonly log: Log
  readonly inForce: InForce
  readonly caches: CacheKeeper
  readonly roster: Roster
  readonly plugins: PluginLoader
  readonly places: ListenerPlaces
  readonly inherited: InheritedListeners
  readonly keepers: SocketKeepers
  readonly tickets: TicketKeys
  readonly workersFor: (configured: Snapshot['workers']) => number
  readonly maxClientsFor: (workers: number) => number
  readonly onCommit: (snapshot: Snapshot) => void
  readonly rollOutMs?: number | undefined
}

/** Longer than the import of a plug-in may take, which has a better message. */
const ROLL_OUT_MS = 15_000
/** How long the next keeper of a Unix socket may take before the one that leaves closes it. */
const TAKE_OVER_MS = 2000

/** Who comes and who goes. */
interface Staff {
  readonly workers: number
  readonly joining: readonly WorkerSlot[]
  readonly leaving: readonly (WorkerSlot | MainPlane)[]
  /** The main thread's plane begins to listen. */
  readonly mainJoins: MainPlane | null
  /** Which Unix socket is whose then, by listener. */
  readonly keepers: ReadonlyMap<string, number>
}

/** A change that all workers have made ready. */
interface ReadyChange extends Staff {
  readonly live: LiveChange
  readonly places: PlacePlan
  readonly inherited: Assignment
}

export class CrewChanges {
  readonly #o: CrewChangesOptions
  /** The one under way. */
  live: LiveChange | null = null
  /** From the first look at a change until it is in force or given up. */
  #isBusy = false
  #count = 0
  /** Those that the change in force is about to take away. */
  #departing: ReadonlySet<number> = new Set()
  /** Called when the keeper of a Unix socket has it, or cannot. */
  readonly #takingOver = new Map<string, () => void>()

  constructor(options: CrewChangesOptions) {
    this.#o = options
  }

  /** As `ControlPort.prepare`. */
  async prepare(wanted: Snapshot): Promise<Prepared> {
    if (this.#isBusy) throw new Error('another change is under way')
    this.#isBusy = true
    try {
      const change = await this.#makeReady(wanted)
      return { commit: () => this.#commit(change), abandon: () => this.#abandon(change) }
    } catch (error) {
      this.#o.caches.abandon()
      this.#isBusy = false
      throw error
    }
  }

  /** What a thread that joins starts with until the change is in force. */
  joinsWith(): Snapshot | null {
    return this.live === null || this.live.next === this.#o.inForce.snapshot ? null : this.live.next
  }

  /** Whether a worker that still serves is about to leave: nothing is to be given to it. */
  isDeparting(worker: number): boolean {
    return this.#departing.has(worker)
  }

  /** Somebody has the Unix socket of this listener now, or cannot get it. */
  kept(listener: string): void {
    this.#takingOver.get(listener)?.()
  }

  async #makeReady(wanted: Snapshot): Promise<ReadyChange> {
    const {
      bind,
      caches,
      inForce,
      inherited,
      maxClientsFor,
      places,
      rollOutMs = ROLL_OUT_MS,
      roster,
      tickets,
    } = this.#o
    const running = inForce.snapshot!
    const sockets = inherited.plan(wanted.listeners)
    const plan = await places.plan(wanted.listeners, bind)
    const next = sharing(running, withPorts(wanted, plan))
    const cache = await caches.prepare(next)
    const staff = this.#planStaff(next)
    const unixSockets = this.#socketsToOpen(running, next, staff)
    // A new listener's tickets are sealed with a key that every worker has.
    tickets.update([...running.listeners, ...next.listeners])
    const live = new LiveChange({
      id: ++this.#count,
      next,
      cache,
      maxClients: maxClientsFor(staff.workers),
      limitMs: rollOutMs,
      unixSockets,
      runs: (member) => roster.runsOf(member),
      errorOf: (member, failure) => prepareError(next, member, failure),
      giveUp: (member, reason) => this.#giveUp(member, reason),
    })
    this.live = live
    const change = { live, places: plan, inherited: sockets, ...staff }
    try {
      await live.prepare(roster.members(), staff.joining)
      return change
    } catch (error) {
      await this.#abandon(change)
      throw error
    }
  }

  #planStaff(next: Snapshot): Staff {
    const { inForce, keepers, roster, workersFor } = this.#o
    const workers = next.workers === inForce.snapshot!.workers ? inForce.workers : workersFor(next.workers)
    const serving = roster.serving()
    const mainLeaves = inForce.workers === 0 && workers > 0 ? roster.plane : null
    const mainJoins = inForce.workers > 0 && workers === 0 ? roster.ownPlane() : null
    const joining = this.#join(workers - serving.length)
    const threadsLeave = serving.slice(workers)
    const staying = workers === 0 ? [roster.ownPlane().id] : serving.slice(0, workers).map(({ id }) => id)
    const plan = keepers.plan(
      next.listeners,
      staying.length > 0 ? staying : joining.map(({ id }) => id),
      inForce.snapshot!.listeners,
    )
    const leaving = mainLeaves === null ? threadsLeave : [...threadsLeave, mainLeaves]
    return { workers, joining, leaving, mainJoins, keepers: plan }
  }

  /** Threads that are not started yet; none where there is no room for all of them. */
  #join(count: number): WorkerSlot[] {
    const { roster } = this.#o
    const joining: WorkerSlot[] = []
    try {
      while (joining.length < count) joining.push(roster.addThread('joining'))
      return joining
    } catch (error) {
      for (const { id } of joining) roster.slots.delete(id)
      throw error
    }
  }

  /**
   * The Unix sockets that a member opens when it makes the change ready, or joins: those that nobody has. One that is there stays
   * with whoever has it, or is taken over from who leaves, even if its keeper dies meanwhile.
   */
  #socketsToOpen(running: Snapshot, next: Snapshot, { keepers }: Staff): (member: number) => string[] {
    const open = new Set(running.listeners.map(placeOf))
    const isNew = new Map(next.listeners.map((spec) => [spec.name, !open.has(placeOf(spec))]))
    return (member) =>
      [...keepers].filter(([name, keeper]) => keeper === member && isNew.get(name)).map(([name]) => name)
  }

  /** Who accepts from the Unix socket of a listener now. */
  #keeperOf(listener: string): number | undefined {
    const { inForce, keepers, roster } = this.#o
    return inForce.workers === 0 ? roster.plane?.id : keepers.keeperOf(listener)
  }

  async #commit(change: ReadyChange): Promise<void> {
    const { live, workers, joining, leaving, mainJoins } = change
    const { caches, inForce, inherited, keepers, log, onCommit, places, plugins, roster, tickets } = this.#o
    const { next } = live
    const before = inForce.snapshot!
    const moves = [...change.keepers].filter(([name, to]) => this.#isTakenOver(before, next, name, { to, leaving }))
    places.adopt(change.places)
    this.#departing = new Set(leaving.map(({ id }) => id))
    inForce.snapshot = next
    inForce.workers = workers
    caches.adopt(roster.running())
    keepers.adopt(workers === 0 ? new Map() : change.keepers)
    await live.commit(roster.members(), mainJoins === null ? joining : [...joining, mainJoins])
    for (const slot of joining) slot.phase = 'serving'
    await inherited.adopt(next.listeners, change.inherited).catch((error: Error) => {
      log.event('error', 'listen_failed', error.message)
    })
    await Promise.all(moves.map(([listener, to]) => this.#takeOver(listener, to)))
    for (const member of leaving) roster.leave(member, next.graceMs)
    this.#departing = new Set()
    tickets.update(next.listeners)
    caches.settle()
    plugins.settle(next.plugins)
    this.#done()
    this.#tellNews(before, change)
    onCommit(next)
  }

  #isTakenOver(
    before: Snapshot,
    next: Snapshot,
    name: string,
    { to, leaving }: { readonly to: number; readonly leaving: readonly Member[] },
  ): boolean {
    const place = placeOf(next.listeners.find((spec) => spec.name === name)!)
    const known = before.listeners.find((spec) => spec.socketPath !== null && placeOf(spec) === place)
    const from = known && this.#keeperOf(known.name)
    return from !== to && leaving.some(({ id }) => id === from)
  }

  async #abandon({ live, joining, mainJoins }: ReadyChange): Promise<void> {
    const { caches, inForce, inherited, roster, tickets } = this.#o
    await live.abandon(roster.members())
    await Promise.all(joining.map((slot) => roster.dismiss(slot)))
    const { listeners } = inForce.snapshot!
    const isNeeded = listeners.some(({ name }) => inherited.addresses(name).includes(null))
    if (mainJoins !== null && !isNeeded) roster.endPlane(mainJoins)
    tickets.update(listeners)
    caches.abandon()
    this.#done()
  }

  #done(): void {
    this.live = null
    this.#isBusy = false
  }

  #giveUp(worker: number, reason: string): boolean {
    const { log, roster } = this.#o
    log.event('error', 'worker_hangs', `worker ${worker}: ${reason}`, { worker, reason })
    const slot = roster.slots.get(worker)
    slot?.replace(reason)
    return slot !== undefined
  }

  /** The socket's name goes from one keeper to another; nobody finds it without one. */
  async #takeOver(listener: string, to: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#takingOver.set(listener, resolve)
    const late = setTimeout(resolve, TAKE_OVER_MS)
    const member = this.#o.roster.members().find(({ id }) => id === to)
    if (!member?.post({ type: 'keep', listener, isLive: true })) resolve()
    await promise
    clearTimeout(late)
    this.#takingOver.delete(listener)
  }

  #tellNews(before: Snapshot, { live, joining, leaving, mainJoins, workers }: ReadyChange): void {
    const { log } = this.#o
    for (const line of listenerNews(before.listeners, live.next.listeners)) log.event('info', 'listeners_changed', line)
    if (joining.length + leaving.length === 0 && mainJoins === null) return
    const what =
      workers === 0 ? 'the main thread serves' : workers === 1 ? '1 worker serves' : `${workers} workers serve`
    const rest = leaving.length === 0 ? '' : '; those that leave finish what they have'
    log.event('info', 'workers_changed', `${what} from now on${rest}`, { workers })
  }
}

function prepareError(next: Snapshot, member: number, { message, listener, code }: PrepareFailure): Error {
  const spec = next.listeners.find(({ name }) => name === listener)
  if (spec === undefined) return new Error(`worker ${member}: ${message}`)
  return new ListenError(code, spec, `${code} (worker ${member})`)
}
