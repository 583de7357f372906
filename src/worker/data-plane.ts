// One worker's data plane: applies snapshots, accepts connections, drains. Runs in a thread, or in the main thread.
import type { Socket } from 'node:net'
import { defaultDrainMs } from '../core/default-drain.ts'
import type { ListenerSpec, Slot, Snapshot } from '../core/spec.ts'
import type { SocketKind } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import { redactedByDefault } from '../observe/access/redaction.ts'
import { AccessLog } from '../observe/access-log.ts'
import type { ExchangeObserver } from '../observe/exchange-observer.ts'
import { type EndedEntry, ExchangeTap } from '../observe/exchange-tap.ts'
import { type Follow, FollowedLog } from '../observe/follow/followed-log.ts'
import { Tracer } from '../observe/tracing/tracer.ts'
import { noPlugins, type PluginRegistry } from '../plugins/registry.ts'
import { LiveBackends } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { SideWork } from '../pool/side-work.ts'
import { WorkerState } from '../state/worker-state.ts'
import { RequestIds } from '../util/request-ids.ts'
import { TimerWheel } from '../util/timer-wheel.ts'
import { BackendFailures } from './backend-failures.ts'
import { type Built, build } from './build.ts'
import { Entrances } from './entrances.ts'
import { ListeningSockets, type Opened, placeOf } from './listening-sockets.ts'
import { closeDisk, leaveCache, type OpenCache, openCache, setDisk } from './open-cache.ts'
import { PluginFailures } from './plugin-failures.ts'
import type { FromWorker, SharedCache } from './protocol.ts'
import { TurnedAway } from './turned-away.ts'

export interface DataPlaneOptions {
  readonly workerId: number
  readonly buffer: SharedArrayBuffer
  readonly maxClients: number
  readonly reusePort: boolean
  /** How long connections of a listener that is removed may finish; default `defaultDrainMs`. */
  readonly drainMs?: number | undefined
  readonly post: (message: FromWorker) => void
  /** Told of every exchange that has ended, in place of an access log. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
}

const HEARTBEAT_MS = 1000

export class DataPlane implements PlaneContext {
  readonly state: WorkerState
  readonly wheel = new TimerWheel({ onFault: (error) => this.unexpected(error) })
  readonly clock = { date: new Date().toUTCString() }
  readonly ids = new RequestIds()
  accessLog: ExchangeObserver | null = null
  tracer: Tracer | null = null
  tellsInside = true
  /** Whom exchanges are told to also while nobody follows them. */
  #ownLog: ExchangeObserver | null = null
  readonly #followed = new FollowedLog((followed) => this.#options.post({ type: 'followed', followed }))
  plugins: PluginRegistry = noPlugins
  cache: OpenCache | null = null
  /** After `close`: what was to be written to disk is. */
  diskClosed: Promise<void> = Promise.resolve()
  readonly sideWork = new SideWork()
  draining = false
  closesIdle = false
  readonly #options: DataPlaneOptions
  readonly #live: LiveBackends
  readonly #entrances: Entrances
  readonly #sockets: ListeningSockets
  /** What is in force; null before the first snapshot. */
  #built: Built | null = null
  /** It has been told to: sockets of later snapshots are opened, too. */
  #listens = false
  #maxClients: number
  readonly #turnedAway = new TurnedAway((message) => this.#options.post(message))
  readonly #atClose: (() => void)[] = []
  readonly #pluginFailures = new PluginFailures((message) => this.#options.post(message))
  readonly #failures = new BackendFailures((message) => this.#options.post(message))
  #heart: NodeJS.Timeout | null = null
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()
  #connections = 0
  #accepting = true

  /** Of one listener at once: a flood of unfinished ones must leave descriptors to the others. */
  maxHandshakes: number

  constructor(options: DataPlaneOptions) {
    this.#options = options
    this.maxHandshakes = Math.max(1, Math.ceil(options.maxClients / 4))
    this.state = new WorkerState(options.buffer, options.workerId)
    this.#maxClients = options.maxClients
    this.#live = new LiveBackends(this.state, options.maxClients)
    this.#entrances = new Entrances(this, options.drainMs ?? defaultDrainMs)
    this.#sockets = new ListeningSockets(options.reusePort)
    this.wheel.start()
    this.#beat()
  }

  /**
   * Builds everything the snapshot asks for and swaps it in; sockets that it asks for are not opened. Live exchanges keep what
   * they have. `plugins`: what its modules have brought; default: as before. `cache`: its memory; default: as before. Throws
   * what cannot be built, with nothing changed.
   */
  apply(
    snapshot: Snapshot,
    plugins: PluginRegistry = this.plugins,
    cache: SharedCache | null = this.cache?.memory ?? null,
  ): void {
    this.#swap(this.#build(snapshot, plugins, cache), new Map())
  }

  /**
   * Makes a snapshot ready beside what runs: builds all that it asks for, and opens new sockets, where connections wait. Of
   * Unix sockets only those of the listeners in `unixSockets`. Rejects with nothing changed; with an OpenError for a socket.
   */
  async prepare(snapshot: Snapshot, { plugins, cache, unixSockets, maxClients }: PrepareOptions): Promise<Preparation> {
    const built = this.#build(snapshot, plugins, cache)
    const isOpen = this.#listens && !this.draining
    const opened = isOpen ? await this.#sockets.prepare(listened(snapshot, unixSockets)) : new Map()
    return { built, opened, maxClients }
  }

  /** Swaps what was made ready in. Nothing in it can fail. */
  commit({ built, opened, maxClients }: Preparation): void {
    this.#setMaxClients(maxClients)
    this.#swap(built, opened)
  }

  /** What was made ready is given up; connections that waited are closed. Resolves when nobody can come in there any more. */
  async abandon({ opened, built }: Preparation): Promise<void> {
    await Promise.all([this.#sockets.abandon(opened), closeDisk(built.cache, this.cache)])
  }

  get snapshot(): Snapshot {
    return this.#built!.snapshot
  }

  #build(snapshot: Snapshot, plugins: PluginRegistry, cache: SharedCache | null): Built {
    const before = { plugins: this.plugins, cache: this.cache }
    const opened = openCache(cache, before.cache, this.#options.workerId)
    this.plugins = plugins
    this.cache = opened
    try {
      const host = { plane: this, live: this.#live, cache: opened, ticketKeys: this.#ticketKeys }
      return build(snapshot, host, this.#built)
    } catch (error) {
      void closeDisk(opened, before.cache)
      throw error
    } finally {
      this.plugins = before.plugins
      this.cache = before.cache
    }
  }

  #swap(built: Built, opened: Opened): void {
    const before = this.#built
    this.#built = built
    this.plugins = built.plugins
    this.cache = built.cache
    this.#leaveDisk(before?.cache ?? null)
    this.#live.update(built.snapshot.pools, built.contexts)
    for (const [pool, parts] of built.changed) pool.adopt(parts)
    built.destinations.commit()
    this.#applyAccessLog(built.snapshot)
    this.#applyTracing(built.snapshot)
    this.tellsInside = built.snapshot.errorDetails === 'trusted'
    this.#entrances.update(built)
    if (!this.#listens || this.draining) {
      // A drain has begun since they were opened.
      void this.#sockets.abandon(opened)
      return
    }
    this.#sockets.settle(opened, this.#targets(built.snapshot.listeners))
    if (before !== null) this.#setModes(before.snapshot.listeners, built.snapshot.listeners)
  }

  /** Of what was in force before: told when nothing of it is on its way any more. */
  #leaveDisk(before: OpenCache | null): void {
    if (before === null || before === this.cache) return
    const close = leaveCache(before, this.cache)
    const { disk } = before.memory
    if (close !== null && disk !== null)
      void close().then(() => this.#options.post({ type: 'disk-closed', disk: disk.id }))
  }

  #targets(listeners: readonly ListenerSpec[]) {
    return new Map(listeners.map((spec) => [placeOf(spec), { spec, target: this.#entrances.get(spec.name)! }]))
  }

  /** Other permissions of a Unix socket do not need another socket. */
  #setModes(before: readonly ListenerSpec[], now: readonly ListenerSpec[]): void {
    const modes = new Map(before.map((spec) => [placeOf(spec), spec.socketMode]))
    for (const spec of now) {
      const place = placeOf(spec)
      if (spec.socketPath === null || !modes.has(place) || modes.get(place) === spec.socketMode) continue
      try {
        this.#sockets.setMode(spec)
      } catch (error) {
        this.unexpected(error)
      }
    }
  }

  #setMaxClients(maxClients: number): void {
    this.#maxClients = maxClients
    this.maxHandshakes = Math.max(1, Math.ceil(maxClients / 4))
    this.#live.setMaxSockets(maxClients)
  }

  /**
   * Opens the listeners. Of Unix sockets only those in `unixSockets`, default all; never those that were inherited,
   * whose connections are handed over. Rejects with the first failure, an OpenError.
   */
  async listen(unixSockets?: readonly string[]): Promise<void> {
    this.#listens = true
    const opened = await this.#sockets.prepare(listened(this.snapshot, unixSockets))
    this.#sockets.settle(opened, this.#targets(this.snapshot.listeners))
  }

  /** Accepts from the Unix socket of a listener instead of another worker. Rejects with an OpenError. */
  async keepSocket(name: string, isLive: boolean): Promise<void> {
    const spec = this.snapshot.listeners.find((listener) => listener.name === name)
    if (spec === undefined) return
    if (isLive) await this.#sockets.takeOver(spec, this.#entrances.get(name)!)
    else this.#sockets.settle(await this.#sockets.prepare([spec]), this.#targets(this.snapshot.listeners))
  }

  /** Serves a connection that the main thread has accepted. */
  takeConnection(name: string, socket: Socket, kind: SocketKind): void {
    const listener = this.#entrances.get(name)
    if (listener === undefined) socket.destroy()
    else listener.take(socket, kind)
  }

  /** Serves a connection that no socket brought. False = it is turned away: by a limit, or because of a drain. */
  serve(name: string, arrival: Arrival): boolean {
    if (this.draining) return false
    return this.#entrances.get(name)?.serve(arrival) ?? false
  }

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#live.setAddresses(slot, addresses)
  }

  /** By listener: what session tickets are sealed with from now on. */
  setTicketKeys(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#ticketKeys = keys
    for (const [name, tls] of this.#built?.engines ?? []) {
      const key = keys.get(name)
      if (key !== undefined) tls?.setTicketKey(key)
    }
  }

  /** Of another memory than it has nothing is to be known. */
  setCacheDisk(cache: SharedCache): void {
    if (this.cache?.memory.id === cache.id) setDisk(this.cache, cache, this.#options.workerId)
  }

  cutBackend(slot: Slot): void {
    this.#live.cut(slot)
  }

  /** Stops accepting, closes what is idle, lets exchanges end. `drained` is posted when nothing is left. */
  drain(): void {
    if (this.closesIdle) return
    this.closesIdle = true
    for (const listener of this.#entrances.all()) listener.closeIdle()
    this.retire()
  }

  /**
   * Stops accepting; each connection ends with its next answer, or by itself. `drained` is posted when nothing is left. Gentler
   * than a drain: no client finds the connection closed on which it is about to send.
   */
  retire(): void {
    if (this.draining) return
    this.draining = true
    // Whoever waits in the accept queue is not reset by the kernel.
    void this.#sockets.retireAll().then(() => {
      this.#accepting = false
      this.#checkDrained()
    })
  }

  /** Closes everything at once. */
  close(): void {
    this.draining = true
    this.closesIdle = true
    this.#sockets.close()
    for (const listener of [...this.#entrances.all()]) listener.destroy()
    this.sideWork.stopAll()
    this.#live.closeIdle()
    this.diskClosed = closeDisk(this.cache, null)
    for (const call of this.#atClose.splice(0)) call()
    // What was cut just now is logged before the next turn of the loop.
    setImmediate(() => this.#flush())
    this.wheel.stop()
    if (this.#heart !== null) clearInterval(this.#heart)
    this.#failures.stop()
    this.#turnedAway.stop()
    this.#pluginFailures.stop()
  }

  /** Exchanges that end from now on are told of, if this follower wants them. */
  follow(follow: Follow): void {
    this.#followed.follow(follow)
    this.#observe()
  }

  unfollow(id: number): void {
    this.#followed.unfollow(id)
    this.#observe()
  }

  onClose(call: () => void): void {
    this.#atClose.push(call)
  }

  /** May one more client connect? False = out of file descriptors; it is turned away. */
  enter(): boolean {
    if (this.#connections >= this.#maxClients) return false
    this.#connections++
    return true
  }

  leave(): void {
    this.#connections--
    if (this.draining) this.#checkDrained()
  }

  backendFailed(slot: Slot, error: string, code: string): void {
    this.#failures.add(slot, error, code)
  }

  unexpected(error: unknown): void {
    this.#options.post({
      type: 'problem',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }

  pluginFailed(what: string, error: unknown, requestId = ''): void {
    this.#pluginFailures.add(what, error, requestId)
  }

  /** A connection was turned away by a listener: said in the log, many of a kind in one line. */
  turnedAway(listener: string, reason: string, detail: string, address: string): void {
    this.#turnedAway.add(listener, reason, detail, address)
  }

  #checkDrained(): void {
    if (this.#connections > 0 || this.#accepting) return
    if (!this.sideWork.drain(this.wheel, () => this.#checkDrained())) return
    this.#flush()
    this.#live.closeIdle()
    this.#options.post({ type: 'drained' })
  }

  #applyAccessLog({ accessLog: spec }: Snapshot): void {
    const { onExchange } = this.#options
    const log = this.#ownLog
    if (onExchange !== undefined) this.#ownLog ??= new ExchangeTap(onExchange)
    else if (spec === null) {
      log?.flush()
      this.#ownLog = null
    } else if (log instanceof AccessLog) log.update(spec)
    else this.#ownLog = new AccessLog(spec, (lines) => this.#options.post({ type: 'access', lines }))
    this.#followed.redact = spec?.redact ?? null
    this.#observe()
  }

  /** Where nobody follows, exchanges find the access log itself, or null. */
  #observe(): void {
    this.accessLog = this.#followed.over(this.#ownLog)
  }

  #applyTracing({ tracing: spec, accessLog }: Snapshot): void {
    const redact = accessLog?.redact ?? redactedByDefault
    if (spec === null) {
      this.tracer?.flush()
      this.tracer = null
    } else if (this.tracer !== null) this.tracer.update(spec, redact)
    else this.tracer = new Tracer(spec, redact, (batch) => this.#options.post({ type: 'spans', batch }))
  }

  #flush(): void {
    this.accessLog?.flush()
    this.tracer?.flush()
  }

  #beat(): void {
    let elu = performance.eventLoopUtilization()
    let expected = performance.now() + HEARTBEAT_MS
    const beat = () => {
      this.clock.date = new Date().toUTCString()
      const now = performance.now()
      const used = performance.eventLoopUtilization(elu)
      elu = performance.eventLoopUtilization()
      this.state.heartbeat(now, used.utilization, this.#connections, Math.max(0, now - expected))
      expected = now + HEARTBEAT_MS
    }
    beat()
    this.#heart = setInterval(beat, HEARTBEAT_MS).unref()
  }
}

export interface PrepareOptions {
  readonly plugins: PluginRegistry
  readonly cache: SharedCache | null
  readonly unixSockets: readonly string[]
  /** As DataPlaneOptions has it, from the commit on. */
  readonly maxClients: number
}

/** A snapshot that was made ready: for `commit` or `abandon`. */
export interface Preparation {
  readonly built: Built
  readonly opened: Opened
  readonly maxClients: number
}

/** The listeners that a plane opens sockets for. */
function listened({ listeners }: Snapshot, unixSockets: readonly string[] | undefined): ListenerSpec[] {
  return listeners.filter(({ name, socketPath, inherited }) => {
    const isElsewhere = socketPath !== null && unixSockets !== undefined && !unixSockets.includes(name)
    return inherited === null && !isElsewhere
  })
}
