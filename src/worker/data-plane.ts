// One worker's data plane: applies snapshots, accepts connections, drains. Runs in a thread, or in the main thread.
import type { Socket } from 'node:net'
import type { LimitsSpec, ListenerSpec, Slot, Snapshot } from '../core/spec.ts'
import { buildRoutes } from '../http/route/route.ts'
import { buildSite } from '../http/site.ts'
import type { SocketKind } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { DoorRules } from '../net/door.ts'
import { keyOf, ServerTls } from '../net/tls/server-tls.ts'
import { redactedByDefault } from '../observe/access/redaction.ts'
import { AccessLog } from '../observe/access-log.ts'
import type { ExchangeObserver } from '../observe/exchange-observer.ts'
import { type EndedEntry, ExchangeTap } from '../observe/exchange-tap.ts'
import { Tracer } from '../observe/tracing/tracer.ts'
import { noPlugins, type PluginRegistry } from '../plugins/registry.ts'
import { LiveBackends } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { Pool } from '../pool/pool.ts'
import { SideWork } from '../pool/side-work.ts'
import { WorkerState } from '../state/worker-state.ts'
import { routeHello } from '../tcp/sni-route.ts'
import { compileCidrs } from '../util/cidr.ts'
import { RequestIds } from '../util/request-ids.ts'
import { TimerWheel } from '../util/timer-wheel.ts'
import { HttpHandler, TcpHandler } from './handlers.ts'
import { type Handler, Listener, type Setup } from './listener.ts'
import { PluginFailures } from './plugin-failures.ts'
import type { FromWorker } from './protocol.ts'
import { TurnedAway } from './turned-away.ts'

export interface DataPlaneOptions {
  readonly workerId: number
  readonly buffer: SharedArrayBuffer
  readonly maxClients: number
  readonly reusePort: boolean
  readonly post: (message: FromWorker) => void
  /** Told of every exchange that has ended, in place of an access log. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
}

const HEARTBEAT_MS = 1000
/** Failures of one backend are reported at most this often: a storm of them is one event. */
const FAILURE_REPORT_MS = 20

export class DataPlane implements PlaneContext {
  readonly state: WorkerState
  readonly wheel = new TimerWheel({ onFault: (error) => this.unexpected(error) })
  readonly clock = { date: new Date().toUTCString() }
  readonly ids = new RequestIds()
  accessLog: ExchangeObserver | null = null
  tracer: Tracer | null = null
  tellsInside = true
  plugins: PluginRegistry = noPlugins
  readonly sideWork = new SideWork()
  draining = false
  readonly #options: DataPlaneOptions
  readonly #live: LiveBackends
  readonly #listeners = new Map<string, Entrance>()
  #pools: ReadonlyMap<string, Pool> = new Map()
  readonly #turnedAway = new TurnedAway((message) => this.#options.post(message))
  readonly #atClose: (() => void)[] = []
  readonly #pluginFailures = new PluginFailures((message) => this.#options.post(message))
  readonly #failures = new Map<Slot, { error: string; code: string; count: number }>()
  #failureTimer: NodeJS.Timeout | null = null
  #reportedAtMs = Number.NEGATIVE_INFINITY
  #heart: NodeJS.Timeout | null = null
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()
  #connections = 0
  #accepting = true

  /** Of one listener at once: a flood of unfinished ones must leave descriptors to the others. */
  readonly maxHandshakes: number

  constructor(options: DataPlaneOptions) {
    this.#options = options
    this.maxHandshakes = Math.max(1, Math.ceil(options.maxClients / 4))
    this.state = new WorkerState(options.buffer, options.workerId)
    this.#live = new LiveBackends(this.state, options.maxClients)
    this.wheel.start()
    this.#beat()
  }

  /**
   * Builds everything the snapshot asks for and swaps it in. Live exchanges keep what they have. `plugins`: what its
   * modules have brought; default: as before.
   */
  apply(snapshot: Snapshot, plugins: PluginRegistry = this.plugins): void {
    const before = this.plugins
    this.plugins = plugins
    try {
      this.#apply(snapshot)
    } catch (error) {
      this.plugins = before
      throw error
    }
  }

  #apply(snapshot: Snapshot): void {
    // What can fail is made before anything is swapped.
    const engines = new Map(snapshot.listeners.map((spec) => [spec.name, this.#tlsOf(spec)]))
    const pools = new Map(snapshot.pools.map((spec) => [spec.name, new Pool(spec, this.state, this.#live, this)]))
    const routes = buildRoutes(snapshot, pools, this)
    const parts = { snapshot, pools, routes, isTrusted: compileCidrs(snapshot.trustedProxies) }
    const http = snapshot.listeners.filter(({ protocol }) => protocol === 'http')
    const sites = new Map(http.map((spec) => [spec.name, buildSite(parts, spec, this)]))
    this.#live.update(snapshot.pools)
    for (const [name, pool] of this.#pools) pool.succeededBy(pools.get(name))
    this.#pools = pools
    this.#applyAccessLog(snapshot)
    this.#applyTracing(snapshot)
    this.tellsInside = snapshot.errorDetails === 'trusted'
    for (const spec of snapshot.listeners) {
      const tls = engines.get(spec.name) ?? null
      const setup: Setup = { spec, limits: snapshot.limits, door: this.#doorOf(spec, snapshot.limits, tls) }
      const entrance = this.#listeners.get(spec.name) ?? this.#addListener(setup)
      entrance.tls = tls
      entrance.listener.update(setup)
      entrance.handler.update({ spec, pools, site: sites.get(spec.name) ?? null })
    }
  }

  #addListener(setup: Setup): Entrance {
    let handler: Handler | null = null
    const listener = new Listener(this, setup, (closed) => {
      handler = setup.spec.protocol === 'http' ? new HttpHandler(this, closed) : new TcpHandler(this, closed)
      return handler
    })
    const entrance: Entrance = { listener, handler: handler!, tls: null }
    this.#listeners.set(setup.spec.name, entrance)
    return entrance
  }

  /** Contexts are kept while nothing that they depend on changes: sessions stay good, and nothing is computed. */
  #tlsOf(spec: ListenerSpec): ServerTls | null {
    if (spec.tls === null) return null
    const known = this.#listeners.get(spec.name)?.tls
    if (known != null && known.key === keyOf(spec.tls)) return known
    return new ServerTls(spec.name, spec.tls, this.#ticketKeys.get(spec.name) ?? null)
  }

  /** What connections of a listener must show first; null = nothing. */
  #doorOf(spec: ListenerSpec, limits: LimitsSpec, tls: ServerTls | null): DoorRules | null {
    const { name, acceptProxyProtocol, protocol } = spec
    if (tls === null && acceptProxyProtocol.length === 0 && protocol !== 'tls-passthrough') return null
    // Of the snapshot that the handler has by then: a hello may come later than the next one.
    const sniNow = () => this.#listeners.get(name)!.listener.spec.sni
    return {
      believesProxy: acceptProxyProtocol.length === 0 ? null : compileCidrs(acceptProxyProtocol),
      tls,
      accepts: protocol === 'tls-passthrough' ? (hello) => routeHello(hello, sniNow()) !== null : null,
      speaksHttp: protocol === 'http',
      timeoutMs: limits.handshakeTimeoutMs,
      helloSize: limits.helloSize,
    }
  }

  /**
   * Opens the listeners. Of Unix sockets only those in `unixSockets`, default all; never those that were inherited,
   * whose connections are handed over. Rejects with the first failure, an OpenError.
   */
  async listen(unixSockets?: readonly string[]): Promise<void> {
    for (const [name, { listener }] of this.#listeners) {
      const { socketPath, inherited } = listener.spec
      const isElsewhere = socketPath !== null && unixSockets !== undefined && !unixSockets.includes(name)
      if (inherited === null && !isElsewhere) await this.openListener(name)
    }
  }

  /** Opens one listener. Rejects with an OpenError. */
  async openListener(name: string): Promise<void> {
    await this.#listeners.get(name)?.listener.open(this.#options.reusePort)
  }

  /** Serves a connection that the main thread has accepted. */
  takeConnection(name: string, socket: Socket, kind: SocketKind): void {
    const entrance = this.#listeners.get(name)
    if (entrance === undefined) socket.destroy()
    else entrance.listener.take(socket, kind)
  }

  /** Serves a connection that no socket brought. False = it is turned away: by a limit, or because of a drain. */
  serve(name: string, arrival: Arrival): boolean {
    if (this.draining) return false
    return this.#listeners.get(name)?.listener.serve(arrival) ?? false
  }

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#live.setAddresses(slot, addresses)
  }

  /** By listener: what session tickets are sealed with from now on. */
  setTicketKeys(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#ticketKeys = keys
    for (const [name, { tls }] of this.#listeners) {
      const key = keys.get(name)
      if (key !== undefined) tls?.setTicketKey(key)
    }
  }

  cutBackend(slot: Slot): void {
    this.#live.cut(slot)
  }

  /** Stops accepting, closes what is idle, lets exchanges end. `drained` is posted when nothing is left. */
  drain(): void {
    if (this.draining) return
    this.draining = true
    for (const { listener } of this.#listeners.values()) listener.closeIdle()
    // After one more turn of the loop, so that whoever waits in the accept queue is not reset by the kernel.
    setImmediate(() =>
      setImmediate(() => {
        for (const { listener } of this.#listeners.values()) listener.stopAccepting()
        this.#accepting = false
        this.#checkDrained()
      }),
    )
  }

  /** Closes everything at once. */
  close(): void {
    this.draining = true
    for (const { listener } of this.#listeners.values()) listener.destroy()
    this.sideWork.stopAll()
    this.#live.closeIdle()
    for (const call of this.#atClose.splice(0)) call()
    // What was cut just now is logged before the next turn of the loop.
    setImmediate(() => this.#flush())
    this.wheel.stop()
    if (this.#heart !== null) clearInterval(this.#heart)
    if (this.#failureTimer !== null) clearTimeout(this.#failureTimer)
    this.#turnedAway.stop()
    this.#pluginFailures.stop()
  }

  onClose(call: () => void): void {
    this.#atClose.push(call)
  }

  /** May one more client connect? False = out of file descriptors; it is turned away. */
  enter(): boolean {
    if (this.#connections >= this.#options.maxClients) return false
    this.#connections++
    return true
  }

  leave(): void {
    this.#connections--
    if (this.draining) this.#checkDrained()
  }

  backendFailed(slot: Slot, error: string, code: string): void {
    const known = this.#failures.get(slot)
    if (known === undefined) this.#failures.set(slot, { error, code, count: 1 })
    else known.count++
    if (this.#failureTimer !== null) return
    const waitMs = Math.max(0, this.#reportedAtMs + FAILURE_REPORT_MS - performance.now())
    this.#failureTimer = setTimeout(() => this.#reportFailures(), waitMs)
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

  #reportFailures(): void {
    this.#failureTimer = null
    this.#reportedAtMs = performance.now()
    for (const [slot, failure] of this.#failures) this.#options.post({ type: 'backend-failure', slot, ...failure })
    this.#failures.clear()
  }

  #checkDrained(): void {
    if (this.#connections > 0 || this.#accepting) return
    if (!this.sideWork.drain(this.wheel, () => this.#checkDrained())) return
    this.#flush()
    this.#live.closeIdle()
    this.#options.post({ type: 'drained' })
  }

  #applyAccessLog(snapshot: Snapshot): void {
    const { onExchange } = this.#options
    if (onExchange !== undefined) this.accessLog ??= new ExchangeTap(onExchange)
    else if (snapshot.accessLog === null) {
      this.accessLog?.flush()
      this.accessLog = null
    } else if (this.accessLog instanceof AccessLog) this.accessLog.update(snapshot.accessLog)
    else this.accessLog = new AccessLog(snapshot.accessLog, (lines) => this.#options.post({ type: 'access', lines }))
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

/** A listener with what a new snapshot changes of it. */
interface Entrance {
  readonly listener: Listener
  readonly handler: Handler
  tls: ServerTls | null
}
