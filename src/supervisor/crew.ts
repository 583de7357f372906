// All data planes of the process, as one: starts them, hands connections and changes on, hears what they say, drains.
import type { Socket } from 'node:net'
import { ConfigError } from '../config/problem.ts'
import type { EventSink } from '../control/events.ts'
import { formatDuration } from '../control/format-duration.ts'
import type { BackendFailure, Prepared, WorkerInfo } from '../control/port.ts'
import type { ErrorName } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ListenerSpec, Slot, Snapshot } from '../core/spec.ts'
import type { SocketKind } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import type { SpanBatch } from '../observe/tracing/tracer.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import type { OwnerState } from '../state/owner-state.ts'
import type { OpenError } from '../worker/open-error.ts'
import type { FromWorker } from '../worker/protocol.ts'
import { type BoundListener, boundListener } from './bound-listener.ts'
import { CacheKeeper } from './cache-keeper.ts'
import { CrewChanges } from './crew-changes.ts'
import { Follows } from './follows.ts'
import { InheritedListeners } from './inherited-listeners.ts'
import type { Inheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { ListenerPlaces, withPorts } from './listener-places.ts'
import { type InForce, Roster } from './roster.ts'
import { SocketKeepers } from './socket-keepers.ts'
import { TicketKeys } from './ticket-keys.ts'
import { logNews } from './worker-news.ts'
import type { WorkerSlot } from './worker-slot.ts'

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

/** A worker that dies so often before it listens will not get better by itself. */
const MAX_FALSE_STARTS = 3

export class Crew {
  /** Of the main thread: what reading the configuration has imported already. */
  readonly plugins = new PluginLoader()
  /** Who follows exchanges live. */
  readonly follows: Follows
  /** What answers are cached in. */
  readonly caches: CacheKeeper
  readonly #options: CrewOptions
  readonly #inForce: InForce = { snapshot: null, workers: 0 }
  readonly #roster: Roster
  readonly #changes: CrewChanges
  readonly #tickets: TicketKeys
  readonly #places = new ListenerPlaces()
  readonly #keepers: SocketKeepers
  readonly #inherited: InheritedListeners
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
    const { bind = true, onCommit = () => {} } = options
    const { plugins } = this
    const inForce = this.#inForce
    const caches = new CacheKeeper({
      lanes: options.state.sizes.workers,
      log: options.log,
      onDisk: (cache) => roster.broadcast({ type: 'cache-disk', cache }),
    })
    this.caches = caches
    const roster = new Roster({
      ...options,
      inForce,
      caches,
      plugins,
      unixSockets: (worker) => this.#keepers.of(worker),
      joinsWith: () => this.#changes.joinsWith(),
      onStart: (slot) => this.#changes.live?.started(slot),
      onMainPlane: ({ plane }) => {
        for (const follow of this.follows.current()) plane.follow(follow)
      },
      onMessage: (worker, message) => this.#receive(worker, message),
      onDeath: (slot, reason) => this.#died(slot, reason),
      onLeft: (worker) => this.#changes.live?.left(worker),
      onGone: (worker) => this.#drained(worker),
    })
    this.#roster = roster
    this.follows = new Follows({ tell: (message, waiting) => roster.tell(message, waiting) })
    this.#tickets = new TicketKeys((keys) => roster.setTicketKeys(keys))
    this.#keepers = new SocketKeepers({
      running: () =>
        roster
          .serving()
          .filter(({ id, state }) => state === 'running' && !this.#changes.isDeparting(id))
          .map(({ id }) => id),
      takeOver: (worker, listener) => roster.slots.get(worker)!.post({ type: 'keep', listener, isLive: false }),
    })
    this.#inherited = new InheritedListeners({
      inheritance: options.inheritance,
      deliver: (listener, socket, kind) => this.#deliver(listener, socket, kind),
      onFailure: ({ row }) => roster.ownPlane().plane.state.connectionRejected(row, 'fd'),
    })
    this.#changes = new CrewChanges({
      ...options,
      bind,
      onCommit,
      inForce,
      caches,
      plugins,
      roster,
      places: this.#places,
      inherited: this.#inherited,
      keepers: this.#keepers,
      tickets: this.#tickets,
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
    this.#inForce.snapshot = snapshot
    await this.caches.begin(snapshot)
    this.#tickets.update(snapshot.listeners)
    this.#inForce.workers = workersFor(snapshot.workers)
    if (this.#inForce.workers === 0) await this.#startMain(bind)
    else await this.#startThreads(snapshot)
    await this.#inherited.adopt(snapshot.listeners, inherited)
    // Made now, while its failure is a failure to start.
    if (snapshot.listeners.some(({ name }) => this.#inherited.addresses(name).includes(null))) this.#roster.ownPlane()
  }

  async #startMain(bind: boolean): Promise<void> {
    const { plane } = this.#roster.ownPlane()
    if (!bind) return
    await plane.listen().catch((error: OpenError) => {
      throw this.#listenError(error)
    })
  }

  async #startThreads({ listeners }: Snapshot): Promise<void> {
    const slots = Array.from({ length: this.#inForce.workers }, () => this.#roster.addThread('serving'))
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
    return this.#inForce.snapshot!.listeners.map((spec) => boundListener(spec, this.#inherited.addresses(spec.name)))
  }

  /** The port that a listener has; undefined = there is no such listener, or it has none. */
  portOf(listener: string): number | undefined {
    return this.#places.portOf(listener)
  }

  get workerCount(): number {
    return this.#inForce.workers
  }

  /** Serves a connection in the main thread. False = it is turned away, by a limit or because of a drain. */
  serve(listener: string, arrival: Arrival): boolean {
    return this.#roster.ownPlane().plane.serve(listener, arrival)
  }

  workers(): WorkerInfo[] {
    return this.#roster.workers()
  }

  /** As `ControlPort.prepare`. */
  async prepare(wanted: Snapshot): Promise<Prepared> {
    if (this.#draining) throw new Error('the process is about to end')
    return this.#changes.prepare(wanted)
  }

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#roster.setAddresses(slot, addresses)
  }

  cutBackend(slot: Slot): void {
    this.#roster.cutBackend(slot)
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
      for (const slot of this.#roster.slots.values()) slot.retire()
      for (const plane of this.#roster.planes()) plane.state = 'draining'
      this.#roster.broadcast({ type: 'drain' })
    })
  }

  /** Ends all workers, closing what is still open. */
  async stop(): Promise<void> {
    this.#draining = true
    this.#tickets.stop()
    this.#inherited.close()
    this.#keepers.stop()
    this.#changes.live?.end()
    await this.#roster.stop()
    await this.caches.close()
  }

  /** Gives a connection to the next worker, or to the main thread's plane if it cannot be transferred. */
  #deliver(listener: string, socket: Socket, kind: SocketKind): boolean {
    const slots = this.#roster.serving()
    let transferable = kind === 'tcp' && slots.length > 0
    for (let tries = 0; transferable && tries < slots.length; tries++) {
      const slot = slots[this.#turn++ % slots.length]!
      const outcome = slot.state === 'running' ? slot.hand(listener, socket) : 'gone'
      if (outcome === 'taken') return true
      transferable = outcome !== 'not-transferable'
    }
    if (transferable) return false
    this.#roster.ownPlane().plane.takeConnection(listener, socket, kind)
    return true
  }

  #died(slot: WorkerSlot, reason: string): void {
    this.#roster.reclaim(slot.id)
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
    this.#changes.live?.died(slot.id, reason)
    this.follows.died(slot.id)
    this.#roster.endLeaving(slot.id)
    this.#drained(slot.id)
  }

  #receive(worker: number, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#changes.live?.isReady(worker)
        return
      case 'prepared':
        this.#changes.live?.prepared(worker, message.id, message.failure)
        return
      case 'committed':
        if (message.error === null) this.#roster.runs.set(worker, this.#inForce.snapshot!)
        this.#changes.live?.committed(worker, message.id, message.error)
        return
      case 'abandoned':
        this.#changes.live?.abandoned(worker, message.id)
        return
      case 'disk-closed':
        this.caches.diskClosed(worker, message.disk)
        return
      case 'kept':
        this.#changes.kept(message.listener)
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
    if (this.#draining) this.#roster.slots.get(worker)?.post({ type: 'drain' })
    this.#changes.live?.listens(worker)
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
    this.#changes.kept(failure.listener)
    const slot = this.#roster.slots.get(worker)
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
      if (this.#roster.slots.get(worker)?.phase === 'joining')
        this.#changes.live?.refused(worker, `${label}: ${message}`)
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
    return this.#inForce.snapshot!.listeners.find((listener) => listener.name === name)!
  }

  /** Of one that leaves, or of all at the end. */
  #drained(worker: number): void {
    if (!this.#draining) this.#roster.endLeaving(worker)
    if (!this.#draining) return
    this.#undrained.delete(worker)
    if (this.#undrained.size === 0) this.#resolveDrained()
  }

  /** A thread has begun to serve: the first of its worker, or one that takes the place of a dead one. */
  #serves(worker: number): void {
    const slot = this.#roster.slots.get(worker)
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
}
