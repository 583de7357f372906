// What the data plane of one worker shares among its connections, whatever they speak.
import type { ExchangeObserver } from '../observe/exchange-observer.ts'
import type { Tracer } from '../observe/tracing/tracer.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import type { WorkerState } from '../state/worker-state.ts'
import type { TimerWheel } from '../util/timer-wheel.ts'
import type { CachePlane } from './cache-plane.ts'
import type { SideWork } from './side-work.ts'

/** One per worker; lives as long as the worker. */
export interface PlaneContext {
  readonly state: WorkerState
  readonly wheel: TimerWheel
  readonly clock: { readonly date: string }
  readonly ids: { next(): string }
  /** Null = nobody asks. */
  readonly accessLog: ExchangeObserver | null
  /** Null = traces are nothing of ours. */
  readonly tracer: Tracer | null
  /** Error answers tell clients of the inside, those that are trusted. */
  readonly tellsInside: boolean
  /** What plug-ins have brought for the snapshot that is being applied, or was last. */
  readonly plugins: PluginRegistry
  /** Of the snapshot that is being applied, or was last; null = no route of it caches. */
  readonly cache: CachePlane | null
  /** What goes on at backends without a client that waits for it. */
  readonly sideWork: SideWork
  /** Calls once, when the worker closes. */
  onClose(call: () => void): void
  /** No new exchange is kept alive after its answer. */
  readonly draining: boolean
  /** A connection is closed as soon as it is idle, though its last answer did not say so. */
  readonly closesIdle: boolean
  /** A connection to a backend failed: control checks it at once and counts it against the backend. */
  backendFailed(slot: number, error: string, code: string): void
  /** Something threw where nothing may: the exchange was ended, the bug is logged. */
  unexpected(error: unknown): void
  /**
   * Code of a plug-in failed: the exchange is ended with 500, and this is logged, many of a kind in one line.
   * `what` names it for people: `middleware limit (./limit.ts)`, `strategy nearest (frontdesk.config.ts)`.
   */
  pluginFailed(what: string, error: unknown, requestId?: string): void
}
