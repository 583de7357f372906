// All data planes of the process: threads, and the main thread's own one. Rolls snapshots out, grows and shrinks, drains.
import type { Socket } from 'node:net'
import { ConfigError } from '../config/problem.ts'
import type { EventSink } from '../control/events.ts'
import { formatDuration } from '../control/format-duration.ts'
import type { BackendFailure, Prepared, WorkerInfo } from '../control/port.ts'
import type { ErrorName } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ListenerSpec, Slot, Snapshot } from '../core/spec.ts'
import { canReusePort, type SocketKind } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import type { SpanBatch } from '../observe/tracing/tracer.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import type { OwnerState } from '../state/owner-state.ts'
import { placeOf } from '../worker/listening-sockets.ts'
import type { OpenError } from '../worker/open-error.ts'
import type { FromWorker, PrepareFailure, ToWorker } from '../worker/protocol.ts'
import { sharing } from '../worker/snapshot-delta.ts'
import { type BoundListener, boundListener, listenerNews } from './bound-listener.ts'
import { Follows } from './follows.ts'
import { InheritedListeners } from './inherited-listeners.ts'
import type { Assignment, Inheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { ListenerPlaces, type PlacePlan, withPorts } from './listener-places.ts'
import { LiveChange, type Member } from './live-change.ts'
import { MainPlane } from './main-plane.ts'
import { SocketKeepers } from './socket-keepers.ts'
import { TicketKeys } from './ticket-keys.ts'
import { logNews } from './worker-news.ts'
import { WorkerSlot } from './worker-slot.ts'

export interface CrewOptions {
  /** Threads for what a snapshot says of them; 0 = one plane in this thread. */
  readonly workersFor: (configured: Snapshot['workers']) => number
  /** False = nothing is listened on: connections come by `serve`. Only without workers. Default true. */
  readonly bind?: boolean
  /** What was passed to this process at its start. */
  readonly inheritance: Inheritance
  readonly state: OwnerState
  readonly log: Log
  /** Told of workers that serve again; default: nobody is. */
  readonly events?: EventSink
  /** Of each plane, where there are so many workers. */
  readonly maxClientsFor: (workers: number) => number
  readonly onFailure: (failure: BackendFailure) => void
  readonly onAccess: (lines: string) => void
  readonly onSpans: (batch: SpanBatch) => void
  /** A snapshot is in force. */
  readonly onCommit?: (snapshot: Snapshot) => void
  /** Of the main thread's plane alone; see DataPlaneOptions. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
  /** A worker that has not made a change ready, or swapped, after so long hangs; default 15 s. */
  readonly rollOutMs?: number | undefined
  /** As DataPlaneOptions has it. */
  readonly drainMs?: number | undefined
}

/** Longer than the import of a plug-in may take, which has a better message. */
const ROLL_OUT_MS = 15_000
/** How long the next keeper of a Unix socket may take before the one that leaves closes it. */
const TAKE_OVER_MS = 2000
/** A worker that dies so often before it listens will not get better by itself. */
const MAX_FALSE_STARTS = 3

/** A change that all workers have made ready. */
interface ReadyChange {
  readonly live: LiveChange
  readonly places: PlacePlan
  readonly inherited: Assignment
  readonly keepers: ReadonlyMap<string, number>
  readonly workers: number
  readonly joining: readonly WorkerSlot[]
  readonly leaving: readonly (WorkerSlot | MainPlane)[]
  /** The main thread's plane begins to listen. */
  readonly mainJoins: MainPlane | null
}

export class Crew {
  /** Of the main thread: what reading the configuration has imported already. */
  readonly plugins = new PluginLoader()
  /** Who follows exchanges live. */
  readonly follows = new Follows({ tell: (message, waiting) => this.#tell(message, waiting) })
  readonly #options: CrewOptions
  /** By lane. */
  readonly #slots = new Map<number, WorkerSlot>()
  /** What the thread of a slot runs. */
  readonly #runs = new Map<number, Snapshot>()
  readonly #addresses = new Map<Slot, readonly string[]>()
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()
  readonly #tickets = new TicketKeys((keys) => this.#setTicketKeys(keys))
  readonly #places = new ListenerPlaces()
  readonly #keepers = new SocketKeepers({
    running: () => [...this.#slots.values()].filter(isServing).map(({ id }) => id),
    takeOver: (worker, listener) => this.#slots.get(worker)!.post({ type: 'keep', listener, isLive: false }),
  })
  /** Called when the keeper of a Unix socket has it, or cannot. */
  readonly #takingOver = new Map<string, () => void>()
  readonly #inherited: InheritedListeners
  /** In the main thread: where there are no workers, and for connections that cannot be handed to one. */
  #plane: MainPlane | null = null
  /** Former ones, whose connections end. */
  readonly #oldPlanes = new Set<MainPlane>()
  #snapshot: Snapshot | null = null
  #workers = 0
  #change: LiveChange | null = null
  /** From the first look at a change until it is in force or given up. */
  #isChanging = false
  #changes = 0
  /** Ends of what leaves, by lane. */
  readonly #graces = new Map<number, NodeJS.Timeout>()
  /** Whose turn it is to get a connection. */
  #turn = 0
  #draining = false
  /** Why is known; the deaths of threads that follow from it are no news. */
  #startFailed = false
  #undrained = new Set<number>()
  #resolveDrained: () => void = () => {}
  #started: { resolve: () => void; reject: (error: Error) => void; waiting: Set<number> } | null = null

  constructor(options: CrewOptions) {
    this.#options = options
    this.#inherited = new InheritedListeners({
      inheritance: options.inheritance,
      deliver: (listener, socket, kind) => this.#deliver(listener, socket, kind),
      onFailure: ({ row }) => this.#ownPlane().plane.state.connectionRejected(row, 'fd'),
    })
  }

  /** Starts every worker; resolves when all listen, rejects with ListenError when one cannot. */
  async start(wanted: Snapshot): Promise<void> {
    const { bind = true, log, workersFor } = this.#options
    const inherited = this.#inherited.plan(wanted.listeners)
    for (const { fd, name } of inherited.unused) {
      log.event('warn', 'unused_socket', `no listener asks for the socket ${name} (file descriptor ${fd})`, {
        fd,
        name,
      })
    }
    const places = await this.#places.plan(wanted.listeners, bind)
    this.#places.adopt(places)
    const snapshot = withPorts(wanted, places)
    this.#snapshot = snapshot
    this.#tickets.update(snapshot.listeners)
    this.#workers = workersFor(snapshot.workers)
    if (this.#workers === 0) await this.#startMain(bind)
    else await this.#startThreads(snapshot)
    await this.#inherited.adopt(snapshot.listeners, inherited)
    // Made now, while its failure is a failure to start.
    if (snapshot.listeners.some(({ name }) => this.#inherited.addresses(name).includes(null))) this.#ownPlane()
  }

  async #startMain(bind: boolean): Promise<void> {
    const { plane } = this.#ownPlane()
    if (!bind) return
    await plane.listen().catch((error: OpenError) => {
      throw this.#listenError(error)
    })
  }

  async #startThreads({ listeners }: Snapshot): Promise<void> {
    const slots = Array.from({ length: this.#workers }, () => this.#createSlot('serving'))
    const ids = slots.map(({ id }) => id)
    this.#keepers.adopt(this.#keepers.plan(listeners, ids))
    await new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject, waiting: new Set(ids) }
      for (const slot of slots) slot.start()
    })
    this.#started = null
  }

  /** Where the listeners are bound now. */
  listeners(): BoundListener[] {
    return this.#snapshot!.listeners.map((spec) => boundListener(spec, this.#inherited.addresses(spec.name)))
  }

  /** The port that a listener has; undefined = there is no such listener, or it has none. */
  portOf(listener: string): number | undefined {
    return this.#places.portOf(listener)
  }

  get workerCount(): number {
    return this.#workers
  }

  /** Serves a connection in the main thread. False = it is turned away, by a limit or because of a drain. */
  serve(listener: string, arrival: Arrival): boolean {
    return this.#ownPlane().plane.serve(listener, arrival)
  }

  /** A thread that is to join is none before it listens. */
  workers(): WorkerInfo[] {
    const threads = [...this.#slots.values()].filter(({ phase }) => phase !== 'joining')
    const planes = this.#planes().map(({ id, state }) => ({ id, state, restarts: 0, main: true as const }))
    return [...threads.map(({ id, state, restarts }) => ({ id, state, restarts })), ...planes]
  }

  #planes(): MainPlane[] {
    return this.#plane === null ? [...this.#oldPlanes] : [this.#plane, ...this.#oldPlanes]
  }

  // --- changes ---

  /** As `ControlPort.prepare`. */
  async prepare(wanted: Snapshot): Promise<Prepared> {
    if (this.#draining) throw new Error('the process is about to end')
    if (this.#isChanging) throw new Error('another change is under way')
    this.#isChanging = true
    try {
      const change = await this.#makeReady(wanted)
      return { commit: () => this.#commit(change), abandon: () => this.#abandon(change) }
    } catch (error) {
      this.#isChanging = false
      throw error
    }
  }

  async #makeReady(wanted: Snapshot): Promise<ReadyChange> {
    const { bind = true, maxClientsFor, rollOutMs = ROLL_OUT_MS } = this.#options
    const running = this.#snapshot!
    const inherited = this.#inherited.plan(wanted.listeners)
    const places = await this.#places.plan(wanted.listeners, bind)
    const next = sharing(running, withPorts(wanted, places))
    const staff = this.#planStaff(next)
    // A new listener's tickets are sealed with a key that every worker has.
    this.#tickets.update([...running.listeners, ...next.listeners])
    const moved = (name: string): boolean => this.#isMoved(running, next, name)
    const live = new LiveChange({
      id: ++this.#changes,
      next,
      maxClients: maxClientsFor(staff.workers),
      limitMs: rollOutMs,
      // What another one listens on is taken over when that one leaves.
      unixSockets: (member) =>
        namesOf(staff.keepers, member).filter((name) => staff.stays(name, member) || moved(name)),
      runs: (member) => this.#runsOf(member),
      errorOf: (member, failure) => this.#prepareError(next, member, failure),
      giveUp: (member, reason) => this.#giveUp(member, reason),
    })
    this.#change = live
    const change = { live, places, inherited, ...staff }
    try {
      for (const slot of staff.joining) this.#slots.set(slot.id, slot)
      await live.prepare(this.#members(), staff.joining)
      return change
    } catch (error) {
      await this.#abandon(change)
      throw error
    }
  }

  /** Who comes and who goes, and which Unix socket is whose then. */
  #planStaff(next: Snapshot) {
    const { workersFor } = this.#options
    const workers = next.workers === this.#snapshot!.workers ? this.#workers : workersFor(next.workers)
    const serving = [...this.#slots.values()].filter(({ phase }) => phase === 'serving')
    const joining: WorkerSlot[] = []
    try {
      while (serving.length + joining.length < workers) joining.push(this.#createSlot('joining', next))
    } finally {
      // They count as there only when all of them could be thought of.
      for (const { id } of joining) this.#slots.delete(id)
    }
    const threadsLeave = serving.slice(workers)
    const mainLeaves = this.#workers === 0 && workers > 0 ? this.#plane : null
    const mainJoins = this.#workers > 0 && workers === 0 ? this.#ownPlane() : null
    const staying = workers === 0 ? [(mainJoins ?? this.#ownPlane()).id] : serving.slice(0, workers).map(({ id }) => id)
    const keepers = this.#keepers.plan(next.listeners, staying.length > 0 ? staying : joining.map(({ id }) => id))
    const leaving = mainLeaves === null ? threadsLeave : [...threadsLeave, mainLeaves]
    const left = new Set(leaving.map(({ id }) => id))
    const keepersNow = new Map(next.listeners.map(({ name }) => [name, this.#keeperOf(name)]))
    const stays = (name: string, member: number): boolean => {
      const now = keepersNow.get(name)
      return now === undefined || now === member || !left.has(now)
    }
    return { workers, joining, leaving, mainJoins, keepers, stays }
  }

  /** Who accepts from the Unix socket of a listener now. */
  #keeperOf(listener: string): number | undefined {
    return this.#workers === 0 ? this.#plane?.id : this.#keepers.keeperOf(listener)
  }

  /** A Unix socket that is opened at another path than before is nobody's yet. */
  #isMoved(running: Snapshot, next: Snapshot, name: string): boolean {
    const of = ({ listeners }: Snapshot): string => {
      const spec = listeners.find((listener) => listener.name === name)
      return spec === undefined ? '' : placeOf(spec)
    }
    return of(running) !== of(next)
  }

  #prepareError(next: Snapshot, member: number, { message, listener, code }: PrepareFailure): Error {
    const spec = next.listeners.find(({ name }) => name === listener)
    if (spec === undefined) return new Error(`worker ${member}: ${message}`)
    return new ListenError(code, spec, `${code} (worker ${member})`)
  }

  async #commit(change: ReadyChange): Promise<void> {
    const { live, places, inherited, keepers, workers, joining, leaving, mainJoins } = change
    const { next } = live
    const before = this.#snapshot!
    const moves = [...keepers].filter(([name, to]) => this.#isTakenOver(before, next, name, to, leaving))
    this.#places.adopt(places)
    this.#snapshot = next
    this.#keepers.adopt(workers === 0 ? new Map() : keepers)
    this.#workers = workers
    await live.commit(this.#members(), mainJoins === null ? joining : [...joining, mainJoins])
    for (const slot of joining) slot.phase = 'serving'
    await this.#inherited.adopt(next.listeners, inherited).catch((error: Error) => {
      this.#options.log.event('error', 'listen_failed', error.message)
    })
    await Promise.all(moves.map(([listener, to]) => this.#takeOver(listener, to)))
    for (const member of leaving) this.#leave(member, next.graceMs)
    this.#tickets.update(next.listeners)
    this.plugins.settle(next.plugins)
    this.#change = null
    this.#isChanging = false
    this.#tellNews(before, next, change)
    this.#options.onCommit?.(next)
  }

  #isTakenOver(before: Snapshot, next: Snapshot, name: string, to: number, leaving: readonly Member[]): boolean {
    const from = this.#keeperOf(name)
    const known = before.listeners.some((listener) => listener.name === name && listener.socketPath !== null)
    return known && from !== to && leaving.some(({ id }) => id === from) && !this.#isMoved(before, next, name)
  }

  #tellNews(before: Snapshot, next: Snapshot, { joining, leaving, workers }: ReadyChange): void {
    const { log } = this.#options
    for (const line of listenerNews(before.listeners, next.listeners)) log.event('info', 'listeners_changed', line)
    if (joining.length + leaving.length === 0) return
    const what =
      workers === 0 ? 'the main thread serves' : workers === 1 ? '1 worker serves' : `${workers} workers serve`
    const rest = leaving.length === 0 ? '' : '; those that leave finish what they have'
    log.event('info', 'workers_changed', `${what} from now on${rest}`, { workers })
  }

  async #abandon({ live, joining, mainJoins }: ReadyChange): Promise<void> {
    await live.abandon(this.#members())
    await Promise.all(
      joining.map(async (slot) => {
        await slot.stop(true)
        this.#forget(slot)
      }),
    )
    if (mainJoins !== null && this.#inheritsNoUnix()) this.#endPlane(mainJoins)
    this.#tickets.update(this.#snapshot!.listeners)
    this.#change = null
    this.#isChanging = false
  }

  #inheritsNoUnix(): boolean {
    return !this.#snapshot!.listeners.some(({ name }) => this.#inherited.addresses(name).includes(null))
  }

  /** Threads that do not run just now are none: they start with what is in force by then. */
  #members(): Member[] {
    const threads = [...this.#slots.values()].filter(({ phase }) => phase === 'serving' || phase === 'leaving')
    return [...threads, ...this.#planes().filter(({ ending }) => !ending)]
  }

  #runsOf(member: Member): Snapshot {
    return member instanceof MainPlane ? member.plane.snapshot : this.#runs.get(member.id)!
  }

  #giveUp(worker: number, reason: string): boolean {
    const { log } = this.#options
    log.event('error', 'worker_hangs', `worker ${worker}: ${reason}`, { worker, reason })
    const slot = this.#slots.get(worker)
    slot?.replace(reason)
    return slot !== undefined
  }

  /** The socket's name goes from one keeper to another; nobody finds it without one. */
  async #takeOver(listener: string, to: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#takingOver.set(listener, resolve)
    const late = setTimeout(resolve, TAKE_OVER_MS)
    const member = this.#members().find(({ id }) => id === to)
    if (!member?.post({ type: 'keep', listener, isLive: true })) resolve()
    await promise
    clearTimeout(late)
    this.#takingOver.delete(listener)
  }

  /** It accepts who is in its queue, and ends when its connections have, or after the time of grace. */
  #leave(member: WorkerSlot | MainPlane, graceMs: number): void {
    if (member instanceof MainPlane) {
      member.state = 'draining'
      this.#oldPlanes.add(member)
      if (this.#plane === member) this.#plane = null
    } else {
      member.phase = 'leaving'
      member.retire()
    }
    this.#graces.set(
      member.id,
      setTimeout(() => this.#endLeaving(member), Math.min(graceMs, 2 ** 31 - 1)),
    )
    // One that is dead just now has nothing to finish.
    if (!member.post({ type: 'retire' })) this.#endLeaving(member)
  }

  #endLeaving(member: WorkerSlot | MainPlane): void {
    clearTimeout(this.#graces.get(member.id))
    this.#graces.delete(member.id)
    this.#change?.left(member.id)
    if (member instanceof MainPlane) {
      this.#endPlane(member)
      return
    }
    member.phase = 'ending'
    void endThread(member).then(() => this.#forget(member))
  }

  #endPlane(plane: MainPlane): void {
    if (this.#plane === plane) this.#plane = null
    plane.ending = true
    this.#oldPlanes.add(plane)
    void plane.close().then(() => {
      this.#oldPlanes.delete(plane)
      this.#options.state.reclaimWorker(plane.id)
      this.#drained(plane.id)
    })
  }

  /** Its lane is anybody's. */
  #forget(slot: WorkerSlot): void {
    if (!this.#slots.delete(slot.id)) return
    this.#runs.delete(slot.id)
    this.#options.state.reclaimWorker(slot.id)
    this.#drained(slot.id)
  }

  // --- what holds for all ---

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#addresses.set(slot, addresses)
    this.#broadcast({ type: 'addresses', slot, addresses })
  }

  /** By listener: what session tickets are sealed with from now on, in every worker. */
  #setTicketKeys(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#ticketKeys = keys
    this.#broadcast({ type: 'ticket-keys', keys })
  }

  cutBackend(slot: Slot): void {
    this.#addresses.delete(slot)
    this.#broadcast({ type: 'cut', slot })
  }

  /** Resolves when the last connection of every worker has gone. */
  async drain(): Promise<void> {
    this.#keepers.stop()
    // Before the workers are told, so that they have got by then what has been accepted.
    await this.#inherited.drain()
    this.#draining = true
    return new Promise((resolve) => {
      this.#resolveDrained = resolve
      const alive = this.workers().filter(({ state }) => state !== 'dead')
      this.#undrained = new Set(alive.map(({ id }) => id))
      if (this.#undrained.size === 0) resolve()
      for (const slot of this.#slots.values()) slot.retire()
      for (const plane of this.#planes()) plane.state = 'draining'
      this.#broadcast({ type: 'drain' })
    })
  }

  /** Ends all workers, closing what is still open. */
  async stop(): Promise<void> {
    this.#draining = true
    this.#tickets.stop()
    this.#inherited.close()
    this.#keepers.stop()
    this.#change?.end()
    for (const grace of this.#graces.values()) clearTimeout(grace)
    this.#graces.clear()
    await Promise.all(this.#planes().map((plane) => plane.close()))
    await Promise.all([...this.#slots.values()].map(endThread))
  }

  /** `next`: what a joining thread starts with, until it is in force. @throws RangeError when there is no lane for it. */
  #createSlot(phase: WorkerSlot['phase'], next: Snapshot | null = null): WorkerSlot {
    const id = this.#freeLane()
    const slot = new WorkerSlot({
      id,
      data: () => {
        const waits = slot.phase === 'joining' && this.#change?.next === next && this.#snapshot !== next
        const snapshot = waits ? next! : this.#snapshot!
        this.#runs.set(id, snapshot)
        // It can be told of what goes on as soon as it exists.
        if (!waits) queueMicrotask(() => this.#change?.started(slot))
        return {
          workerId: id,
          buffer: this.#options.state.buffer,
          snapshot,
          maxClients: this.#options.maxClientsFor(this.#workers),
          addresses: [...this.#addresses],
          ticketKeys: this.#ticketKeys,
          unixSockets: this.#keepers.of(id),
          waits,
          drainMs: this.#options.drainMs,
        }
      },
      onMessage: (_, message) => this.#receive(id, message),
      onDeath: (_, reason) => this.#died(slot, reason),
    })
    slot.phase = phase
    this.#slots.set(id, slot)
    return slot
  }

  /** What leaves keeps its lane until it has gone. */
  #freeLane(): number {
    const { state } = this.#options
    const taken = new Set([...this.#slots.keys(), ...this.#planes().map(({ id }) => id)])
    let lane = 0
    while (taken.has(lane)) lane++
    const most = state.sizes.workers
    if (lane >= most)
      throw new RangeError(`there is room for ${most} workers, with those that are leaving, until a restart`)
    state.useLane(lane)
    return lane
  }

  /** The main thread's plane, made when it is first asked for. */
  #ownPlane(): MainPlane {
    if (this.#plane !== null) return this.#plane
    const { state, maxClientsFor, onExchange, drainMs } = this.#options
    const own = new MainPlane({
      workerId: this.#freeLane(),
      buffer: state.buffer,
      maxClients: maxClientsFor(this.#workers),
      // Threads may come to share its addresses.
      reusePort: canReusePort,
      drainMs,
      plugins: this.plugins,
      onExchange,
      onMessage: ({ id }, message) => this.#receive(id, message),
    })
    this.#plane = own
    const { plane } = own
    const { plugins } = this.#snapshot!
    plane.apply(this.#snapshot!, this.plugins.find(plugins) ?? notLoaded(plugins))
    for (const [slot, addresses] of this.#addresses) plane.setAddresses(slot, addresses)
    plane.setTicketKeys(this.#ticketKeys)
    for (const follow of this.follows.current()) plane.follow(follow)
    return own
  }

  /** Gives a connection to the next worker, or to the main thread's plane if it cannot be transferred. */
  #deliver(listener: string, socket: Socket, kind: SocketKind): boolean {
    const slots = [...this.#slots.values()].filter(({ phase }) => phase === 'serving')
    let transferable = kind === 'tcp' && slots.length > 0
    for (let tries = 0; transferable && tries < slots.length; tries++) {
      const slot = slots[this.#turn++ % slots.length]!
      const outcome = slot.state === 'running' ? slot.hand(listener, socket) : 'gone'
      if (outcome === 'taken') return true
      transferable = outcome !== 'not-transferable'
    }
    if (transferable) return false
    this.#ownPlane().plane.takeConnection(listener, socket, kind)
    return true
  }

  #died(slot: WorkerSlot, reason: string): void {
    this.#options.state.reclaimWorker(slot.id)
    if (this.#startFailed) return
    if (!this.#draining) this.#keepers.died(slot.id)
    const what = this.#draining || slot.phase === 'leaving' ? 'died' : 'died and is started again'
    this.#options.log.event('error', 'worker_died', `worker ${slot.id} ${what}: ${reason}`, {
      worker: slot.id,
      reason,
    })
    if (this.#started?.waiting.has(slot.id) && slot.restarts >= MAX_FALSE_STARTS) {
      this.#started.reject(new Error(`worker ${slot.id} does not start: ${reason}`))
    }
    this.#change?.died(slot.id, reason)
    this.follows.died(slot.id)
    if (slot.phase === 'leaving') this.#endLeaving(slot)
    this.#drained(slot.id)
  }

  #receive(worker: number, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#change?.isReady(worker)
        return
      case 'prepared':
        this.#change?.prepared(worker, message.id, message.failure)
        return
      case 'committed':
        if (message.error === null) this.#runs.set(worker, this.#snapshot!)
        this.#change?.committed(worker, message.id, message.error)
        return
      case 'abandoned':
        this.#change?.abandoned(worker, message.id)
        return
      case 'kept':
        this.#takingOver.get(message.listener)?.()
        return
      case 'following':
        this.follows.answered(worker, message.id)
        return
      case 'followed':
        this.follows.received(message.followed)
        return
      case 'listening':
        this.#listens(worker)
        return
      case 'listen-failed':
        this.#listenFailed(worker, message)
        return
      case 'backend-failure':
        this.#options.onFailure({ ...message, error: message.error as ErrorName })
        return
      case 'access':
        this.#options.onAccess(message.lines)
        return
      case 'spans':
        this.#options.onSpans(message.batch)
        return
      case 'load-failed':
        this.#loadFailed(worker, message)
        return
      case 'drained':
        this.#drained(worker)
        return
      default:
        logNews(this.#options.log, worker, message)
    }
  }

  #listens(worker: number): void {
    this.#serves(worker)
    if (this.#draining) this.#slots.get(worker)?.post({ type: 'drain' })
    this.#change?.listens(worker)
    this.#inherited.deliverWaiting()
    this.#started?.waiting.delete(worker)
    if (this.#started?.waiting.size === 0) this.#started.resolve()
  }

  #listenFailed(worker: number, failure: { listener: string; code: string }): void {
    const error = this.#listenError(failure)
    if (this.#started !== null) {
      this.#started.reject(error)
      return
    }
    this.#options.log.event('error', 'listen_failed', error.message, { worker })
    this.#takingOver.get(failure.listener)?.()
    const slot = this.#slots.get(worker)
    // A respawned worker that cannot listen is no worker: end it, and try again with the next back-off.
    if (slot?.state === 'starting') slot.post({ type: 'close' })
    else if (!this.#draining) this.#keepers.failed(failure.listener)
  }

  /**
   * Only that thread could find it out: the main thread has loaded the same. Of one that is started again its death is told,
   * with this as its reason.
   */
  #loadFailed(worker: number, { label, message }: { label: string; message: string }): void {
    if (this.#started === null) {
      if (this.#slots.get(worker)?.phase === 'joining') this.#change?.refused(worker, `${label}: ${message}`)
      return
    }
    this.#startFailed = true
    const problem = { file: label, line: 0, column: 0, path: '', message, hint: null, value: undefined }
    this.#started.reject(new ConfigError([problem]))
  }

  #listenError({ listener, code }: { listener: string; code: string }): ListenError {
    return new ListenError(code, this.#listener(listener))
  }

  #listener(name: string): ListenerSpec {
    return this.#snapshot!.listeners.find((listener) => listener.name === name)!
  }

  /** Of one that leaves, or of all at the end. */
  #drained(worker: number): void {
    const slot = this.#slots.get(worker)
    const old = [...this.#oldPlanes].find(({ id }) => id === worker)
    if (this.#graces.has(worker) && !this.#draining) this.#endLeaving((slot ?? old)!)
    if (!this.#draining) return
    this.#undrained.delete(worker)
    if (this.#undrained.size === 0) this.#resolveDrained()
  }

  /** A thread has begun to serve: the first of its worker, or one that takes the place of a dead one. */
  #serves(worker: number): void {
    const slot = this.#slots.get(worker)
    if (slot === undefined) return
    for (const follow of this.follows.current()) slot.post({ type: 'follow', follow })
    if (slot.lastDeath === null) return
    const { reason, atMs } = slot.lastDeath
    const { restarts } = slot
    const afterMs = Math.round(performance.now() - atMs)
    const message = `worker ${worker} serves again, ${formatDuration(afterMs)} after it died: ${reason}`
    this.#options.log.event('info', 'worker_restarted', message, { worker, reason, restarts, after_ms: afterMs })
    this.#options.events?.emit({ type: 'worker_restarted', worker, cause: reason, restarts, afterMs })
  }

  /** To all; those that will answer are added to `waiting` first. */
  #tell(message: ToWorker, waiting: Set<number>): void {
    for (const member of [...this.#slots.values(), ...this.#planes()]) {
      waiting.add(member.id)
      if (!member.post(message)) waiting.delete(member.id)
    }
  }

  #broadcast(message: ToWorker): void {
    this.#tell(message, new Set())
  }
}

const isServing = ({ phase, state }: WorkerSlot): boolean => phase === 'serving' && state === 'running'

const namesOf = (keepers: ReadonlyMap<string, number>, member: number): string[] =>
  [...keepers].filter(([, keeper]) => keeper === member).map(([name]) => name)

/** In peace, or by force if that takes too long. */
async function endThread(slot: WorkerSlot): Promise<void> {
  const force = setTimeout(() => void slot.stop(true), 1000)
  await slot.stop(false)
  clearTimeout(force)
}

function notLoaded(plugins: Snapshot['plugins']): never {
  throw new Error(`plug-ins are not loaded: ${plugins.map(({ label }) => label).join(', ')}`)
}
