// A Frontdesk in the main thread that binds nothing: the program's own server brings it requests.
import { readObject } from '../config/adapters/module.ts'
import { ConfigError, type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.ts'
import { loadWithPlugins } from '../config/load-with-plugins.ts'
import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import { EventBus, type EventReader, type ReadOptions } from '../control/event-bus.ts'
import { type StopReason, tellProblems } from '../control/events.ts'
import type { StatusDocument } from '../control/status-document.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import { FrontdeskError } from '../core/frontdesk-error.ts'
import type { Log } from '../core/log.ts'
import { applyLoaded } from '../library/apply-loaded.ts'
import type { ApplyResult, CloseOptions } from '../library/frontdesk.ts'
import { graceOf } from '../library/grace.ts'
import { type LogEvent, type ProgramLog, programLog } from '../library/program-log.ts'
import type { Arrival } from '../net/arrival.ts'
import { type Running, startFrontdesk } from '../supervisor/frontdesk.ts'
import { readVersion } from '../supervisor/read-version.ts'
import type { HandlerConfig } from './handler.ts'

/** Name of the one listener, in logs, metrics and routes. */
export const listenerName = 'handler'

const strangers = ['port', 'listeners', 'tls', 'workers'] as const

export class Hosted {
  /** Fulfilled when requests can be served. Requests that come earlier wait. */
  readonly ready: Promise<void>
  readonly backends: Backends
  readonly cache: Cache
  readonly #bus = new EventBus()
  #running: Running | null = null
  #closing: Promise<StopReason> | null = null
  #isClosed = false

  readonly log: Log

  /** @throws ConfigError. What can only be found out later (plug-ins, certificates) rejects `ready`. */
  constructor(config: HandlerConfig, tell: ((event: LogEvent) => void) | undefined) {
    const options = loadOptions(config)
    // Everything that can be wrong with the words is told where the handler is made.
    const { value, problems } = readObject(options.value, 'inline:check')
    if (problems.length > 0) throw new ConfigError(problems)
    const checked = loadConfig({ ...options, value })
    const log = programLog(tell, checked.config.logging.level)
    this.log = tellProblems(log, this.#bus)
    for (const warning of checked.warnings) this.log.event('warn', 'configuration', warning)
    this.ready = this.#start(options, log)
    // Whoever does not wait is told by the log, and by each request.
    this.ready.catch((error: unknown) => this.log.event('error', 'start_failed', `the proxy could not start: ${error}`))
    const ofRunning = async (): Promise<Backends> => (await this.#whenRunning()).backends
    this.backends = {
      list: async () => (await ofRunning()).list(),
      add: async (backend) => (await ofRunning()).add(backend),
      update: async (backend) => (await ofRunning()).update(backend),
      drain: async (backend) => (await ofRunning()).drain(backend),
      remove: async (backend) => (await ofRunning()).remove(backend),
    }
    this.cache = {
      stats: async (query) => (await this.#whenRunning()).cache.stats(query),
      purge: async (what) => (await this.#whenRunning()).cache.purge(what),
    }
  }

  /** Null until it is ready. */
  get running(): Running | null {
    return this.#running
  }

  get isClosing(): boolean {
    return this.#closing !== null
  }

  /** False = turned away, by a limit or because of a stop. */
  serve(arrival: Arrival): boolean {
    return this.#running!.serve(listenerName, arrival)
  }

  /** @throws FrontdeskError not-started, closed */
  status(): StatusDocument {
    if (this.#isClosed) throw closed()
    if (this.#running === null) throw new FrontdeskError('not-started', 'this proxy is not ready yet: await ready')
    return this.#running.status()
  }

  /** Rejects with ConfigError, NeedsRestartError or ControlError, and then nothing has changed. */
  async reload(config: HandlerConfig): Promise<ApplyResult> {
    const running = await this.#whenRunning()
    const loaded = await loadWithPlugins(loadOptions(config))
    return applyLoaded(running, loaded, { log: this.log })
  }

  events(options?: ReadOptions): EventReader {
    return this.#bus.read(options)
  }

  /** A second call can only shorten what is left of the time of grace. */
  async close(options: CloseOptions = {}): Promise<StopReason> {
    const how = { cause: 'close', ...graceOf(options) }
    this.ready.then(() => this.#running!.drain(how)).catch(() => this.#bus.close())
    this.#closing ??= this.ready.then(
      () => this.#running!.stopped,
      () => 'drained' as const,
    )
    return this.#closing
  }

  async #start(options: HostedLoad, log: ProgramLog): Promise<void> {
    const loaded = await loadWithPlugins(options)
    const onConfig = ({ logging }: LoadedConfig['config']): void => {
      log.level = logging.level
    }
    const parts = { loaded, log, onConfig, events: this.#bus }
    const running = await startFrontdesk({ ...parts, version: readVersion(), bind: false })
    this.#running = running
    void running.stopped.then(() => {
      this.#isClosed = true
      this.#bus.close()
    })
  }

  async #whenRunning(): Promise<Running> {
    await this.ready
    if (this.#isClosed) throw closed()
    return this.#running!
  }
}

const closed = (): FrontdeskError => new FrontdeskError('closed', 'this proxy is closed: make another')

type HostedLoad = LoadOptions & { readonly value: object }

/** @throws ConfigError for keys of programs that listen by themselves. */
function loadOptions(config: HandlerConfig): HostedLoad {
  // What it is instead is told by whoever reads it.
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return { value: config ?? null }
  const written = strangers.filter(
    (key) => Object.hasOwn(config, key) && (config as FrontdeskConfig)[key] !== undefined,
  )
  if (written.length > 0) {
    const message = 'cannot stand here: the server of the program listens, in its own thread'
    const place = { file: 'configuration', line: 0, column: 0, value: undefined }
    throw new ConfigError(written.map((path) => ({ ...place, path, message, hint: 'remove it' })))
  }
  const listeners = [{ name: listenerName, listen: '127.0.0.1:0' }]
  return { value: { ...config, listeners, workers: 0 }, allowAnyPort: true }
}
