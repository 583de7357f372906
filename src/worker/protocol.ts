// What supervisor and worker threads say to each other.
import type { Socket } from 'node:net'
import type { Slot, Snapshot } from '../core/spec.ts'
import type { SpanBatch } from '../observe/tracing/tracer.ts'

/** Given to a thread at its start. */
export interface WorkerData {
  readonly workerId: number
  readonly buffer: SharedArrayBuffer
  readonly snapshot: Snapshot
  /** Connections of clients this worker may hold at once, from the limit on file descriptors. */
  readonly maxClients: number
  readonly addresses: readonly (readonly [Slot, readonly string[]])[]
  /** By listener: what session tickets are sealed with, 48 bytes. */
  readonly ticketKeys: ReadonlyMap<string, Uint8Array>
  /** Listeners whose Unix socket this worker accepts from: only one may. */
  readonly unixSockets: readonly string[]
}

export type ToWorker =
  | { readonly type: 'apply'; readonly id: number; readonly snapshot: Snapshot }
  | { readonly type: 'addresses'; readonly slot: Slot; readonly addresses: readonly string[] }
  | { readonly type: 'cut'; readonly slot: Slot }
  | { readonly type: 'ticket-keys'; readonly keys: ReadonlyMap<string, Uint8Array> }
  /** Accept from this listener's Unix socket: the worker that did so is dead. */
  | { readonly type: 'keep'; readonly listener: string }
  /** A TCP connection that the main thread accepted; the socket is transferred. */
  | { readonly type: 'accepted'; readonly listener: string; readonly socket: Socket }
  /** Stop accepting, end keep-alive, and say `drained` when the last connection has gone. */
  | { readonly type: 'drain' }
  | { readonly type: 'close' }

export type FromWorker =
  | { readonly type: 'listening' }
  | { readonly type: 'listen-failed'; readonly listener: string; readonly code: string }
  | { readonly type: 'applied'; readonly id: number; readonly error: string | null }
  | {
      readonly type: 'backend-failure'
      readonly slot: Slot
      readonly error: string
      readonly code: string
      readonly count: number
    }
  | { readonly type: 'access'; readonly lines: string }
  | { readonly type: 'spans'; readonly batch: SpanBatch }
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
