// What comes from files: the configuration read again on request, and certificates that changed. Each goes the way of all
// changes; what cannot be taken leaves in force what is.

import type { LoadedConfig } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import type { Asked, Changes, Outcome } from './changes.ts'
import { ControlError, fieldProblem } from './control-error.ts'
import { type EventSink, noEvents } from './events.ts'
import { type InForce, type Proposal, proposalOf } from './in-force.ts'
import type { ReloadResult } from './port.ts'

/** Reads the configuration again; a module is imported, which takes a while. */
export type LoadConfig = () => LoadedConfig | Promise<LoadedConfig>

export interface ReloadsOptions {
  readonly changes: Changes
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  /** Reads the configuration file again; null without one: then a reload reads certificates only. */
  readonly load: LoadConfig | null
}

export class Reloads {
  readonly #o: ReloadsOptions
  readonly #events: EventSink
  #successful = true
  /** The last reload was applied but for certificates that could not be used. */
  #onlyRefused = false
  #closed = false

  constructor(options: ReloadsOptions) {
    this.#o = options
    this.#events = options.events ?? noEvents
  }

  /** The last reload that was asked for was applied whole, be it later when a file had been mended, or none was. */
  get successful(): boolean {
    return this.#successful
  }

  /**
   * Puts another configuration in the place of file and command line; what was changed while it ran stays over it. Certificates
   * are read again in any case. Of what a running process cannot follow nothing is changed.
   * @throws ConfigError, ControlError; then nothing has changed.
   */
  async apply(loaded: LoadedConfig, asked: Asked): Promise<ReloadResult> {
    try {
      return await this.#make(asked, () => loaded)
    } catch (error) {
      const located = loaded.locate(error)
      this.#refused(located)
      throw located
    }
  }

  /** Reads the file again, applies it and leaves in the log what became of it. @throws as `apply`. */
  async fromFile(asked: Asked): Promise<ReloadResult> {
    let loaded: LoadedConfig | undefined
    const before = this.#o.changes.now.revision
    try {
      const result = await this.#make(asked, async (now) => {
        loaded = (await this.#o.load?.()) ?? now.loaded
        return loaded
      })
      if (!result.dryRun) this.#tell(asked, result, before)
      return result
    } catch (error) {
      const located = loaded?.locate(error) ?? error
      if (!asked.dryRun) this.#tellFailure(asked, located)
      throw located
    }
  }

  /** Files of certificates may have changed: takes what is new and can be used. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#closed) return
    const { changes, log } = this.#o
    try {
      const refused = await changes.make(
        { by: 'file watch', cause: 'certificates' },
        ({ config }) => ({ config, isRefresh: true }),
        (outcome) => outcome.refused,
      )
      if (!this.#onlyRefused || refused.length > 0) return
      this.#successful = true
      this.#onlyRefused = false
    } catch (error) {
      if (this.#closed) return
      const message = `changed certificates could not be taken, the old ones stay: ${(error as Error).message}`
      log.event('error', 'certificates_not_applied', message)
    }
  }

  /** Nothing more is begun. */
  close(): void {
    this.#closed = true
  }

  #make(
    asked: Asked,
    read: (now: InForce) => LoadedConfig | Promise<LoadedConfig>,
  ): Promise<ReloadResult & { readonly dryRun: boolean }> {
    let warnings: readonly string[] = []
    return this.#o.changes
      .make(
        asked,
        async (now) => {
          if (!asked.dryRun) this.#begin()
          const fresh = await read(now)
          warnings = fresh.warnings
          return this.#withOverlay(fresh, now, asked)
        },
        (outcome) => {
          if (!outcome.dryRun) this.#done(outcome)
          return { ...resultOf(outcome), warnings }
        },
      )
      .catch((error: unknown) => {
        if (error instanceof ControlError && error.kind === 'needs-restart') {
          const needsRestart = error.errors.map(({ path }) => path)
          return { applied: false, dryRun: false, needsRestart, warnings }
        }
        throw error
      })
  }

  async #withOverlay(fresh: LoadedConfig, { changes, loaded, config }: InForce, asked: Asked): Promise<Proposal> {
    // There is no file: only certificates are read.
    if (fresh === loaded) return { config }
    const laid = changes.length === 0 ? fresh : await fresh.withChanges(changes)
    const overtaken = asked.dryRun ? [] : laid.conflicts
    for (const { message } of overtaken) this.#o.log.event('warn', 'overlay_dropped', message)
    return { ...proposalOf(laid), loaded: fresh }
  }

  #begin(): void {
    this.#successful = false
    this.#onlyRefused = false
  }

  #done({ refused, revision, words }: Outcome): void {
    this.#successful = refused.length === 0
    this.#onlyRefused = !this.#successful
    this.#events.emit({ type: 'config_applied', revision, changes: words, refused })
  }

  #tell({ by, cause }: Asked, result: ReloadResult, before: number): void {
    const { log, load } = this.#o
    for (const warning of result.warnings) log.event('warn', 'configuration', warning)
    if (!result.applied) {
      const keys = result.needsRestart
      const message = `nothing changed: ${keys.join(', ')} can only change with a restart`
      log.event('warn', 'reload_refused', message, { keys, by, cause })
      this.#events.emit({ type: 'config_refused', cause: message, problems: [] })
      return
    }
    const { changes, revision, refused } = result
    const what = load === null ? 'certificates' : 'configuration'
    const as = revision === before ? '' : ` as revision ${revision}`
    const done =
      changes.length > 0
        ? `${what} applied${as} (${by}): ${changes.join('; ')}`
        : `${what} read again (${by}): nothing ${load === null ? 'has' : 'in it has'} changed`
    const but =
      refused.length === 0
        ? ''
        : `; what cannot be used (${refused.map(({ path }) => path).join(', ')}) stays as it was`
    const fields = { by, cause, revision, ...(changes.length > 0 && { changes }) }
    log.event(but === '' ? 'info' : 'warn', 'reloaded', `${done}${but}`, fields)
  }

  #tellFailure({ by, cause }: Asked, error: unknown): void {
    this.#successful = false
    const consequence = 'nothing changed, the old configuration goes on'
    const problems = error instanceof ConfigError ? error.problems : []
    for (const problem of problems) {
      const fields = { problem, by, cause }
      this.#o.log.event('error', 'reload_failed', `${formatProblem(problem)} (${consequence})`, fields)
    }
    if (problems.length === 0) {
      this.#o.log.event('error', 'reload_failed', `${(error as Error).message} (${consequence})`, { by, cause })
    }
    this.#refused(error)
  }

  #refused(error: unknown): void {
    const problems = error instanceof ConfigError ? error.problems.map(fieldProblem) : []
    this.#events.emit({ type: 'config_refused', cause: (error as Error).message, problems })
  }
}

function resultOf({ revision, words, refused, plan, dryRun }: Outcome): Extract<ReloadResult, { applied: true }> & {
  readonly dryRun: boolean
} {
  return { applied: true, dryRun, revision, changes: words, refused, plan, warnings: [] }
}
