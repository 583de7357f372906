// Looking at backends and changing them, for whoever asks: the calls of the admin API, and those of a program.
import type { BackendSpec } from '../core/spec.ts'
import { ControlError } from './control-error.ts'
import type { Asked, Membership, Removal } from './membership.ts'
import { type BackendStatus, speaksTcp } from './status.ts'
import type { AdminState, BackendSettings } from './store/state-document.ts'

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

export interface AddBackend extends BackendName, BackendTraits {}

export interface UpdateBackend extends BackendName, BackendTraits {
  /** `drain`: no new clients, bound ones stay; `disabled`: nobody; `up`: both taken back. */
  readonly state?: AdminState | undefined
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

export interface BackendCallsOptions {
  readonly membership: Pick<Membership, 'add' | 'patch' | 'remove'>
  list(): Promise<BackendStatus[]>
  describe(backend: BackendSpec): BackendStatus
}

/** The calls, with input that was checked: URLs in normal form, durations in milliseconds. All reject with ControlError. */
export class BackendCalls {
  readonly #o: BackendCallsOptions
  readonly #asked: Asked

  constructor(options: BackendCallsOptions, asked: Asked) {
    this.#o = options
    this.#asked = asked
  }

  /** All backends: those in their pools, then removed ones that are still finishing. */
  list(): Promise<BackendStatus[]> {
    return this.#o.list()
  }

  async add({ url, pool, ...traits }: AddBackend): Promise<BackendStatus> {
    return this.#o.describe(await this.#o.membership.add({ url, pool }, settingsOf(traits), this.#asked))
  }

  async update({ url, pool, ...traits }: UpdateBackend): Promise<BackendStatus> {
    const { backend } = await this.#o.membership.patch({ url, pool }, settingsOf(traits), this.#asked)
    return this.#o.describe(backend)
  }

  /** `wait`: until nothing of it is in flight any more; rejects with `conflict` if it is taken back meanwhile. */
  async remove(at: BackendName, o: { readonly drainMs: number; readonly wait: boolean }): Promise<RemovedBackend> {
    const removal = await this.#o.membership.remove(at, o.drainMs, this.#asked)
    if (removal.state === 'removed') return removalView(removal, 'removed', removal.cutCount)
    if (!o.wait) return removalView(removal, 'draining', 0)
    if (await removal.departure.done) return removalView(removal, 'removed', removal.departure.cutCount)
    throw new ControlError('conflict', `${at.url} was taken back while it drained`)
  }
}

function settingsOf(given: Omit<UpdateBackend, keyof BackendName>): BackendSettings {
  const { weight, max_connections: maxConnections, backup, state } = given
  return {
    ...(weight === undefined ? {} : { weight }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(backup === undefined ? {} : { backup }),
    ...(state === undefined ? {} : { state }),
  }
}

function removalView({ backend, inFlight }: Removal, state: RemovedBackend['state'], cutCount: number): RemovedBackend {
  const unit = speaksTcp(backend) ? 'connections' : 'requests'
  const message =
    state === 'removed' ? `${backend.url} is removed` : `${backend.url} gets no new ${unit} and is draining`
  return {
    message,
    url: backend.url,
    pool: backend.pool,
    drained_connections: inFlight,
    cut_connections: cutCount,
    state,
  }
}
