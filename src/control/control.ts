// The control plane of one process: the way of all changes, health, state file, admin API and metrics put together.

import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { configJsonSchema } from '../config/json-schema.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Log } from '../core/log.ts'
import type { BackendSpec, Slot, Snapshot } from '../core/spec.ts'
import { TrafficRows } from '../state/traffic-rows.ts'
import { AdminPort, type AdminPortDeps } from './admin/admin-port.ts'
import type { ListDeps } from './admin/calls/lists.ts'
import { frame, Streams } from './admin/streams.ts'
import { BackendCalls } from './backend-calls.ts'
import { CacheControl } from './cache/cache-control.ts'
import { CertificateStore } from './certificates/certificate-store.ts'
import { type Asked, Changes } from './changes.ts'
import { Compiler } from './compiler.ts'
import { Configuration } from './configuration.ts'
import { DrainEnds } from './drain-ends.ts'
import { EventRing } from './event-ring.ts'
import { eventView } from './event-view.ts'
import { type EventSink, noEvents, type StopReason } from './events.ts'
import { Explainer } from './explain/explain.ts'
import { Health, type HealthOptions } from './health/health.ts'
import type { InForce } from './in-force.ts'
import { listenerList } from './lists/listener-list.ts'
import { poolList } from './lists/pool-list.ts'
import { routeList } from './lists/route-list.ts'
import { Membership } from './membership.ts'
import { Metrics } from './metrics/metrics.ts'
import { type Opening, openState } from './opening.ts'
import type { ControlPort, ReloadResult } from './port.ts'
import { ProgramBackends } from './program-backends.ts'
import { type LoadConfig, Reloads } from './reloads.ts'
import { Roster } from './roster.ts'
import { Stats } from './stats/stats.ts'
import {
  backendList,
  backendStatus,
  readiness,
  type StatusDocument,
  type StatusSources,
  statusDocument,
} from './status.ts'
import type { FileSystem } from './store/file-system.ts'

export type { ReloadResult } from './port.ts'
export type { StatusDocument } from './status.ts'

export interface ControlOptions {
  readonly port: ControlPort
  /** The base name of its path says whose the state file is; without a path any state file is taken. */
  readonly loaded: LoadedConfig
  /** What `openState` has found, where it was asked before. */
  readonly opening?: Opening
  /** Reads the configuration again, for a reload; without it a reload reads certificates only. */
  readonly load?: LoadConfig | null
  readonly log: Log
  /** Told of what happens; default: nobody is. */
  readonly events?: EventSink
  /** What `GET /events` tells: whoever gives it has it told. Default: one that nobody tells anything. */
  readonly ring?: EventRing
  /** Called with the plug-ins of a configuration before it is prepared. */
  readonly onPlugins?: (plugins: LoadedConfig['plugins']) => void
  /** Called with each configuration that comes into force, at start where it is not that of the file. */
  readonly onConfig?: ((config: Config) => void) | undefined
  /** Other ways to check and resolve, for tests. */
  readonly health?: Pick<HealthOptions, 'probe' | 'lookup' | 'ttlOf' | 'concurrency'>
  readonly fileSystem?: FileSystem | undefined
  /** Of the admin API at once; default 256. */
  readonly maxAdminConnections?: number
}

/** Somebody will hold a cookie signed with the secret of the state file. */
const needsSecret = ({ pools, routes }: Config): boolean =>
  [...Object.values(pools), ...routes].some(
    ({ sticky }) => sticky !== null && sticky !== 'none' && sticky.by === 'cookie' && sticky.secret === null,
  )

const hangUp: Asked = { by: 'HUP', cause: 'HUP' }
const applied: Asked = { by: 'program', cause: 'apply' }

export class Control {
  readonly #options: ControlOptions
  readonly #opening: Opening
  readonly #certificates: CertificateStore
  readonly #health: Health
  readonly #roster: Roster
  readonly #changes: Changes
  readonly #drains: DrainEnds
  readonly #membership: Membership
  readonly #reloads: Reloads
  readonly #metrics: Metrics
  readonly #sources: StatusSources
  readonly #streams = new Streams()
  readonly #stats: Stats
  readonly #admin: AdminPort
  /** The configuration as a document, for the admin API and for the program that embeds this. */
  readonly configuration: Configuration
  /** What is cached, for both. */
  readonly cache: CacheControl

  private constructor(options: ControlOptions, certificates: CertificateStore, opening: Opening) {
    const { port, log, load = null, events = noEvents } = options
    this.#options = options
    this.#opening = opening
    this.#certificates = certificates
    const { store, kept, now } = opening
    const traffic = new TrafficRows(port.state)
    const instance = { instanceId: randomBytes(8).toString('hex'), stickySecret: kept.stickySecret }
    const compiler = new Compiler({ ...instance, rows: port.state.sizes, traffic, state: port.state })
    const setAddresses = (slot: Slot, addresses: readonly string[]): void => port.setAddresses(slot, addresses)
    this.#health = new Health({ state: port.state, log, events, setAddresses, ...options.health })
    const parts = { port, log, events, health: this.#health }
    this.#roster = new Roster({
      port,
      onFlags: (slot) => this.#health.noticed(slot),
      onDeparted: (departure) => this.#drains.departed(departure),
    })
    this.#drains = new DrainEnds({ ...parts, roster: this.#roster })
    this.#changes = new Changes({
      ...parts,
      store,
      kept,
      certificates,
      now,
      roster: this.#roster,
      compile: (config, material) => compiler.of(config, material),
      follower: {
        prepare: async (next, material) => {
          options.onPlugins?.(next.plugins)
          return this.#admin.prepare(next.config.admin, material)
        },
      },
      onChange: (snapshot, { config }) => {
        compiler.inForce(snapshot)
        this.#health.update(snapshot.pools)
        this.#drains.follow()
        options.onConfig?.(config)
      },
    })
    compiler.inForce(this.#roster.snapshot)
    this.#membership = new Membership({ ...parts, changes: this.#changes, roster: this.#roster })
    this.#reloads = new Reloads({ ...parts, load, changes: this.#changes })
    this.configuration = new Configuration({ ...parts, load, changes: this.#changes })
    this.#sources = { ...parts, membership: this.#membership }
    this.cache = new CacheControl({ ...parts, snapshot: () => this.#membership.snapshot })
    this.#stats = new Stats(this.#sources as ConstructorParameters<typeof Stats>[0])
    this.#metrics = new Metrics({
      ...parts,
      membership: this.#membership,
      reloadSuccessful: () => this.#reloads.successful,
      certificates: () => certificates.list().filter((one) => one.kind === 'certificate'),
    })
    this.#admin = this.#adminPort()
  }

  /**
   * Reads the state file and all certificates, claims slots, builds the first snapshot. Opens nothing.
   * @throws ConfigError when the state file belongs to a configuration file of another name, or what it holds does not go
   * with it any more, or a certificate, key, authority or revocation list cannot be used.
   */
  static async create(options: ControlOptions): Promise<Control> {
    const { loaded, log, fileSystem } = options
    const opening = options.opening ?? (await openState({ loaded, log, fileSystem }))
    const { config, plugins } = opening.now
    options.onPlugins?.(plugins)
    if (config !== loaded.config) options.onConfig?.(config)
    const certificates = await CertificateStore.load({
      config,
      configPath: loaded.path,
      log,
      events: options.events ?? noEvents,
    })
    return new Control(options, certificates, opening)
  }

  /** What the workers shall run now. */
  get snapshot(): Snapshot {
    return this.#roster.snapshot
  }

  /** The configuration that runs, in its layers. */
  get inForce(): InForce {
    return this.#changes.now
  }

  /** Addresses of backends found so far: for a worker that starts later. */
  addresses(): ReadonlyMap<Slot, readonly string[]> {
    return this.#health.addresses()
  }

  /** Begins health checks and name resolution, and opens the admin API. Rejects with Node's error if it cannot bind. */
  async start(): Promise<void> {
    const prepared = await this.#admin.prepare(this.inForce.config.admin, this.#certificates.material)
    prepared.commit()
    this.#certificates.onAdopted((material) => this.#admin.renew(material))
    this.#options.port.onBackendFailure((failure) => this.#health.failed(failure))
    this.#health.update(this.snapshot.pools)
    this.#drains.follow()
    await this.#certificates.start(() => void this.#reloads.refresh())
    await this.#keepOpening()
  }

  /** What is known from now on, and would not be at the next start. */
  async #keepOpening(): Promise<void> {
    const { store, isFresh, isOutdated } = this.#opening
    const { log } = this.#options
    if (store === null) return
    if (isOutdated) {
      await this.#changes.persist().catch((error: Error) => {
        const message = `${error.message}: what the file has overtaken is in force again if the file is changed back`
        log.event('warn', 'state_not_saved', message)
      })
    } else if (isFresh && needsSecret(this.inForce.config)) {
      await this.#changes.persist().catch(() => {
        const message = 'the sticky secret could not be kept: after a restart clients may be sent to other backends'
        log.event('warn', 'sticky_secret_not_saved', message)
      })
    }
  }

  /** Where the admin API listens, or null. */
  adminAddress(): { host: string; port: number } | null {
    return this.#admin.address()
  }

  /** As `Reloads.apply`. */
  reload(loaded: LoadedConfig, asked: Partial<Asked> = {}): Promise<ReloadResult> {
    return this.#reloads.apply(loaded, { ...applied, ...asked })
  }

  /** Reads the configuration file and the certificates again; see `Reloads.fromFile`. */
  reloadFile(asked: Asked = hangUp): Promise<ReloadResult> {
    return this.#reloads.fromFile(asked)
  }

  status(): StatusDocument {
    return statusDocument(this.#sources)
  }

  /** For the program that embeds this. */
  get backends(): ProgramBackends {
    return new ProgramBackends(this.#calls())
  }

  /** Ends checks, changes under way and the admin API. The workers are not touched. `outcome`: for who reads streams. */
  async close(outcome: StopReason = 'drained'): Promise<void> {
    this.#health.close()
    this.#drains.close()
    this.#reloads.close()
    this.#certificates.close()
    // Whoever waits for a removal is answered.
    this.#roster.departures.close()
    await this.#changes.close()
    await this.#opening.store?.settled()
    this.#streams.close(frame('closed', JSON.stringify(eventView({ type: 'closed', at: new Date(), outcome }))))
    await this.#admin.close()
  }

  #calls(): BackendCalls {
    const sources = this.#sources
    return new BackendCalls({
      membership: this.#membership,
      list: () => backendList(sources),
      describe: (backend: BackendSpec, drainEndsAt) => backendStatus(sources, backend, drainEndsAt),
      lastCheck: (slot) => this.#health.checks(slot)?.last ?? null,
    })
  }

  #explainer(): Explainer {
    const { port } = this.#options
    return new Explainer({
      state: port.state,
      health: this.#health,
      snapshot: () => this.#membership.snapshot,
      cache: () => port.caches?.()[0],
    })
  }

  #lists(): ListDeps['lists'] {
    const sources = { port: this.#options.port, membership: this.#membership }
    return {
      listeners: () => listenerList(sources),
      pools: () => poolList(sources),
      routes: () => routeList(sources),
    }
  }

  #adminPort(): AdminPort {
    const { port, log, ring = new EventRing(), maxAdminConnections: maxConnections = 256 } = this.#options
    const deps: AdminPortDeps = {
      version: port.version,
      revision: () => this.#membership.revision,
      log,
      backends: this.#calls(),
      configuration: this.configuration,
      status: async () => statusDocument(this.#sources, await backendList(this.#sources)),
      scrape: () => this.#metrics.scrape(),
      readiness: () => readiness(port),
      certificates: () => this.#certificates.list(),
      reload: (asked) => this.#reloads.fromFile(asked),
      stop: () => port.stop(),
      configSchema: configJsonSchema,
      streams: this.#streams,
      ring,
      stats: this.#stats,
      lists: this.#lists(),
      live: port,
      explainer: this.#explainer(),
      cache: this.cache,
    }
    return new AdminPort(deps, { maxConnections })
  }
}
