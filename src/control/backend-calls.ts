// Looking at backends and changing them, for whoever asks: the calls of the admin API, and those of a program.
import type { BackendSpec } from '../core/spec.ts'
import type { AddBackend, BackendName, RemovedBackend, UpdateBackend } from './backends.ts'
import { ControlError } from './control-error.ts'
import type { Asked, Membership, Removal } from './membership.ts'
import { type BackendStatus, speaksTcp } from './status.ts'
import type { BackendSettings } from './store/state-document.ts'

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
