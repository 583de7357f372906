// Frontdesk inside a program: the same supervisor that the command line runs, without signals, output or exit.
import type { LoadedConfig } from '../config/load.ts'
import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import { EventBus, type EventReader, type ReadOptions } from '../control/event-bus.ts'
import { type StopReason, tellProblems } from '../control/events.ts'
import type { StatusDocument } from '../control/status-document.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import { FrontdeskError } from '../core/frontdesk-error.ts'
import type { Log } from '../core/log.ts'
import type { BoundListener } from '../supervisor/bound-listener.ts'
import { drainingWords, type Running, startFrontdesk } from '../supervisor/frontdesk.ts'
import { readVersion } from '../supervisor/read-version.ts'
import { applyLoaded } from './apply-loaded.ts'
import type {
  ApplyOptions,
  ApplyResult,
  CloseOptions,
  ConfigFile,
  Frontdesk,
  FrontdeskOptions,
  Revision,
} from './frontdesk.ts'
import { graceOf } from './grace.ts'
import { type ProgramLog, programLog } from './program-log.ts'
import { isFile, readConfiguration } from './read-configuration.ts'

/**
 * Checks the configuration and makes a Frontdesk of it, which serves from `start` on. It runs in the calling thread unless
 * the configuration says `workers`. Rejects with ConfigError, every problem in it.
 */
export async function createFrontdesk(
  config: FrontdeskConfig | ConfigFile,
  options: FrontdeskOptions = {},
): Promise<Frontdesk> {
  const loaded = await readConfiguration(config)
  const load = isFile(config) ? () => readConfiguration(config) : null
  return new Embedded({ loaded, load, log: programLog(options.log, loaded.config.logging.level) })
}

interface EmbeddedOptions {
  readonly loaded: LoadedConfig
  /** For `POST /reload` of the admin API; null = it reads certificates only. */
  readonly load: (() => Promise<LoadedConfig>) | null
  readonly log: ProgramLog
}

class Embedded implements Frontdesk {
  readonly #o: EmbeddedOptions
  readonly #bus = new EventBus()
  readonly #told: Log
  readonly backends: Backends
  readonly cache: Cache
  #running: Running | null = null
  #starting: Promise<void> | null = null
  #closing: Promise<StopReason> | null = null
  #isClosed = false

  constructor(options: EmbeddedOptions) {
    this.#o = options
    this.#told = tellProblems(options.log, this.#bus)
    this.backends = {
      list: async () => this.#active().backends.list(),
      add: async (backend, options) => this.#active().backends.add(backend, options),
      update: async (backend) => this.#active().backends.update(backend),
      drain: async (backend) => this.#active().backends.drain(backend),
      remove: async (backend) => this.#active().backends.remove(backend),
    }
    this.cache = {
      stats: async (query) => this.#active().cache.stats(query),
      purge: async (what) => this.#active().cache.purge(what),
    }
  }

  start(): Promise<void> {
    if (this.#isClosed || this.#closing !== null) return Promise.reject(closed())
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = null
      throw error
    })
    return this.#starting
  }

  get listeners(): readonly BoundListener[] {
    return this.#running?.listeners ?? []
  }

  get admin(): { readonly host: string; readonly port: number } | null {
    return this.#running?.admin ?? null
  }

  status(): StatusDocument {
    return this.#active().status()
  }

  async apply(config: FrontdeskConfig | ConfigFile, { dryRun }: ApplyOptions = {}): Promise<ApplyResult> {
    this.#active()
    const loaded = await readConfiguration(config)
    return applyLoaded(this.#active(), loaded, { dryRun, log: this.#told })
  }

  config(): Readonly<Record<string, unknown>> {
    return this.#active().configuration.expanded() as Readonly<Record<string, unknown>>
  }

  history(): readonly Revision[] {
    const entries = this.#active().configuration.history()
    return entries.map(({ revision, at, by, cause, changes }) => ({ revision, at: new Date(at), by, cause, changes }))
  }

  async rollback(revision?: number, { dryRun }: ApplyOptions = {}): Promise<ApplyResult> {
    const { configuration } = this.#active()
    const outcome = await configuration.rollback(revision, { by: 'program', dryRun })
    return { revision: outcome.revision, changes: outcome.words, refused: outcome.refused, plan: outcome.plan }
  }

  events(options?: ReadOptions): EventReader {
    return this.#bus.read(options)
  }

  async close(options: CloseOptions = {}): Promise<StopReason> {
    const grace = graceOf(options)
    const isFirst = this.#closing === null
    this.#closing ??= this.#close()
    // One that is still starting has nothing open yet.
    await this.#starting?.catch(() => undefined)
    if (isFirst && !this.#isClosed) this.#o.log.event('info', 'draining', drainingWords('close'), { cause: 'close' })
    this.#running?.drain({ cause: 'close', ...grace })
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(): Promise<void> {
    const { loaded, load, log } = this.#o
    for (const warning of loaded.warnings) this.#told.event('warn', 'configuration', warning)
    try {
      const onConfig = ({ logging }: LoadedConfig['config']): void => {
        log.level = logging.level
      }
      const parts = { loaded, load, log, onConfig, events: this.#bus }
      this.#running = await startFrontdesk({ ...parts, version: readVersion() })
    } catch (error) {
      throw error instanceof FrontdeskError ? error : startFailed(error)
    }
    void this.#running.stopped.then(() => this.#ended())
  }

  async #close(): Promise<StopReason> {
    await this.#starting?.catch(() => undefined)
    const outcome = (await this.#running?.stopped) ?? 'drained'
    if (this.#running === null) {
      this.#bus.emit({ type: 'closed', outcome })
      this.#ended()
    }
    return outcome
  }

  #ended(): void {
    this.#isClosed = true
    this.#bus.close()
  }

  #active(): Running {
    if (this.#isClosed) throw closed()
    if (this.#running === null) throw new FrontdeskError('not-started', 'this Frontdesk is not started: call start()')
    return this.#running
  }
}

const closed = (): FrontdeskError => new FrontdeskError('closed', 'this Frontdesk is closed: create another')

function startFailed(cause: unknown): FrontdeskError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new FrontdeskError('start-failed', message, { cause })
}
