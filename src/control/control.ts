// The control plane of one process: membership, health, state file, admin API and metrics put together.

import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import type { Config } from '../config/config.ts'
import { configJsonSchema } from '../config/json-schema.ts'
import { ConfigError } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import type { BackendSpec, Slot, Snapshot } from '../core/spec.ts'
import { TrafficRows } from '../state/traffic-rows.ts'
import { AdminPort } from './admin/admin-port.ts'
import type { ListDeps } from './admin/calls/lists.ts'
import { frame, Streams } from './admin/streams.ts'
import { BackendCalls } from './backend-calls.ts'
import { CertificateStore } from './certificates/certificate-store.ts'
import type { Material } from './certificates/material.ts'
import { Compiler } from './compiler.ts'
import { EventRing } from './event-ring.ts'
import { eventView } from './event-view.ts'
import { type EventSink, noEvents, type StopReason } from './events.ts'
import { Health, type HealthOptions } from './health/health.ts'
import { listenerList } from './lists/listener-list.ts'
import { poolList } from './lists/pool-list.ts'
import { routeList } from './lists/route-list.ts'
import { type Asked, type Compile, Membership } from './membership.ts'
import { Metrics } from './metrics/metrics.ts'
import type { ControlPort, ReloadResult } from './port.ts'
import { ProgramBackends } from './program-backends.ts'
import { configuredPools } from './reload.ts'
import { type LoadConfig, Reloads } from './reloads.ts'
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
import type { Overlay, StateDocument } from './store/state-document.ts'
import { StateStore } from './store/state-store.ts'

export type { ReloadResult } from './port.ts'
export type { StatusDocument } from './status.ts'

export interface ControlOptions {
  readonly port: ControlPort
  readonly config: Config
  /** Its base name says whose the state file is; null without a file: then any state file is taken. */
  readonly configPath: string | null
  /** Reads the configuration again, for a reload; without it a reload reads certificates only. */
  readonly load?: LoadConfig | null
  readonly log: Log
  /** Told of what happens; default: nobody is. */
  readonly events?: EventSink
  /** What `GET /events` tells: whoever gives it has it told. Default: one that nobody tells anything. */
  readonly ring?: EventRing
  /** Other ways to check and resolve, for tests. */
  readonly health?: Pick<HealthOptions, 'probe' | 'lookup' | 'ttlOf' | 'concurrency'>
  readonly fileSystem?: FileSystem
}

const freshDocument = (): StateDocument => ({
  revision: 1,
  stickySecret: randomBytes(32).toString('hex'),
  overlay: {},
})

const ownerOf = ({ configPath }: ControlOptions): { configuration?: string } =>
  configPath === null ? {} : { configuration: basename(configPath) }

/** Backends that were added to one configuration must not get the traffic of another that lies in the same folder. */
function refuseForeign(found: StateDocument | null, options: ControlOptions, stateFile: string): void {
  const theirs = found?.configuration
  const ours = ownerOf(options).configuration
  if (theirs === undefined || ours === undefined || theirs === ours) return
  const message = `the state file ${stateFile} holds the changes made to ${theirs}, not to ${ours}`
  const hint = `give ${ours} a "state_file" of its own; if ${theirs} was renamed to ${ours}, rename or remove the state file, and its changes are forgotten`
  const place = { file: options.configPath ?? '', line: 0, column: 0, path: 'state_file' }
  throw new ConfigError([{ ...place, message, hint, value: stateFile }])
}

/** Somebody will hold a cookie signed with the secret of the state file. */
const needsSecret = ({ pools, routes }: Config): boolean =>
  [...Object.values(pools), ...routes].some(
    ({ sticky }) => sticky !== null && sticky !== 'none' && sticky.by === 'cookie' && sticky.secret === null,
  )

/** What has to be read before a control plane can be made. */
interface Found {
  readonly certificates: CertificateStore
  readonly store: StateStore | null
  readonly document: StateDocument | null
}

export class Control {
  readonly #options: ControlOptions
  readonly #membership: Membership
  readonly #health: Health
  readonly #store: StateStore | null
  readonly #certificates: CertificateStore
  readonly #reloads: Reloads
  /** The state file did not exist, or could not be used. */
  readonly #isFresh: boolean
  readonly #metrics: Metrics
  readonly #sources: StatusSources
  readonly #streams = new Streams()
  readonly #stats: Stats
  #admin: AdminPort | null = null

  private constructor(options: ControlOptions, { certificates, store, document: found }: Found) {
    const { port, config, log, load = null, events = noEvents } = options
    const document = { ...(found ?? freshDocument()), ...ownerOf(options) }
    this.#options = options
    this.#store = store
    this.#certificates = certificates
    this.#isFresh = found === null
    const instanceId = randomBytes(8).toString('hex')
    const { stickySecret } = document
    const traffic = new TrafficRows(port.state)
    const compiler = new Compiler({ instanceId, stickySecret, rows: port.state.sizes, traffic, state: port.state })
    const compile = (of: Config, material: Material): Compile => compiler.of(of, material)
    const setAddresses = (slot: Slot, addresses: readonly string[]): void => port.setAddresses(slot, addresses)
    this.#health = new Health({ state: port.state, log, events, setAddresses, ...options.health })
    this.#membership = new Membership({
      port,
      log,
      events,
      store,
      document,
      configured: configuredPools(config),
      compile: compile(config, certificates.material),
      onChange: (snapshot) => {
        compiler.inForce(snapshot)
        this.#health.update(snapshot.pools)
      },
      onFlags: (slot) => this.#health.noticed(slot),
    })
    compiler.inForce(this.#membership.snapshot)
    this.#reloads = new Reloads({ log, events, config, load, certificates, membership: this.#membership, compile })
    const parts = { port, health: this.#health, membership: this.#membership }
    this.#sources = parts
    this.#stats = new Stats(parts)
    this.#metrics = new Metrics({
      ...parts,
      reloadSuccessful: () => this.#reloads.successful,
      certificates: () => certificates.list().filter((one) => one.kind === 'certificate'),
    })
  }

  /**
   * Reads the state file and all certificates, claims slots, builds the first snapshot. Opens nothing.
   * @throws ConfigError when the state file belongs to a configuration file of another name, or a certificate, key,
   * authority or revocation list cannot be used.
   */
  static async create(options: ControlOptions): Promise<Control> {
    const { config, configPath, log } = options
    const certificates = await CertificateStore.load({ config, configPath, log })
    const path = config.stateFile
    if (path === null) return new Control(options, { certificates, store: null, document: null })
    const fileSystem = options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem }
    const { store, document } = await StateStore.open({ path, log, ...fileSystem })
    refuseForeign(document, options, path)
    return new Control(options, { certificates, store, document })
  }

  /** What the workers shall run now. */
  get snapshot(): Snapshot {
    return this.#membership.snapshot
  }

  /** Addresses of backends found so far: for a worker that starts later. */
  addresses(): ReadonlyMap<Slot, readonly string[]> {
    return this.#health.addresses()
  }

  /** Begins health checks and name resolution, and opens the admin API. Rejects with Node's error if it cannot bind. */
  async start(): Promise<void> {
    await this.#openAdmin()
    this.#tellOverlay()
    this.#options.port.onBackendFailure((failure) => this.#health.failed(failure))
    this.#health.update(this.snapshot.pools)
    await this.#certificates.start(() => void this.#reloads.refresh())
    if (this.#store === null || !this.#isFresh || !needsSecret(this.#options.config)) return
    await this.#membership.persist().catch(() => {
      const message = 'the sticky secret could not be kept: after a restart clients may be sent to other backends'
      this.#options.log.event('warn', 'sticky_secret_not_saved', message)
    })
  }

  /** Where the admin API listens, or null. */
  adminAddress(): { host: string; port: number } | null {
    return this.#admin?.address() ?? null
  }

  /** As `Reloads.apply`. */
  reload(config: Config): Promise<ReloadResult> {
    return this.#reloads.apply(config)
  }

  /** Reads the configuration file and the certificates again; see `Reloads.fromFile`. */
  reloadFile(): Promise<ReloadResult> {
    return this.#reloads.fromFile()
  }

  status(): StatusDocument {
    return statusDocument(this.#sources)
  }

  /** For the program that embeds this. */
  get backends(): ProgramBackends {
    return new ProgramBackends(this.#calls('program'))
  }

  /** Ends checks, changes under way and the admin API. The workers are not touched. `outcome`: for who reads streams. */
  async close(outcome: StopReason = 'drained'): Promise<void> {
    this.#health.close()
    await this.#reloads.close()
    await this.#membership.close()
    await this.#store?.settled()
    this.#streams.close(frame('closed', JSON.stringify(eventView({ type: 'closed', at: new Date(), outcome }))))
    await this.#admin?.close()
    this.#admin = null
  }

  #calls(asked: Asked): BackendCalls {
    const sources = this.#sources
    const list = () => backendList(sources)
    const describe = (backend: BackendSpec) => backendStatus(sources, backend)
    return new BackendCalls({ membership: this.#membership, list, describe }, asked)
  }

  #lists(): ListDeps['lists'] {
    const sources = { port: this.#options.port, membership: this.#membership }
    return {
      listeners: () => listenerList(sources),
      pools: () => poolList(sources),
      routes: () => routeList(sources),
    }
  }

  async #openAdmin(): Promise<void> {
    const { port, log } = this.#options
    const { admin } = this.#options.config
    if (admin === null) return
    this.#admin = new AdminPort({
      version: port.version,
      revision: () => this.#membership.revision,
      log,
      backends: this.#calls('admin API'),
      status: async () => statusDocument(this.#sources, await backendList(this.#sources)),
      scrape: () => this.#metrics.scrape(),
      readiness: () => readiness(port),
      certificates: () => this.#certificates.list(),
      reload: () => this.#reloads.fromFile(),
      stop: () => port.stop(),
      configSchema: configJsonSchema,
      streams: this.#streams,
      ring: this.#options.ring ?? new EventRing(),
      stats: this.#stats,
      lists: this.#lists(),
    })
    const prepared = await this.#admin.prepare(admin, this.#certificates.material)
    prepared.commit()
    this.#certificates.onAdopted((material) => this.#admin?.renew(material))
  }

  /** An operator who looks at the file alone would not know why other backends run. */
  #tellOverlay(): void {
    const words = overlayWords(this.#membership.overlay)
    if (words === '') return
    const path = this.#store?.path ?? ''
    const message = `changes made over the admin API are in force again (${path}): ${words}`
    this.#options.log.event('info', 'state_restored', message, { path, revision: this.#membership.revision })
  }
}

function overlayWords(overlay: Overlay): string {
  const pools = Object.values(overlay)
  const count = (size: (pool: Overlay[string]) => number): number => pools.reduce((sum, pool) => sum + size(pool), 0)
  const parts = [
    [count((pool) => Object.keys(pool.added).length), 'added'],
    [count((pool) => pool.removed.length), 'removed'],
    [count((pool) => Object.keys(pool.patched).length), 'changed'],
  ] as const
  return parts
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(', ')
}
