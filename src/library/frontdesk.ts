// What a program holds of an embedded Frontdesk. Types only.

import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import type { FieldProblem } from '../control/control-error.ts'
import type { EventReader, ReadOptions } from '../control/event-bus.ts'
import type { StopReason } from '../control/events.ts'
import type { Plan } from '../control/plan/plan-types.ts'
import type { StatusDocument } from '../control/status-document.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import type { BoundListener } from '../supervisor/bound-listener.ts'
import type { LogEvent } from './program-log.ts'

/** A file as the command line takes it: JSON, YAML, or a module such as `frontdesk.config.ts`. */
export interface ConfigFile {
  readonly file: string
}

export interface FrontdeskOptions {
  /** Called with each event of the log, from `logging.level` up; without it nothing is said. What it throws is ignored. */
  readonly log?: ((event: LogEvent) => void) | undefined
}

export interface CloseOptions {
  /** How long what is open may take; default `shutdown.grace`. 0 cuts it. */
  readonly graceMs?: number | undefined
}

/** What a new configuration has changed. */
export interface ApplyResult {
  readonly revision: number
  /** One line each, for people; empty = nothing in it has changed. */
  readonly changes: readonly string[]
  /** Certificates that cannot be used as they are now: the old ones stay in force, everything else is applied. */
  readonly refused: readonly FieldProblem[]
  /** Step by step, with the live connections that each touches. */
  readonly plan: Plan
}

export interface ApplyOptions {
  /** Only say what would change: revision and plan are what they would be. */
  readonly dryRun?: boolean | undefined
}

/** A revision of the configuration: who made it of the one before, when and how. */
export interface Revision {
  readonly revision: number
  readonly at: Date
  /** `program`, `admin API (127.0.0.1)`. */
  readonly by: string
  /** `apply`, `backends.add`, `PATCH /config`. */
  readonly cause: string
  readonly changes: readonly string[]
}

/** A Frontdesk inside a program: made by `createFrontdesk`, serving from `start` to `close`. */
export interface Frontdesk extends AsyncDisposable {
  /**
   * Binds every address and begins to serve; again, the same promise. Rejects with ListenError when an address cannot be
   * had, with ConfigError when a certificate or the state file cannot be used; then nothing is left running, and it may be
   * tried again.
   */
  start(): Promise<void>
  /** Where it listens, in the order of the configuration, with the ports that port 0 has become; empty before `start`. */
  readonly listeners: readonly BoundListener[]
  /** Where the admin API listens; null = there is none. */
  readonly admin: { readonly host: string; readonly port: number } | null
  /** Now, as `GET /status` of the admin API tells it. @throws FrontdeskError not-started, closed */
  status(): StatusDocument
  /**
   * Puts another configuration into force, whole or not at all: connections and requests in flight go on. What was changed
   * by `backends` and over the admin API stays over it, where it says the same as before there. Rejects with ConfigError when
   * it is not valid, with NeedsRestartError when it has another `state_file`, with ControlError when it cannot be kept or
   * applied.
   */
  apply(config: FrontdeskConfig | ConfigFile, options?: ApplyOptions): Promise<ApplyResult>
  /**
   * The configuration in force, every default written out; secrets are `***`. @throws FrontdeskError not-started, closed
   */
  config(): Readonly<Record<string, unknown>>
  /** The last revisions, newest first. @throws FrontdeskError not-started, closed */
  history(): readonly Revision[]
  /**
   * Goes back to an earlier revision, without a number to the one before this: a change itself, with a revision of its own.
   * Rejects as `apply`, and with ControlError not-found.
   */
  rollback(revision?: number, options?: ApplyOptions): Promise<ApplyResult>
  readonly backends: Backends
  /** What is cached, and purging. */
  readonly cache: Cache
  /**
   * What happens from now on, until `close`; it may be called before `start`. Each reader has a buffer of its own
   * (`maxBuffered`, 1000): one that is slower loses the oldest, and is told so by an event `dropped`.
   */
  events(options?: ReadOptions): EventReader
  /**
   * Accepts nothing new, lets what is open finish, then cuts what is left; resolves when nothing of it remains. Again, it
   * can only shorten the time. Leaving the scope of `await using` does the same.
   */
  close(options?: CloseOptions): Promise<StopReason>
}
