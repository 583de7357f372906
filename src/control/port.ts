// What control/ sees of the running process, and nothing more. The supervisor implements it; tests use an in-memory one.

import type { ErrorName } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Slot, Snapshot } from '../core/spec.ts'
import type { FollowFilter } from '../observe/follow/follow-filter.ts'
import type { SpanCounts } from '../observe/tracing/tracer.ts'
import type { CachePlane } from '../pool/cache-plane.ts'
import type { OwnerState } from '../state/owner-state.ts'
import type { FieldProblem } from './control-error.ts'
import type { Plan } from './plan/plan-types.ts'
import type { WorkerInfo } from './status-document.ts'

export type { WorkerInfo } from './status-document.ts'

/** Failures of live traffic against one backend since the last report, gathered by one worker. */
export interface BackendFailure {
  readonly slot: Slot
  readonly error: ErrorName
  /** The system's word for it (`ECONNREFUSED`), or the error's name where there is none. */
  readonly code: string
  readonly count: number
}

/** A change that every live worker has made ready beside what it runs. Exactly one of its calls must follow. */
export interface Prepared {
  /**
   * Every worker swaps. Resolves when all have; never rejects: a worker that cannot swap any more is ended, and the one
   * that takes its place starts with the change.
   */
  commit(): Promise<void>
  /** What was made ready is given up, listeners that were opened for it are closed. Never rejects. */
  abandon(): Promise<void>
}

/** Exchanges and TCP connections that have ended, as somebody follows them. */
export interface FollowedEntries {
  /** JSON, one object each, as the access log has them. */
  readonly entries: readonly string[]
  /** Those that were too many in a second. */
  readonly skipped: number
}

/** Somebody follows. */
export interface Following {
  /** All workers know of it. */
  readonly ready: Promise<void>
  stop(): void
}

/** The running process, from the control plane's side. */
export interface ControlPort {
  readonly version: string
  readonly startedAtMs: number
  readonly state: OwnerState
  readonly log: Log
  workers(): readonly WorkerInfo[]
  /** The port that a listener's port 0 has become; undefined = it is as configured. */
  boundPort?(listener: string): number | undefined
  /**
   * Has every live worker make a snapshot ready: what can fail is done here, new listeners are bound. Rejects with an error
   * that names the worker, or the address, when one cannot or does not answer in time; then everything is as before.
   */
  prepare(snapshot: Snapshot): Promise<Prepared>
  /**
   * The addresses a backend's host name stands for now, best first, IP literals without brackets: for new connections
   * only. Not called for IP literals and Unix sockets. Until the first call a worker dials by the name itself.
   */
  setAddresses(slot: Slot, addresses: readonly string[]): void
  /** Closes everything still open to a backend that has left the snapshot: idle connections and exchanges alike. */
  cutBackend(slot: Slot): void
  /** The same as SIGTERM: drain, then end. */
  stop(): void
  /** Since the start; undefined = nobody counts. */
  spanCounts?(): SpanCounts
  /**
   * What answers are cached in: first what is in force, then what workers may still use that have not swapped yet. Empty = no
   * route caches.
   */
  caches?(): readonly CachePlane[]
  /** Why cached answers are kept in memory only though a disk is configured; null = it is open, or there is none. */
  cacheDiskProblem?(): string | null
  isDraining(): boolean
  /** Tells of exchanges that end from now on and meet the filter; at most `perSecond` of each worker. */
  follow(filter: FollowFilter, perSecond: number, onEntries: (entries: FollowedEntries) => void): Following
  onBackendFailure(listener: (failure: BackendFailure) => void): void
}

/** What became of a new configuration for a running process. */
export type ReloadResult =
  | {
      readonly applied: true
      readonly revision: number
      /** One line each, for people. */
      readonly changes: readonly string[]
      /** Certificates that cannot be used as they are now: the old ones stay in force. */
      readonly refused: readonly FieldProblem[]
      readonly plan: Plan
      readonly warnings: readonly string[]
    }
  /** Nothing was changed: these keys need a restart. */
  | { readonly applied: false; readonly needsRestart: readonly string[]; readonly warnings: readonly string[] }
