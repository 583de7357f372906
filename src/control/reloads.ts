// Everything that brings a running process up to date with its files: the configuration read again on request, and
// certificates that changed. One at a time; what cannot be taken leaves in force what is.

import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import { type CertificateStore, problemsOf } from './certificates/certificate-store.ts'
import type { Material, MaterialRead } from './certificates/material.ts'
import { fieldProblem } from './control-error.ts'
import { type EventSink, noEvents } from './events.ts'
import type { Compile, Membership } from './membership.ts'
import type { ReloadResult } from './port.ts'
import { configuredPools, keysThatNeedRestart, listenerChanges } from './reload.ts'
import { routeChanges } from './route-changes.ts'
import { SerialQueue } from './serial-queue.ts'

/** Reads the configuration again; a module is imported, which takes a while. */
export type LoadConfig = () => LoadedConfig | Promise<LoadedConfig>

export interface ReloadsOptions {
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  readonly config: Config
  /** Reads the configuration file again; null without one: then a reload reads certificates only. */
  readonly load: LoadConfig | null
  readonly certificates: CertificateStore
  readonly membership: Pick<Membership, 'reconfigure' | 'revision'>
  readonly compile: (config: Config, material: Material) => Compile
}

export class Reloads {
  readonly #o: ReloadsOptions
  readonly #queue = new SerialQueue()
  #config: Config
  #successful = true
  /** The last reload was applied but for certificates that could not be used. */
  #onlyRefused = false
  #closed = false

  constructor(options: ReloadsOptions) {
    this.#o = options
    this.#config = options.config
  }

  /** The last reload that was asked for was applied whole, be it later when a file had been mended, or none was. */
  get successful(): boolean {
    return this.#successful
  }

  /**
   * Applies another configuration if only backends, routes and `tls` of listeners differ; else says what needs a restart and
   * changes nothing. Certificates are read again in any case; `locate` finds the places of those that cannot be used.
   * @throws ConfigError, ControlError; then nothing has changed.
   */
  apply(config: Config, locate: LoadedConfig['locate'] = (error) => error): Promise<ReloadResult> {
    return this.#queue.run(async () => {
      this.#successful = false
      this.#onlyRefused = false
      const needsRestart = keysThatNeedRestart(this.#config, config)
      if (needsRestart.length > 0) return { applied: false, needsRestart }
      const read = await this.#o.certificates.read(config)
      const changes = await this.#rollOut(config, read)
      this.#o.certificates.adopt(read, { tellAgain: true })
      this.#config = config
      this.#successful = read.refusals.length === 0
      this.#onlyRefused = !this.#successful
      const located = locate(new ConfigError(problemsOf(read.refusals, null))) as ConfigError
      const refused = located.problems.map(fieldProblem)
      const { revision } = this.#o.membership
      const events = this.#o.events ?? noEvents
      events.emit({ type: 'config_applied', revision, changes, refused })
      return { applied: true, revision, changes, refused }
    })
  }

  /** Reads the file again, applies it and leaves in the log what became of it. @throws as `apply`. */
  async fromFile(): Promise<ReloadResult> {
    let loaded: LoadedConfig | undefined
    try {
      loaded = await this.#o.load?.()
      for (const warning of loaded?.warnings ?? []) this.#o.log.event('warn', 'configuration', warning)
      const before = this.#o.membership.revision
      const result = await this.apply(loaded?.config ?? this.#config, loaded?.locate)
      this.#tell(result, before)
      return result
    } catch (error) {
      this.#successful = false
      const located = loaded?.locate(error) ?? error
      this.#tellFailure(located)
      throw located
    }
  }

  /** Files of certificates may have changed: takes what is new and can be used. Never rejects. */
  refresh(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#closed) return
      try {
        const read = await this.#o.certificates.read(this.#config)
        if (this.#closed) return
        await this.#rollOut(this.#config, read)
        this.#o.certificates.adopt(read)
        if (this.#onlyRefused && read.refusals.length === 0) {
          this.#successful = true
          this.#onlyRefused = false
        }
      } catch (error) {
        const message = `changed certificates could not be taken, the old ones stay: ${(error as Error).message}`
        this.#o.log.event('error', 'certificates_not_applied', message)
      }
    })
  }

  /** After what is under way nothing more is begun. */
  async close(): Promise<void> {
    this.#closed = true
    this.#o.certificates.close()
    await this.#queue.run(async () => undefined)
  }

  async #rollOut(config: Config, { material }: MaterialRead): Promise<string[]> {
    const changed = material.changedSince(this.#o.certificates.material)
    const changes = await this.#o.membership.reconfigure({
      configured: configuredPools(config),
      compile: this.#o.compile(config, material),
      others: [...listenerChanges(this.#config, config), ...routeChanges(this.#config, config)],
      isStale: changed.length > 0,
    })
    return [...changes, ...changed.map(({ wanted }) => `${wanted.files.cert} changed`)]
  }

  #tell(result: ReloadResult, before: number): void {
    const { log, load } = this.#o
    if (!result.applied) {
      const keys = result.needsRestart
      log.event('warn', 'reload_refused', `nothing changed: ${keys.join(', ')} can only change with a restart`, {
        keys,
      })
      return
    }
    const { changes, revision, refused } = result
    const what = load === null ? 'certificates' : 'configuration'
    const as = revision === before ? '' : ` as revision ${revision}`
    const done =
      changes.length > 0
        ? `${what} applied${as}: ${changes.join('; ')}`
        : `${what} read again: nothing ${load === null ? 'has' : 'in it has'} changed`
    const but =
      refused.length === 0 ? '' : `; what cannot be used (${refused.map(({ path }) => path).join(', ')}) stays`
    const rest = but === '' ? '' : `${but} as it was`
    log.event(but === '' ? 'info' : 'warn', 'reloaded', `${done}${rest}`, {
      ...(changes.length > 0 && { changes }),
      revision,
    })
  }

  #tellFailure(error: unknown): void {
    const consequence = 'nothing changed, the old configuration goes on'
    const problems = error instanceof ConfigError ? error.problems : []
    for (const problem of problems) {
      this.#o.log.event('error', 'reload_failed', `${formatProblem(problem)} (${consequence})`, { problem })
    }
    if (problems.length > 0) return
    this.#o.log.event('error', 'reload_failed', `${(error as Error).message} (${consequence})`)
  }
}
