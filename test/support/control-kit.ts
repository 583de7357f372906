// Small things for tests of the control plane: specs with sensible values, a log that remembers, bare listeners.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { cacheDefaults } from '../../src/config/schema/route/cache.ts'
import type { BackendFailure, ControlPort, Following, Prepared, WorkerInfo } from '../../src/control/port.ts'
import type { CacheSpec } from '../../src/core/cache-spec.ts'
import type { Log, LogLevel } from '../../src/core/log.ts'
import type { MatchSpec, RouteSpec } from '../../src/core/route-spec.ts'
import type {
  BackendSpec,
  BackendTlsSpec,
  HealthCheckSpec,
  IdentitySpec,
  ListenerSpec,
  ListenerTlsSpec,
  PoolSpec,
  Slot,
  Snapshot,
} from '../../src/core/spec.ts'
import { createSharedState } from '../../src/state/memory.ts'
import { OwnerState } from '../../src/state/owner-state.ts'
import { WorkerState } from '../../src/state/worker-state.ts'
import { until } from './wait.ts'

export interface LoggedEvent {
  readonly level: LogLevel
  readonly name: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Remembers every event. */
export class MemoryLog implements Log {
  readonly events: LoggedEvent[] = []
  event(level: LogLevel, name: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.events.push({ level, name, message, fields })
  }
  named(name: string): LoggedEvent[] {
    return this.events.filter((event) => event.name === name)
  }
  /** Resolves with the nth event (from 1) of that name. */
  async waitFor(name: string, count = 1): Promise<LoggedEvent> {
    await until(`${count} log events ${name}`, () => this.named(name).length >= count)
    return this.named(name)[count - 1]!
  }
}

export function backendSpec(slot: Slot, port: number, over: Partial<BackendSpec> = {}): BackendSpec {
  const host = over.host ?? '127.0.0.1'
  return {
    slot,
    pool: 'default',
    url: `${over.protocol ?? 'http'}://${host}:${port}`,
    protocol: 'http',
    host,
    port,
    socketPath: null,
    basePath: '',
    authority: `${host}:${port}`,
    weight: 1,
    maxConnections: 0,
    backup: false,
    ...over,
  }
}

/** What a pool without `tls` has. */
export const plainBackendTls: BackendTlsSpec = {
  verify: true,
  ca: null,
  serverName: null,
  identity: null,
  minVersion: 'TLSv1.2',
  alpn: ['http/1.1'],
}

/** A listener on a free port of 127.0.0.1. */
export function listenerSpec(over: Partial<ListenerSpec> = {}): ListenerSpec {
  return {
    name: 'default',
    row: 0,
    host: '127.0.0.1',
    port: 0,
    socketPath: null,
    socketMode: null,
    inherited: null,
    ipv6Only: false,
    protocol: 'http',
    pool: 'default',
    sni: [],
    tls: null,
    acceptProxyProtocol: [],
    idleTimeoutMs: 3_600_000,
    redirectHttpsPort: 0,
    ...over,
  }
}

/** TLS of a listener with these certificates, everything else at its default. */
export function listenerTlsSpec(
  identities: readonly IdentitySpec[],
  over: Partial<ListenerTlsSpec> = {},
): ListenerTlsSpec {
  return {
    identities,
    minVersion: 'TLSv1.2',
    ciphers: '',
    alpn: ['http/1.1'],
    sessionTickets: true,
    ticketRotationMs: 3_600_000,
    clientAuth: null,
    hsts: '',
    ...over,
  }
}

export function checkSpec(over: Partial<HealthCheckSpec> = {}): HealthCheckSpec {
  return {
    method: 'tcp',
    path: '/',
    host: null,
    expectFrom: 200,
    expectTo: 399,
    intervalMs: 30_000,
    timeoutMs: 1_000,
    rise: 1,
    fall: 2,
    send: '',
    receive: '',
    ...over,
  }
}

export function poolSpec(backends: readonly BackendSpec[], over: Partial<PoolSpec> = {}): PoolSpec {
  return {
    name: 'default',
    kind: 'http',
    tls: plainBackendTls,
    sendProxyProtocol: null,
    cursor: 0,
    strategy: 'round-robin',
    customStrategy: null,
    hashKey: { by: 'uri' },
    sticky: null,
    backends,
    healthCheck: checkSpec(),
    passiveHealth: { maxFails: 5, windowMs: 10_000, ejectMs: 30_000 },
    timeouts: { connectMs: 5000, firstByteMs: 10_000, idleMs: 60_000, totalMs: 0, tunnelMs: 0 },
    retries: { attempts: 2, onConnect: true, onReset: true, onStatus: [], budgetRatio: 0.2, budgetMin: 3 },
    keepalive: { maxIdle: 256, idleTimeoutMs: 60_000 },
    hostHeader: 'preserve',
    hideHeaders: [],
    ...over,
  }
}

/** A listener that accepts and says nothing; it counts what it accepted. */
export class SilentListener {
  readonly server: Server
  accepted = 0
  open = 0
  mostOpen = 0
  private constructor() {
    this.server = createServer((socket) => {
      this.accepted += 1
      this.mostOpen = Math.max(this.mostOpen, (this.open += 1))
      socket.on('error', () => {}).on('close', () => (this.open -= 1))
      socket.resume()
    })
  }
  static async start(port = 0, host = '127.0.0.1'): Promise<SilentListener> {
    const listener = new SilentListener()
    listener.server.listen(port, host)
    await once(listener.server, 'listening')
    return listener
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port
  }
  async stop(): Promise<void> {
    this.server.close()
    await once(this.server, 'close')
  }
}

/** The running process as control sees it, without threads: one lane of shared memory stands for the workers. */
export class FakePort implements ControlPort {
  readonly version = '0.0.0-test'
  readonly startedAtMs = Date.now()
  readonly log: MemoryLog = new MemoryLog()
  readonly state: OwnerState
  readonly worker: WorkerState
  readonly prepared: Snapshot[] = []
  readonly applied: Snapshot[] = []
  readonly abandoned: Snapshot[] = []
  readonly cut: Slot[] = []
  readonly addresses = new Map<Slot, readonly string[]>()
  workerInfo: WorkerInfo[] = [{ id: 0, state: 'running', restarts: 0 }]
  draining = false
  stops = 0
  /** What prepare does before it resolves; set it to hold or to fail a change. */
  onPrepare: (snapshot: Snapshot) => void | Promise<void> = () => {}
  /** What apply does before it resolves; set it to hold or to fail a change. */
  onApply: (snapshot: Snapshot) => void | Promise<void> = () => {}
  /** What cutting does; by default everything in flight ends. */
  onCut: (slot: Slot) => void = (slot) => {
    while (this.state.active(slot) > 0) this.worker.leave(slot)
  }
  #listeners: ((failure: BackendFailure) => void)[] = []

  constructor(slots = 64) {
    const buffer = createSharedState({ slots, pools: 8, listeners: 2, workers: 2, affinityTables: 1 })
    this.state = new OwnerState(buffer)
    this.worker = new WorkerState(buffer, 0)
  }
  workers(): readonly WorkerInfo[] {
    return this.workerInfo
  }
  async prepare(snapshot: Snapshot): Promise<Prepared> {
    await this.onPrepare(snapshot)
    this.prepared.push(snapshot)
    return {
      commit: () => this.apply(snapshot),
      abandon: async () => void this.abandoned.push(snapshot),
    }
  }
  async apply(snapshot: Snapshot): Promise<void> {
    await this.onApply(snapshot)
    this.applied.push(snapshot)
  }
  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.addresses.set(slot, addresses)
  }
  cutBackend(slot: Slot): void {
    this.cut.push(slot)
    this.onCut(slot)
  }
  stop(): void {
    this.stops += 1
    this.draining = true
  }
  follow(): Following {
    return { ready: Promise.resolve(), stop: () => {} }
  }
  isDraining(): boolean {
    return this.draining
  }
  onBackendFailure(listener: (failure: BackendFailure) => void): void {
    this.#listeners.push(listener)
  }
  fail(failure: BackendFailure): void {
    for (const listener of this.#listeners) listener(failure)
  }
}

/** A snapshot of these pools, everything else at its default. */
/** Conditions that every request fulfils. */
export function matchSpec(over: Partial<MatchSpec> = {}): MatchSpec {
  return {
    hosts: [],
    paths: [],
    pathRegex: null,
    methods: [],
    headers: [],
    query: [],
    clients: [],
    listeners: [],
    serverNames: [],
    custom: null,
    ...over,
  }
}

/** A route to pool `default` that does nothing else. */
export function routeSpec(match: Partial<MatchSpec> = {}, over: Partial<RouteSpec> = {}): RouteSpec {
  return {
    name: 'route',
    rows: [],
    match: matchSpec(match),
    action: { kind: 'pool', pool: 'default' },
    rewrite: null,
    mirror: null,
    requestHeaders: null,
    responseHeaders: null,
    timeouts: null,
    retries: null,
    sticky: null,
    hostHeader: null,
    bodySize: null,
    allow: [],
    deny: [],
    rateLimits: [],
    concurrency: null,
    cors: null,
    basicAuth: null,
    forwardAuth: null,
    use: [],
    compression: null,
    cache: null,
    errorPages: [],
    accessLog: true,
    ...over,
  }
}

/** What a route with `cache: true` says. */
export function cacheSpec(over: Partial<CacheSpec> = {}): CacheSpec {
  return { ...cacheDefaults, ...over }
}

export function snapshotOf(pools: readonly PoolSpec[], generation = 1): Snapshot {
  const limits = { headerSize: 16_384, headerCount: 100, targetSize: 8192, bodySize: 0, maxConnectionsPerIp: 0 }
  const handshakes = { handshakeTimeoutMs: 10_000, maxHandshakes: 1000, helloSize: 16_384 }
  return {
    generation,
    instanceId: 'test',
    listeners: [listenerSpec({ pool: pools[0]?.name ?? '' })],
    pools,
    routes: [],
    plugins: [],
    trustedProxies: [],
    limits: { ...limits, ...handshakes, headerTimeoutMs: 10_000, idleTimeoutMs: 60_000, maxConnections: 0 },
    cacheStore: null,
    accessLog: null,
    tracing: null,
    errorDetails: 'trusted',
    workers: 1,
    graceMs: 30_000,
  }
}
