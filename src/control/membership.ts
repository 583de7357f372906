// Which backends each pool has while running: what the configuration says, with the overlay of the admin API over it.
// Every change goes the same way, one at a time: check → persist → apply to all workers → answer. If a step fails,
// nothing has changed.

import { kindProblem } from '../config/pool-kind.ts'
import type { Log } from '../core/log.ts'
import type { BackendSpec, Slot, Snapshot } from '../core/spec.ts'
import { Flag } from '../state/flags.ts'
import { type BackendAddress, findBackends, locateBackend, matches, poolForNew } from './backend-finder.ts'
import { ControlError } from './control-error.ts'
import { type Departure, Departures } from './departures.ts'
import { changeOf, differences } from './differences.ts'
import { type EventSink, noEvents } from './events.ts'
import { formatDuration } from './format-duration.ts'
import {
  type ConfiguredPools,
  type DesiredBackend,
  type DesiredPools,
  isConfigured,
  mergeOverlay,
  pruneOverlay,
  withAdded,
  withPatched,
  withRemoved,
} from './overlay.ts'
import type { ControlPort } from './port.ts'
import { SerialQueue } from './serial-queue.ts'
import type { AdminState, BackendSettings, Overlay, StateDocument } from './store/state-document.ts'
import { type StateStore, StoreError } from './store/state-store.ts'

/** Builds the snapshot of a set of backends; slots are found by pool and URL. */
export type Compile = (
  pools: DesiredPools,
  o: { readonly generation: number; readonly slotOf: (pool: string, url: string) => Slot },
) => Snapshot

export interface MembershipOptions {
  readonly port: Pick<ControlPort, 'state' | 'apply' | 'cutBackend'>
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  /** null = changes live as long as the process. */
  readonly store: StateStore | null
  readonly document: StateDocument
  readonly configured: ConfiguredPools
  readonly compile: Compile
  /** Called when other backends run than before, after the workers know. */
  readonly onChange: (snapshot: Snapshot) => void
  /** Called when an administrator's flag of a backend changed. */
  readonly onFlags: (slot: Slot) => void
}

/** A backend with what an administrator said of it. */
export interface Member {
  readonly backend: BackendSpec
  readonly state: AdminState
}

export type Removal =
  | { readonly state: 'removed'; readonly backend: BackendSpec; readonly inFlight: number; readonly cutCount: number }
  | {
      readonly state: 'draining'
      readonly backend: BackendSpec
      readonly inFlight: number
      readonly departure: Departure
    }

/** What a configuration says now. */
export interface Reconfiguration {
  readonly configured: ConfiguredPools
  readonly compile: Compile
  /** Changes outside the pools, in words. */
  readonly others?: readonly string[]
  /** Compiling gives another snapshot than before although nothing else has changed. */
  readonly isStale?: boolean
}

interface Change {
  readonly configured: ConfiguredPools
  readonly compile: Compile
  readonly overlay: Overlay
  readonly desired: DesiredPools
  readonly snapshot: Snapshot
  readonly slots: ReadonlyMap<string, Slot>
  /** Slots claimed for this change, given back if it fails. */
  readonly claimed: readonly Slot[]
  /** Departing backends that this change takes back. */
  readonly returned: readonly Departure[]
  readonly revision: number
}

/** Through what somebody asked for a change. */
export type Asked = 'admin API' | 'program'

const keyOf = (pool: string, url: string): string => `${pool}\n${url}`
const adminFlags = Flag.DRAINING | Flag.DISABLED
const flagOf: Readonly<Record<AdminState, number>> = { up: 0, drain: Flag.DRAINING, disabled: Flag.DISABLED }

/** How long a backend that a new configuration no longer names may finish. */
export const defaultDrainMs = 30_000

export class Membership {
  readonly #o: MembershipOptions
  readonly #queue = new SerialQueue()
  readonly #departures: Departures
  readonly #events: EventSink
  #configured: ConfiguredPools
  #compile: Compile
  #overlay: Overlay
  #desired: DesiredPools = new Map()
  #slots: ReadonlyMap<string, Slot> = new Map()
  #revision: number
  #snapshot!: Snapshot
  #generation = 0

  /** Claims slots and builds the first snapshot. @throws RangeError when there are more backends than slots. */
  constructor(options: MembershipOptions) {
    this.#o = options
    this.#events = options.events ?? noEvents
    this.#departures = new Departures(options.port)
    this.#configured = options.configured
    this.#compile = options.compile
    const { overlay, dropped } = pruneOverlay(options.configured, options.document.overlay)
    for (const message of dropped) options.log.event('warn', 'overlay_dropped', message)
    this.#overlay = overlay
    this.#revision = options.document.revision
    this.#adopt(this.#plan({ overlay }, this.#revision))
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  get revision(): number {
    return this.#revision
  }

  get overlay(): Overlay {
    return this.#overlay
  }

  /** Backends in their pools, in order. */
  members(): Member[] {
    const members: Member[] = []
    for (const pool of this.#snapshot.pools) {
      const desired = this.#desired.get(pool.name) ?? []
      const states = new Map(desired.map((backend) => [backend.url, backend.state]))
      for (const backend of pool.backends) members.push({ backend, state: states.get(backend.url) ?? 'up' })
    }
    return members
  }

  /** Removed backends that are still finishing. */
  departing(): readonly Departure[] {
    return this.#departures.list()
  }

  /** @throws ControlError not-found (pool), duplicate, invalid (its kind is not the pool's), no-space, failed. */
  add(at: BackendAddress, settings: BackendSettings, asked: Asked = 'admin API'): Promise<BackendSpec> {
    return this.#queue.run(async () => {
      const pool = poolForNew(this.#snapshot, at)
      if (findBackends(this.#snapshot, { pool, url: at.url }).length > 0) {
        const message = `${at.url} is already in pool ${pool}`
        throw new ControlError('duplicate', message, [{ path: 'url', message: 'is already there; PATCH changes it' }])
      }
      const misfit = kindProblem(this.#snapshot.pools.find(({ name }) => name === pool)!, at.url)
      if (misfit !== null) throw new ControlError('invalid', misfit, [{ path: 'url', message: misfit }])
      const before = this.#departures.find(pool, at.url)
      const kept =
        before === undefined || isConfigured(this.#configured, pool, at.url) ? {} : settingsOf(before.backend)
      const overlay = withAdded(this.#configured, this.#overlay, { pool, url: at.url }, { ...kept, ...settings })
      await this.#change({ overlay })
      this.#tell({ pool, url: at.url }, 'added', asked)
      this.#events.emit({ type: 'backend_added', pool, backend: at.url, revision: this.#revision })
      return locateBackend(this.#snapshot, { pool, url: at.url })
    })
  }

  /** Changes the settings that are named. @throws ControlError not-found, invalid (ambiguous), no-space, failed. */
  patch(at: BackendAddress, settings: BackendSettings, asked: Asked = 'admin API'): Promise<Member> {
    return this.#queue.run(async () => {
      const { pool, url } = locateBackend(this.#snapshot, at)
      const overlay = withPatched(this.#overlay, { pool, url }, settings)
      const before = this.#desiredOf(pool, url)
      if (differences(this.#desired, mergeOverlay(this.#configured, overlay)).length > 0) {
        await this.#change({ overlay })
        const { url: backend, ...now } = this.#desiredOf(pool, url)
        this.#tell({ pool, url }, changeOf(before, { url, ...now }), asked)
        this.#events.emit({ type: 'backend_updated', pool, backend, ...now, revision: this.#revision })
      }
      return this.members().find(({ backend }) => backend.pool === pool && backend.url === url)!
    })
  }

  /**
   * New requests stop at once; those in flight may finish for `drainMs`. Removing one that is draining already sets
   * its time anew. @throws ControlError not-found, invalid (ambiguous), no-space, failed.
   */
  remove(at: BackendAddress, drainMs: number, asked: Asked = 'admin API'): Promise<Removal> {
    return this.#queue.run(async () => {
      const leaving = this.#departures.list().find(({ backend }) => matches(backend, at))
      if (leaving !== undefined && findBackends(this.#snapshot, at).length === 0) {
        this.#departures.hurry(leaving, drainMs)
        this.#tell(leaving.backend, `has ${formatDuration(drainMs)} to finish`, asked)
        return removalOf(leaving, this.#departures)
      }
      const backend = locateBackend(this.#snapshot, at)
      const overlay = withRemoved(this.#configured, this.#overlay, backend.pool, backend.url)
      const [departure] = await this.#change({ overlay }, drainMs)
      this.#tell(backend, 'removed', asked)
      const { pool, url } = backend
      const { inFlight } = departure!
      this.#events.emit({ type: 'backend_removed', pool, backend: url, inFlight, revision: this.#revision })
      return removalOf(departure!, this.#departures)
    })
  }

  /**
   * Another configuration of the same pools: differences are applied, the overlay stays over them. Tells all changes.
   * Where only files that it names have changed, it is compiled anew within its revision: nothing is kept, so that a full
   * disk does not keep an old certificate in force. @throws ControlError no-space, failed.
   */
  reconfigure({ configured, compile, others = [], isStale = false }: Reconfiguration): Promise<readonly string[]> {
    return this.#queue.run(async () => {
      const { overlay, dropped } = pruneOverlay(configured, this.#overlay)
      const changes = [...differences(this.#desired, mergeOverlay(configured, overlay)), ...dropped, ...others]
      if (changes.length > 0) await this.#change({ configured, compile, overlay })
      else if (isStale) {
        const plan = this.#plan({ configured, compile, overlay }, this.#revision)
        await this.#apply(plan, () => undefined)
        this.#o.onChange(plan.snapshot)
      } else {
        this.#configured = configured
        this.#compile = compile
      }
      return changes
    })
  }

  /** After the changes under way: no more polling, waiting removals are answered. */
  async close(): Promise<void> {
    this.#departures.close()
    await this.#queue.run(async () => undefined)
  }

  /** Writes the document as it is now: at start, so that a fresh sticky secret outlives the process. */
  persist(): Promise<void> {
    return this.#queue.run(() => this.#save(this.#documentOf(this.#overlay, this.#revision)))
  }

  #desiredOf(pool: string, url: string): DesiredBackend {
    return this.#desired.get(pool)!.find((backend) => backend.url === url)!
  }

  /** One line for each change that somebody asked for: who looks at the log alone shall know why traffic moved. */
  #tell({ pool, url }: { pool: string; url: string }, change: string, asked: Asked): void {
    const revision = this.#revision
    const where = this.#desired.size > 1 ? `pool ${pool}, ` : ''
    const message = `backend ${url} ${change} (${asked}, ${where}revision ${revision})`
    this.#o.log.event('info', 'backend_changed', message, { pool, url, change, revision })
  }

  // — one change —

  async #change(next: Partial<Pick<Change, 'configured' | 'compile' | 'overlay'>>, drainMs = defaultDrainMs) {
    const plan = this.#plan(next, this.#revision + 1)
    const gone = this.members().filter(({ backend }) => !plan.slots.has(keyOf(backend.pool, backend.url)))
    try {
      await this.#save(this.#documentOf(plan.overlay, plan.revision))
    } catch (error) {
      this.#abandon(plan)
      throw error
    }
    const unsave = () => this.#o.store?.save(this.#documentOf(this.#overlay, this.#revision))
    await this.#apply(plan, unsave)
    // Only now: a worker that still had the old snapshot could be left without any backend. What it keeps this from
    // are retries of exchanges that began before.
    for (const { backend } of gone) {
      this.#o.port.state.setFlag(backend.slot, Flag.REMOVED)
      this.#o.onFlags(backend.slot)
    }
    this.#o.onChange(plan.snapshot)
    return gone.map(({ backend }) => this.#departures.begin(backend, drainMs))
  }

  /** To all workers; `undo` is called when one of them cannot. */
  async #apply(plan: Change, undo: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await this.#o.port.apply(plan.snapshot)
    } catch (error) {
      await this.#rollBack(plan, error, undo)
    }
    this.#adopt(plan)
  }

  #plan(next: Partial<Pick<Change, 'configured' | 'compile' | 'overlay'>>, revision: number): Change {
    const { configured = this.#configured, compile = this.#compile, overlay = this.#overlay } = next
    const desired = mergeOverlay(configured, overlay)
    const slots = new Map<string, Slot>()
    const claimed: Slot[] = []
    const returned: Departure[] = []
    for (const [pool, backends] of desired) {
      for (const { url } of backends) {
        const leaving = this.#departures.hold(pool, url)
        const known = this.#slots.get(keyOf(pool, url)) ?? leaving?.backend.slot
        if (leaving !== undefined) returned.push(leaving)
        slots.set(keyOf(pool, url), known ?? this.#claim(claimed, returned))
      }
    }
    const slotOf = (pool: string, url: string): Slot => {
      const slot = slots.get(keyOf(pool, url))
      if (slot === undefined) throw new Error(`no slot for ${url} in pool ${pool}`)
      return slot
    }
    try {
      // A snapshot may be compiled anew within a revision.
      const generation = Math.max(revision, this.#generation + 1)
      const snapshot = compile(desired, { generation, slotOf })
      return { configured, compile, overlay, desired, snapshot, slots, claimed, returned, revision }
    } catch (error) {
      this.#abandon({ claimed, returned })
      throw error
    }
  }

  #claim(claimed: Slot[], returned: readonly Departure[]): Slot {
    try {
      const slot = this.#o.port.state.claimSlot()
      // Not usable before it is part of a snapshot, and unknown until its first check.
      this.#o.port.state.setFlag(slot, Flag.UNKNOWN)
      claimed.push(slot)
      return slot
    } catch (error) {
      this.#abandon({ claimed, returned })
      throw new ControlError('no-space', error instanceof Error ? error.message : String(error))
    }
  }

  async #save(document: StateDocument): Promise<void> {
    try {
      await this.#o.store?.save(document)
    } catch (error) {
      const code = error instanceof StoreError ? error.code : ''
      const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'no-space' : 'failed'
      const message = error instanceof Error ? error.message : String(error)
      this.#o.log.event('error', 'state_not_saved', `${message}; the change is refused`, { code })
      throw new ControlError(kind, `${message}. Nothing was changed`)
    }
  }

  #documentOf(overlay: Overlay, revision: number): StateDocument {
    return { ...this.#o.document, revision, overlay }
  }

  #abandon(plan: Pick<Change, 'claimed' | 'returned'>): void {
    for (const departure of plan.returned) this.#departures.release(departure)
    for (const slot of plan.claimed) this.#o.port.state.freeSlot(slot)
  }

  /** A worker could not take the snapshot: everybody goes back to the one before. */
  async #rollBack(plan: Change, cause: unknown, undo: () => Promise<unknown> | undefined): Promise<never> {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#o.log.event('error', 'change_not_applied', `a change could not be applied and is undone: ${reason}`)
    await undo()?.catch(() => undefined)
    const restored = await this.#o.port.apply(this.#snapshot).then(
      () => true,
      () => false,
    )
    // A worker that still has the refused snapshot may use the new slots: they are then lost rather than shared.
    this.#abandon(restored ? plan : { claimed: [], returned: plan.returned })
    throw new ControlError('failed', `The change could not be applied (${reason}). Nothing was changed`)
  }

  #adopt(plan: Change): void {
    this.#configured = plan.configured
    this.#compile = plan.compile
    this.#overlay = plan.overlay
    this.#desired = plan.desired
    this.#slots = plan.slots
    this.#snapshot = plan.snapshot
    this.#generation = plan.snapshot.generation
    this.#revision = plan.revision
    for (const departure of plan.returned) this.#takeBack(departure)
    for (const [pool, backends] of plan.desired) for (const backend of backends) this.#setAdminFlags(pool, backend)
  }

  #takeBack(departure: Departure): void {
    const { state } = this.#o.port
    this.#departures.takeBack(departure)
    // Nobody has checked it since it left.
    state.setFlag(departure.backend.slot, Flag.UNKNOWN)
    state.clearFlag(departure.backend.slot, Flag.REMOVED | Flag.PROBE_DOWN | Flag.EJECTED)
  }

  #setAdminFlags(pool: string, backend: DesiredBackend): void {
    const { state } = this.#o.port
    const slot = this.#slots.get(keyOf(pool, backend.url))!
    const wanted = flagOf[backend.state]
    const set = wanted !== 0 && state.setFlag(slot, wanted)
    const cleared = state.clearFlag(slot, adminFlags & ~wanted)
    if (set || cleared) this.#o.onFlags(slot)
  }
}

const settingsOf = ({ weight, maxConnections, backup }: BackendSpec): BackendSettings => ({
  weight,
  maxConnections,
  backup,
})

function removalOf(departure: Departure, departures: Departures): Removal {
  const { backend, inFlight, cutCount } = departure
  return departures.list().includes(departure)
    ? { state: 'draining', backend, inFlight, departure }
    : { state: 'removed', backend, inFlight, cutCount }
}
