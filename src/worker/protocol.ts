// What supervisor and worker threads say to each other.
import type { Socket } from 'node:net'
import type { Slot, Snapshot } from '../core/spec.ts'
import type { Follow, Followed } from '../observe/follow/followed-log.ts'
import type { SpanBatch } from '../observe/tracing/tracer.ts'
import type { SnapshotDelta } from './snapshot-delta.ts'

/** The memory for cached answers, as a worker is given it. */
export interface SharedCache {
  /** Another number is another memory, empty at first. */
  readonly id: number
  readonly buffer: SharedArrayBuffer
  /** What `attachDisk` takes, by a number that says which; null = memory only. */
  readonly disk: { readonly id: number; readonly shared: SharedArrayBuffer } | null
}

/** Given to a thread at its start. */
export interface WorkerData {
  readonly workerId: number
  readonly buffer: SharedArrayBuffer
  readonly snapshot: Snapshot
  /** That of the snapshot; null = no route of it caches. */
  readonly cache: SharedCache | null
  /** Connections of clients this worker may hold at once, from the limit on file descriptors. */
  readonly maxClients: number
  readonly addresses: readonly (readonly [Slot, readonly string[]])[]
  /** By listener: what session tickets are sealed with, 48 bytes. */
  readonly ticketKeys: ReadonlyMap<string, Uint8Array>
  /** Listeners whose Unix socket this worker accepts from: only one may. */
  readonly unixSockets: readonly string[]
  /** Say `ready`, and listen only when told to: the snapshot is not in force yet. */
  readonly waits: boolean
  /** How long connections of a listener that is removed may finish; undefined = the default. */
  readonly drainMs: number | undefined
}

/** What is to be made ready. */
export interface Preparing {
  readonly delta: SnapshotDelta
  readonly cache: SharedCache | null
  readonly unixSockets: readonly string[]
  readonly maxClients: number
}

/** Why it could not be. */
export interface PrepareFailure {
  readonly message: string
  /** A socket could not be opened, for this listener; else ''. */
  readonly listener: string
  /** The system's code then. */
  readonly code: string
}

export type ToWorker =
  /** Make this ready beside what runs, and answer `prepared`; `commit` or `abandon` follows. */
  | ({ readonly type: 'prepare'; readonly id: number } & Preparing)
  /** Answered with `committed`. */
  | { readonly type: 'commit'; readonly id: number }
  /** Answered with `abandoned`, when nothing of it is left. */
  | { readonly type: 'abandon'; readonly id: number }
  /** For a worker that waits. Answered with `listening` or `listen-failed`. */
  | { readonly type: 'listen'; readonly unixSockets: readonly string[] }
  | { readonly type: 'addresses'; readonly slot: Slot; readonly addresses: readonly string[] }
  | { readonly type: 'cut'; readonly slot: Slot }
  | { readonly type: 'ticket-keys'; readonly keys: ReadonlyMap<string, Uint8Array> }
  /**
   * Accept from this listener's Unix socket: the worker that did so is dead, or about to leave (`isLive`). Answered with `kept`
   * or `listen-failed`.
   */
  | { readonly type: 'keep'; readonly listener: string; readonly isLive: boolean }
  /** A TCP connection that the main thread accepted; the socket is transferred. */
  | { readonly type: 'accepted'; readonly listener: string; readonly socket: Socket }
  /** The memory for cached answers that it has is this one, and has this disk now. */
  | { readonly type: 'cache-disk'; readonly cache: SharedCache }
  /** Stop accepting, end keep-alive, and say `drained` when the last connection has gone. */
  | { readonly type: 'drain' }
  /** The same, but connections are closed by their next answer only: the process goes on without this worker. */
  | { readonly type: 'retire' }
  /** Tell of exchanges from now on; answered with `following`. */
  | { readonly type: 'follow'; readonly follow: Follow }
  | { readonly type: 'unfollow'; readonly id: number }
  | { readonly type: 'close' }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'listening' }
  | { readonly type: 'listen-failed'; readonly listener: string; readonly code: string }
  | { readonly type: 'prepared'; readonly id: number; readonly failure: PrepareFailure | null }
  | { readonly type: 'committed'; readonly id: number; readonly error: string | null }
  /** A disk for cached answers is not used here any more: all that was on its way is written. */
  | { readonly type: 'disk-closed'; readonly disk: number }
  | { readonly type: 'abandoned'; readonly id: number }
  | { readonly type: 'kept'; readonly listener: string }
  | {
      readonly type: 'backend-failure'
      readonly slot: Slot
      readonly error: string
      readonly code: string
      readonly count: number
    }
  | { readonly type: 'access'; readonly lines: string }
  | { readonly type: 'spans'; readonly batch: SpanBatch }
  | { readonly type: 'following'; readonly id: number }
  | { readonly type: 'followed'; readonly followed: Followed }
  /** Connections that a listener turned away for one reason since the last report, and what is known of the last. */
  | {
      readonly type: 'turned-away'
      readonly listener: string
      readonly reason: string
      readonly count: number
      readonly detail: string
      readonly address: string
    }
  | { readonly type: 'problem'; readonly message: string }
  /** Code of a plug-in failed so often since the last report; `error` is the first of them, with its stack. */
  | { readonly type: 'plugin-failure'; readonly what: string; readonly count: number; readonly error: string }
  /** A plug-in cannot be loaded: the thread has nothing to run on, and ends. */
  | { readonly type: 'load-failed'; readonly label: string; readonly message: string }
  | { readonly type: 'drained' }
