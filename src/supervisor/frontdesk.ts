// The whole program as one object: shared memory, control plane and workers, from start to the end of a drain.
import { availableParallelism } from 'node:os'
import type { LoadedConfig } from '../config/load.ts'
import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import type { Asked } from '../control/changes.ts'
import type { Configuration } from '../control/configuration.ts'
import { Control } from '../control/control.ts'
import { EventRing } from '../control/event-ring.ts'
import { type EventSink, eachOf, noEvents, type StopReason, tellProblems } from '../control/events.ts'
import { openState } from '../control/opening.ts'
import type { BackendFailure, ControlPort, ReloadResult } from '../control/port.ts'
import type { LoadConfig } from '../control/reloads.ts'
import type { StatusDocument } from '../control/status.ts'
import type { Log } from '../core/log.ts'
import { canReusePort } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import type { CacheStore } from '../state/cache/cache-store.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import type { BoundListener } from './bound-listener.ts'
import { Crew, type CrewOptions } from './crew.ts'
import { adminConnections, clientsPerWorker, descriptorLimit } from './descriptors.ts'
import type { Inheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { Outlets } from './outlets.ts'

export type { StopReason } from '../control/events.ts'
export type { BoundListener } from './bound-listener.ts'
export { type Inheritance, takeInheritance } from './inherited-sockets.ts'
export { ListenError, type Place } from './listen-error.ts'

export interface StartOptions {
  readonly loaded: LoadedConfig
  readonly log: Log
  /** Told of what happens; default: nobody is. */
  readonly events?: EventSink
  readonly version: string
  /** Reads the configuration again, for HUP and `POST /reload`; without it both read certificates only. */
  readonly load?: LoadConfig | null
  /** Called with each configuration that has come into force while it runs, such as for the level of the log. */
  readonly onConfig?: ((config: LoadedConfig['config']) => void) | undefined
  /** Told of every exchange that the main thread has served, when it has ended; then no access log is written. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
  /** Sockets that whoever started this process has passed on; default none. */
  readonly inheritance?: Inheritance
  /** Of roll-outs; for tests, which cannot wait. */
  readonly timing?: Pick<CrewOptions, 'rollOutMs' | 'drainMs'>
  /** False = no listener is bound: whoever embeds it brings connections by `serve`, to the main thread. Default true. */
  readonly bind?: boolean
}

/** A running Frontdesk. */
export interface Running {
  /** As they are now: a change may add, move and remove some. */
  readonly listeners: readonly BoundListener[]
  readonly admin: { readonly host: string; readonly port: number } | null
  /** As it is now; 0 = the main thread serves. */
  readonly workerCount: number
  /** Shared memory, for tests and embedders that count. */
  readonly state: OwnerState
  /** The main thread's way into the memory for cached answers, for tests that move its clock; null = no route caches. */
  readonly cacheStore: CacheStore | null
  /** Applies what can be applied; rejects with ConfigError or ControlError, and then nothing has changed. */
  reload(loaded: LoadedConfig, asked?: Partial<Asked>): Promise<ReloadResult>
  /** The same with the configuration as `load` gives it; what became of it is in the log. Rejects as `reload`. */
  reloadFile(asked?: Asked): Promise<ReloadResult>
  /** What runs, as a document. */
  readonly configuration: Configuration
  status(): StatusDocument
  readonly backends: Backends
  /** What is cached, and purging. */
  readonly cache: Cache
  /** Serves a connection of that listener in the main thread. False = a limit, or a stop, turns it away. */
  serve(listener: string, arrival: Arrival): boolean
  /** After a rotation of the access log. */
  reopenLogs(): void
  /**
   * Begins a graceful stop: readyz says 503, nothing new is accepted, what is in flight ends, or is cut after `graceMs`
   * (default `shutdown.grace`). Once it has begun, a call can only shorten what is left of that time.
   */
  drain(o?: { readonly graceMs?: number; readonly cause?: string }): void
  /** Closes everything now. */
  force(): void
  readonly stopped: Promise<StopReason>
}

/** The log's line at the begin of a stop, whoever asked for it. */
export const drainingWords = (cause: string): string => `draining (${cause}): no new connections, those open may finish`

/**
 * Starts Frontdesk. Rejects with ListenError when an address cannot be bound, with ConfigError when the state file is
 * another configuration's or a certificate cannot be used; then nothing is left running.
 */
export async function startFrontdesk(options: StartOptions): Promise<Running> {
  const { loaded, version, bind = true } = options
  const ring = new EventRing()
  const events = eachOf(options.events ?? noEvents, ring)
  const log = tellProblems(options.log, events)
  const opening = await openState({ loaded, log }).catch((error) => {
    throw loaded.locate(error)
  })
  // With everything that was changed while it ran.
  const { config } = opening.now
  const inheritance = options.inheritance ?? nothing
  const workersFor = (configured: number | 'auto'): number => (bind ? workerCount(configured, log) : 0)
  const atStart = workersFor(config.workers)
  const state = new OwnerState(createSharedState({ workers: 1, spareLanes: Math.max(SPARE_LANES, 2 * atStart) }))
  const failureListeners: ((failure: BackendFailure) => void)[] = []
  const outlets = new Outlets({ version, log })
  const crew = new Crew({
    workersFor,
    bind,
    inheritance,
    state,
    log,
    events,
    // Connections of inherited Unix sockets cannot be handed to a worker: the main thread serves them.
    maxClientsFor: (workers) =>
      clientsPerWorker(descriptorLimit(), Math.max(1, inheritance.sockets.length > 0 ? workers + 1 : workers)),
    onCommit: ({ graceMs }) => {
      stop.graceMs = graceMs
    },
    ...options.timing,
    onFailure: (failure) => {
      for (const listener of failureListeners) listener(failure)
    },
    onAccess: (lines) => outlets.access(lines),
    onSpans: (batch) => outlets.spans(batch),
    onExchange: options.onExchange,
  })
  const cleanUp = async (outcome?: StopReason): Promise<void> => {
    await control.close(outcome)
    await outlets.close()
  }
  const stop = new Stop({ graceMs: config.shutdown.graceMs, crew, cleanUp, events })
  const port: ControlPort = {
    version,
    startedAtMs: Date.now(),
    state,
    log,
    workers: () => crew.workers(),
    boundPort: (listener) => crew.portOf(listener),
    prepare: async (snapshot) => outlets.around(await crew.prepare(snapshot), snapshot),
    setAddresses: (slot, addresses) => crew.setAddresses(slot, addresses),
    cutBackend: (slot) => crew.cutBackend(slot),
    stop: () => {
      if (!stop.begun) log.event('info', 'draining', drainingWords('admin API'), { cause: 'admin API' })
      stop.drain({ cause: 'admin API' })
    },
    spanCounts: () => outlets.spanCounts,
    caches: () => crew.caches.inUse(),
    cacheDiskProblem: () => crew.caches.diskProblem,
    isDraining: () => stop.begun,
    follow: (filter, perSecond, onEntries) => crew.follows.add(filter, perSecond, onEntries),
    onBackendFailure: (listener) => void failureListeners.push(listener),
  }
  const control = await Control.create({
    port,
    loaded,
    opening,
    load: options.load ?? null,
    log,
    events,
    ring,
    onPlugins: (plugins) => crew.plugins.know(plugins),
    onConfig: options.onConfig,
    maxAdminConnections: adminConnections(descriptorLimit()),
  }).catch(async (error) => {
    await outlets.close()
    throw loaded.locate(error)
  })
  try {
    outlets.open(control.snapshot)
    await crew.start(control.snapshot)
    await control.start().catch((error: NodeJS.ErrnoException) => {
      throw error.syscall === 'listen' ? adminListenError(error, config) : error
    })
  } catch (error) {
    await crew.stop()
    await cleanUp()
    throw error
  }
  return {
    get listeners() {
      return crew.listeners()
    },
    admin: control.adminAddress(),
    get workerCount() {
      return crew.workerCount
    },
    state,
    get cacheStore() {
      return crew.caches.store
    },
    reload: (next, asked) => control.reload(next, asked),
    reloadFile: (asked) => control.reloadFile(asked),
    configuration: control.configuration,
    status: () => control.status(),
    backends: control.backends,
    cache: control.cache,
    serve: (listener, arrival) => crew.serve(listener, arrival),
    reopenLogs: () => outlets.reopen(),
    drain: (how) => stop.drain(how),
    force: () => stop.force(),
    stopped: stop.stopped,
  }
}

/** Where threads cannot share an address (macOS), one plane serves in the main thread. */
function workerCount(configured: number | 'auto', log: Log): number {
  const workers = configured === 'auto' ? availableParallelism() : configured
  if (workers === 0 || canReusePort) return workers
  log.event('warn', 'single_worker', `${process.platform} cannot share a port between threads: serving from one`)
  return 0
}

function adminListenError(error: NodeJS.ErrnoException, config: LoadedConfig['config']): ListenError {
  return new ListenError(error.code ?? 'EUNKNOWN', config.admin ?? { host: '', port: 0 })
}

/** Lanes of shared memory for workers that come later: they cost addresses until they are used, some 17 MB each. */
const SPARE_LANES = 32

const nothing: Inheritance = { sockets: [], refusal: '' }

/** What Node's timers take. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface StopOptions {
  readonly graceMs: number
  readonly crew: Crew
  readonly cleanUp: (outcome: StopReason) => Promise<void>
  readonly events: EventSink
}

/** The end of the program: drain within the time of grace, then close. */
class Stop {
  begun = false
  /** Unless a drain says otherwise. */
  graceMs: number
  readonly stopped: Promise<StopReason>
  readonly #o: StopOptions
  #resolve: (reason: StopReason) => void = () => {}
  #grace: NodeJS.Timeout | undefined
  #graceEndsAtMs = Number.POSITIVE_INFINITY
  #ending = false

  constructor(options: StopOptions) {
    this.#o = options
    this.graceMs = options.graceMs
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  drain({ graceMs = this.graceMs, cause = 'program' }: { graceMs?: number; cause?: string } = {}): void {
    const isFirst = this.#begin(cause, graceMs)
    this.#allow(graceMs)
    if (isFirst) void this.#o.crew.drain().then(() => this.#end('drained'))
  }

  force(): void {
    this.#begin('program', 0)
    void this.#end('forced')
  }

  #begin(cause: string, graceMs: number): boolean {
    if (this.begun) return false
    this.begun = true
    this.#o.events.emit({ type: 'draining', cause, graceMs })
    return true
  }

  /** What is left of the time of grace never grows. */
  #allow(graceMs: number): void {
    const endsAtMs = performance.now() + graceMs
    if (this.#ending || endsAtMs >= this.#graceEndsAtMs) return
    this.#graceEndsAtMs = endsAtMs
    clearTimeout(this.#grace)
    this.#grace = setTimeout(() => void this.#end('grace-expired'), Math.min(graceMs, LONGEST_TIMER_MS))
  }

  async #end(outcome: StopReason): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    clearTimeout(this.#grace)
    await this.#o.crew.stop()
    await this.#o.cleanUp(outcome)
    this.#o.events.emit({ type: 'closed', outcome })
    this.#resolve(outcome)
  }
}
