// What may be asked of the backends of a running Frontdesk, and what is answered. Types only.
import type { BackendStatus } from './status-document.ts'
import type { AdminState } from './store/state-document.ts'

/** Which backend is meant. */
export interface BackendName {
  /** In any form; compared in normal form. */
  readonly url: string
  /** May be left out where it is clear: for a new one `default`, or the only one; else the one that has the URL. */
  readonly pool?: string | undefined
}

/** What a backend may be told; what is left out stays as it is, or has its default. */
export interface BackendTraits {
  /** 1–65535; default 1. */
  readonly weight?: number | undefined
  /** Requests in flight (TCP: open connections) at once, over all workers; 0 = no limit, the default. */
  readonly max_connections?: number | undefined
  /** Serves only while no other backend of the pool is available. */
  readonly backup?: boolean | undefined
}

export interface AddBackend extends BackendName, BackendTraits {
  /** `disabled`: its health is checked, but it gets nothing before it is updated to `up`. */
  readonly state?: 'up' | 'disabled' | undefined
}

export interface UpdateBackend extends BackendName, BackendTraits {
  /** `drain`: no new clients, bound ones stay; `disabled`: nobody; `up`: both taken back. */
  readonly state?: AdminState | undefined
  /**
   * With `drain`: how long who is bound to it may stay, such as `"5m"` or seconds. Then they choose anew, and what is open
   * is closed. Without it they may stay for ever.
   */
  readonly drain?: string | number | undefined
}

export interface DrainBackend extends BackendName, Pick<UpdateBackend, 'drain'> {}

export interface AddOptions {
  /** How long to wait for the first health check to pass; default: not at all. */
  readonly waitMs?: number | undefined
}

/** What became of a removal. */
export interface RemovedBackend {
  /** For people. */
  readonly message: string
  /** In normal form. */
  readonly url: string
  readonly pool: string
  /** Requests (TCP: connections) that were in flight when it was removed. */
  readonly drained_connections: number
  /** Those of them that had to be cut. */
  readonly cut_connections: number
  /** `draining`: it gets no new requests, and what is in flight may still finish. */
  readonly state: 'removed' | 'draining'
}

export interface RemoveBackend extends BackendName {
  /** How long what is in flight may take, such as `"10s"` or seconds; default 30s, 0 cuts it. */
  readonly drain?: string | number | undefined
  /** Resolve when nothing of it is in flight any more. */
  readonly wait?: boolean | undefined
}

/**
 * The same calls as the admin API's, with its rules and answers. A change is kept where the configuration has a
 * `state_file`, and in force in every worker when its promise resolves. All reject with ControlError, and then nothing
 * has changed. A string stands for an object with that `url`.
 */
export interface Backends {
  /** Those in their pools, then removed ones that are still finishing. */
  list(): Promise<BackendStatus[]>
  /**
   * Its first health check runs at once. One that is draining is taken back. With `waitMs` it resolves when the check has
   * passed; if that does not happen in time it is removed again, and it rejects with ControlError timeout.
   */
  add(backend: string | AddBackend, options?: AddOptions): Promise<BackendStatus>
  /** Only what is named changes. */
  update(backend: UpdateBackend): Promise<BackendStatus>
  /** No new clients; bound ones stay until they are gone, or for `drain`. `update` with `state: 'up'` takes it back. */
  drain(backend: string | DrainBackend): Promise<BackendStatus>
  /** No new requests; those in flight may finish. */
  remove(backend: string | RemoveBackend): Promise<RemovedBackend>
}
