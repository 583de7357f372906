// What happens in a running Frontdesk, as typed events for programs. The log tells the same to people.
import type { Log, LogLevel } from '../core/log.ts'
import type { FieldProblem } from './control-error.ts'
import type { AdminState } from './store/state-document.ts'

interface OfBackend {
  readonly at: Date
  readonly pool: string
  /** URL in normal form. */
  readonly backend: string
}

/** A health check passed: it gets requests (again). */
export interface BackendUpEvent extends OfBackend {
  readonly type: 'backend_up'
  /** What the check says, such as `connected in 2 ms`. */
  readonly cause: string
  readonly was: 'unknown' | 'down'
  /** How long it was that. */
  readonly afterMs: number
}

/** Health checks failed: it gets no requests. */
export interface BackendDownEvent extends OfBackend {
  readonly type: 'backend_down'
  /** What the check says, such as `connection refused (ECONNREFUSED)`. */
  readonly cause: string
  readonly was: 'unknown' | 'up'
  readonly afterMs: number
}

/** Connections of live traffic failed too often: it gets no requests for `ejectMs`. */
export interface BackendEjectedEvent extends OfBackend {
  readonly type: 'backend_ejected'
  readonly failures: number
  readonly windowMs: number
  readonly ejectMs: number
}

/** No longer ejected: its time is over, a health check passed, or it is the last one left. */
export interface BackendReturnedEvent extends OfBackend {
  readonly type: 'backend_returned'
  readonly cause: 'time' | 'check' | 'last'
}

/** Added by `backends.add` or the admin API. */
export interface BackendAddedEvent extends OfBackend {
  readonly type: 'backend_added'
  readonly revision: number
}

/** Settings changed by `backends.update` or `drain`, or the admin API: this is what it has now. */
export interface BackendUpdatedEvent extends OfBackend {
  readonly type: 'backend_updated'
  readonly weight: number
  readonly maxConnections: number
  readonly backup: boolean
  /** What an administrator said of it. */
  readonly state: AdminState
  readonly revision: number
}

/** Removed by `backends.remove` or the admin API: no new requests. */
export interface BackendRemovedEvent extends OfBackend {
  readonly type: 'backend_removed'
  /** Requests (in TCP pools connections) that may still finish. */
  readonly inFlight: number
  readonly revision: number
}

/** A removed backend has finished: nothing of it is open any more. */
export interface BackendDrainedEvent extends OfBackend {
  readonly type: 'backend_drained'
  /** Requests (in TCP pools connections) that had not ended in time and were cut. */
  readonly cut: number
  /** How long it took since it was removed. */
  readonly afterMs: number
}

/** Another configuration is in force. */
export interface ConfigAppliedEvent {
  readonly type: 'config_applied'
  readonly at: Date
  readonly revision: number
  /** One line each, for people; empty = nothing in it has changed. */
  readonly changes: readonly string[]
  /** Certificates that cannot be used as they are now: the old ones stay in force. */
  readonly refused: readonly FieldProblem[]
}

/** A configuration was asked for and not taken: what was in force still is. */
export interface ConfigRefusedEvent {
  readonly type: 'config_refused'
  readonly at: Date
  /** What stands against it, in one sentence. */
  readonly cause: string
  /** Each mistake with its place; empty where it was not the configuration's fault. */
  readonly problems: readonly FieldProblem[]
}

/** Another certificate (or authorities, or a revocation list) took the place of one in use. */
export interface CertificateRenewedEvent {
  readonly type: 'certificate_renewed'
  readonly at: Date
  /** Name of its file. */
  readonly name: string
  readonly kind: 'certificate' | 'authorities' | 'revocation_list'
  /** DNS names it is good for. */
  readonly names: readonly string[]
  /** Null = it has no end. */
  readonly expiresAt: Date | null
}

/** A certificate or revocation list ends soon, or has ended. */
export interface CertificateExpiresEvent {
  readonly type: 'certificate_expires'
  readonly at: Date
  readonly name: string
  readonly kind: 'certificate' | 'revocation_list'
  readonly expiresAt: Date
  /** Whole days; negative once it has ended. */
  readonly daysLeft: number
}

/** A worker that had died serves again. */
export interface WorkerRestartedEvent {
  readonly type: 'worker_restarted'
  readonly at: Date
  readonly worker: number
  /** What it died of. */
  readonly cause: string
  /** How often this worker was started again so far. */
  readonly restarts: number
  /** How long it was away. */
  readonly afterMs: number
}

/** Cached answers were thrown out, or marked stale. */
export interface CachePurgedEvent {
  readonly type: 'cache_purged'
  readonly at: Date
  /** Who asked for it: `program`, `admin API (127.0.0.1)`. */
  readonly by: string
  /** Such as `http://example.com/a`, `everything with the tag product-7`. */
  readonly what: string
  /** So many entries. */
  readonly purged: number
  /** Marked stale. */
  readonly soft: boolean
}

/** A stop has begun: nothing new is accepted, what is open may finish. */
export interface DrainingEvent {
  readonly type: 'draining'
  readonly at: Date
  /** Who asked for it: `close`, `admin API`. */
  readonly cause: string
  /** How long what is open may take. */
  readonly graceMs: number
}

/** Everything has stopped; the last event. */
export interface ClosedEvent {
  readonly type: 'closed'
  readonly at: Date
  /** `grace-expired` and `forced`: what was still open was cut. */
  readonly outcome: StopReason
}

/** Something went wrong that no other event tells of: an event of the log, warning or error. */
export interface ProblemEvent {
  readonly type: 'problem'
  readonly at: Date
  readonly level: 'warn' | 'error'
  /** Name of the log event, such as `worker_died`, `state_not_saved`, `certificate_expires`. */
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** This reader was too slow: so many events before the next one are lost to it. */
export interface DroppedEvent {
  readonly type: 'dropped'
  readonly at: Date
  readonly count: number
}

/** Told apart by `type`. */
export type FrontdeskEvent =
  | BackendUpEvent
  | BackendDownEvent
  | BackendEjectedEvent
  | BackendReturnedEvent
  | BackendAddedEvent
  | BackendUpdatedEvent
  | BackendRemovedEvent
  | BackendDrainedEvent
  | ConfigAppliedEvent
  | ConfigRefusedEvent
  | CertificateRenewedEvent
  | CertificateExpiresEvent
  | WorkerRestartedEvent
  | CachePurgedEvent
  | DrainingEvent
  | ClosedEvent
  | ProblemEvent
  | DroppedEvent

/** How a stop came to its end: `grace-expired` and `forced` have cut what was still open. */
export type StopReason = 'drained' | 'grace-expired' | 'forced'

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never

/** What somebody who emits says. */
export type NewEvent = WithoutTime<Exclude<FrontdeskEvent, DroppedEvent>>

/** Takes events as they happen; the time is added. Never throws. */
export interface EventSink {
  emit(event: NewEvent): void
}

/** Nobody listens. */
export const noEvents: EventSink = { emit() {} }

/** Tells several. */
export function eachOf(...sinks: readonly EventSink[]): EventSink {
  return {
    emit(event) {
      for (const sink of sinks) sink.emit(event)
    },
  }
}

/** Log events of these names have an event of their own. */
const told: ReadonlySet<string> = new Set([
  'backend_down',
  'backend_ejected',
  'certificate_expired',
  'certificate_expires',
  'reload_failed',
  'reload_refused',
  'reloaded',
])

/** The same log, whose warnings and errors become `problem` events too, unless another event tells of them. */
export function tellProblems(log: Log, events: EventSink): Log {
  const isProblem = (level: LogLevel): level is 'warn' | 'error' => level === 'warn' || level === 'error'
  return {
    event(level, name, message, details = {}) {
      log.event(level, name, message, details)
      if (isProblem(level) && !told.has(name)) events.emit({ type: 'problem', level, code: name, message, details })
    },
  }
}
