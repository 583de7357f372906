// Looking at backends and changing them, for whoever asks: the calls of the admin API, and those of a program.
import { setTimeout as pause } from 'node:timers/promises'
import type { BackendSpec, Slot, Snapshot } from '../core/spec.ts'
import type { AddBackend, AddOptions, BackendName, RemovedBackend, UpdateBackend } from './backends.ts'
import type { Asked } from './changes.ts'
import { ControlError } from './control-error.ts'
import { formatDuration } from './format-duration.ts'
import type { Member, Membership, Removal } from './membership.ts'
import type { BackendSettings } from './overlay.ts'
import { type BackendStatus, speaksTcp } from './status.ts'

export interface BackendCallsOptions {
  readonly membership: Pick<Membership, 'add' | 'patch' | 'remove' | 'snapshot'>
  list(): Promise<BackendStatus[]>
  describe(backend: BackendSpec, drainEndsAt?: string | null): BackendStatus
  /** The last health check of a backend; null = there was none yet. */
  lastCheck(slot: Slot): { readonly ok: boolean; readonly reason: string } | null
}

/** As `UpdateBackend`, checked. */
export interface CheckedUpdate extends Omit<UpdateBackend, 'drain'> {
  readonly drain?: number | undefined
}

/** How often a backend that is waited for is looked at. */
const lookMs = 20

/** The calls, with input that was checked: URLs in normal form, durations in milliseconds. All reject with ControlError. */
export class BackendCalls {
  readonly #o: BackendCallsOptions

  constructor(options: BackendCallsOptions) {
    this.#o = options
  }

  /** All backends: those in their pools, then removed ones that are still finishing. */
  list(): Promise<BackendStatus[]> {
    return this.#o.list()
  }

  async add(
    { url, pool, state, ...traits }: AddBackend,
    asked: Asked,
    { waitMs }: AddOptions = {},
  ): Promise<BackendStatus> {
    const backend = await this.#o.membership.add({ url, pool }, { ...settingsOf(traits), state }, asked)
    if (waitMs !== undefined) await this.#whenUp(backend, waitMs, asked)
    return this.#o.describe(backend)
  }

  async update({ url, pool, state, drain, ...traits }: CheckedUpdate, asked: Asked): Promise<BackendStatus> {
    if (drain !== undefined && state !== 'drain') throw drainOfNone()
    const said = { ...settingsOf(traits), state, ...(state === 'drain' && { drainMs: drain ?? null }) }
    const member = await this.#o.membership.patch({ url, pool }, said, asked)
    return this.#describe(member)
  }

  /** `wait`: until nothing of it is in flight any more; rejects with `conflict` if it is taken back meanwhile. */
  async remove(
    at: BackendName,
    o: { readonly drainMs: number; readonly wait: boolean },
    asked: Asked,
  ): Promise<RemovedBackend> {
    const removal = await this.#o.membership.remove(at, o.drainMs, asked)
    if (removal.state === 'removed') return removalView(removal, 'removed', removal.cutCount)
    if (!o.wait) return removalView(removal, 'draining', 0)
    if (await removal.departure.done) return removalView(removal, 'removed', removal.departure.cutCount)
    throw new ControlError('conflict', `${at.url} was taken back while it drained`)
  }

  #describe({ backend, drainEndsAt }: Member): BackendStatus {
    return this.#o.describe(backend, drainEndsAt)
  }

  /** Its first check has passed, or there are none; else it is left out again. What others do to it meanwhile is theirs. */
  async #whenUp(backend: BackendSpec, waitMs: number, asked: Asked): Promise<void> {
    const { membership, lastCheck } = this.#o
    const isChecked = membership.snapshot.pools.some(
      ({ name, healthCheck }) => name === backend.pool && healthCheck !== null,
    )
    if (!isChecked) return
    const endMs = performance.now() + waitMs
    while (performance.now() < endMs) {
      if (!isThere(membership.snapshot, backend)) throw goneMeanwhile(backend)
      if (lastCheck(backend.slot)?.ok) return
      await pause(lookMs, undefined, { ref: false })
    }
    const { url, pool } = backend
    const reason = lastCheck(backend.slot)?.reason ?? 'its first check has not ended'
    const cause = `${asked.cause}: not up in time`
    await membership.remove({ url, pool }, 0, { ...asked, cause, ifMatch: undefined })
    const message = `did not come up within ${formatDuration(waitMs)}: ${reason}`
    throw new ControlError('timeout', `${url} ${message}. It is left out again`, [{ path: 'url', message }])
  }
}

/** Its slot tells it from one of the same URL that came after it. */
const isThere = ({ pools }: Snapshot, { pool, url, slot }: BackendSpec): boolean =>
  pools.some(({ name, backends }) => name === pool && backends.some((one) => one.slot === slot && one.url === url))

function goneMeanwhile({ url }: BackendSpec): ControlError {
  const message = 'was removed by somebody else while it was waited for'
  return new ControlError('conflict', `${url} ${message}`, [{ path: 'url', message }])
}

function drainOfNone(): ControlError {
  const message = 'goes with "state": "drain" only'
  return new ControlError('invalid', `drain ${message}`, [{ path: 'drain', message }])
}

const settingsOf = ({ weight, max_connections, backup }: BackendSettings): BackendSettings => ({
  weight,
  max_connections,
  backup,
})

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
