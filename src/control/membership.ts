// Changes of backends alone, as operators and programs ask for them: short ways to the one pipeline that read and parse
// nothing anew, however large the configuration is.

import type { BackendConfig, Config } from '../config/config.ts'
import type { Json } from '../config/document/types.ts'
import { kindProblem } from '../config/pool-kind.ts'
import type { Log } from '../core/log.ts'
import type { BackendSpec, Snapshot } from '../core/spec.ts'
import { type BackendAddress, findBackends, locateBackend, matches, poolForNew } from './backend-finder.ts'
import type { Asked, Changes } from './changes.ts'
import { ControlError } from './control-error.ts'
import type { Departure, Departures } from './departures.ts'
import type { DesiredBackend } from './desired.ts'
import { type EventSink, noEvents } from './events.ts'
import { formatDuration } from './format-duration.ts'
import { withState } from './history.ts'
import type { InForce, Proposal } from './in-force.ts'
import { amendPool, type BackendSettings, backendItems, itemWith, withItem } from './overlay.ts'
import { valueWords } from './plan/plan-words.ts'
import { backendChanges } from './plan/pool-steps.ts'
import type { Member, Roster } from './roster.ts'
import type { BackendItems } from './store/legacy-overlay.ts'
import type { AdminState, SaidState } from './store/state-document.ts'

export type { Compile, Member } from './roster.ts'

export interface MembershipOptions {
  readonly changes: Changes
  readonly roster: Roster
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
}

export type Removal =
  | { readonly state: 'removed'; readonly backend: BackendSpec; readonly inFlight: number; readonly cutCount: number }
  | {
      readonly state: 'draining'
      readonly backend: BackendSpec
      readonly inFlight: number
      readonly departure: Departure
    }

/** What an operator says of a backend. */
export interface Said extends BackendSettings {
  readonly state?: AdminState | undefined
  /** With `state: 'drain'`: after so long what is left of it is cut. Null = never; absent = never, or as it was. */
  readonly drainMs?: number | null | undefined
}

export interface NewBackend extends BackendSettings {
  readonly state?: 'up' | 'disabled' | undefined
}

const stateWords = { up: 'enabled', drain: 'drained', disabled: 'disabled' } as const

export class Membership {
  readonly #o: MembershipOptions
  readonly #events: EventSink

  constructor(options: MembershipOptions) {
    this.#o = options
    this.#events = options.events ?? noEvents
  }

  get snapshot(): Snapshot {
    return this.#o.roster.snapshot
  }

  get revision(): number {
    return this.#o.changes.now.revision
  }

  /** Backends in their pools, in order. */
  members(): Member[] {
    return this.#o.roster.members()
  }

  /** Removed backends that are still finishing. */
  departing(): readonly Departure[] {
    return this.#o.roster.departures.list()
  }

  /** @throws ControlError not-found (pool), duplicate, invalid (its kind is not the pool's), and as `Changes.make`. */
  add(at: BackendAddress, { state, ...settings }: NewBackend, asked: Asked): Promise<BackendSpec> {
    const { url } = at
    const said = state === 'disabled' ? ({ state } as const) : null
    let pool = ''
    return this.#o.changes.make(
      asked,
      (now, revision) => {
        pool = this.#poolFor(at)
        const before = this.#o.roster.departures.find(pool, url)
        const inFile = backendItems(now.file, pool)?.get(url)
        // One that only the API had told of comes back with what it was told.
        const kept = before === undefined || inFile !== undefined ? {} : settingsOf(before.backend)
        const item = itemWith(url, inFile, { ...kept, ...settings }, inFile)
        return this.#amend(now, { pool, url, item, said, stamp: { ...asked, revision } })
      },
      ({ revision }) => {
        const backend = locateBackend(this.snapshot, { pool, url })
        this.#tell(backend, 'added', asked)
        this.#events.emit({ type: 'backend_added', pool, backend: url, revision })
        return backend
      },
    )
  }

  /** Changes what is named. @throws ControlError not-found, invalid (ambiguous), and as `Changes.make`. */
  patch(at: BackendAddress, said: Said, asked: Asked): Promise<Member> {
    let before!: DesiredBackend
    let pool = ''
    return this.#o.changes.make(
      asked,
      (now, revision) => {
        const backend = locateBackend(this.snapshot, at)
        pool = backend.pool
        before = this.#desired(pool, backend.url)
        const { url } = backend
        const inFile = backendItems(now.file, pool)?.get(url)
        const item = itemWith(url, backendItems(now.whole, pool)!.get(url), said, inFile)
        return this.#amend(now, { pool, url, item, said: this.#saidOf(before, said), stamp: { ...asked, revision } })
      },
      ({ isChange }) => {
        if (isChange) this.#tellChange(pool, before, asked)
        return this.members().find(({ backend }) => backend.pool === pool && backend.url === before.url)!
      },
    )
  }

  /**
   * New requests stop at once; those in flight may finish for `drainMs`. Removing one that is draining already sets
   * its time anew. @throws ControlError not-found, invalid (ambiguous), and as `Changes.make`.
   */
  async remove(at: BackendAddress, drainMs: number, asked: Asked): Promise<Removal> {
    const { departures } = this.#o.roster
    const leaving = await this.#o.changes.exclusively(async () => this.#hurry(at, drainMs))
    if (leaving !== null) {
      this.#tell(leaving.backend, `has ${formatDuration(drainMs)} to finish`, asked)
      return removalOf(leaving, departures)
    }
    let gone!: BackendSpec
    return this.#o.changes.make(
      asked,
      (now, revision) => {
        gone = locateBackend(this.snapshot, at)
        const { pool, url } = gone
        const amended = this.#amend(now, { pool, url, item: null, said: null, stamp: { ...asked, revision } })
        return { ...amended, drainMs }
      },
      ({ departures: [departure], revision }) => {
        this.#tell(gone, 'removed', asked)
        const { inFlight } = departure!
        this.#events.emit({ type: 'backend_removed', pool: gone.pool, backend: gone.url, inFlight, revision })
        return removalOf(departure!, departures)
      },
    )
  }

  /** One that is leaving already, with another deadline. */
  #hurry(at: BackendAddress, drainMs: number): Departure | null {
    const { departures } = this.#o.roster
    const leaving = departures.list().find(({ backend }) => matches(backend, at))
    if (leaving === undefined || findBackends(this.snapshot, at).length > 0) return null
    departures.hurry(leaving, drainMs)
    return leaving
  }

  #poolFor(at: BackendAddress): string {
    const pool = poolForNew(this.snapshot, at)
    if (findBackends(this.snapshot, { pool, url: at.url }).length > 0) {
      const message = `${at.url} is already in pool ${pool}`
      throw new ControlError('duplicate', message, [{ path: 'url', message: 'is already there; PATCH changes it' }])
    }
    const misfit = kindProblem(this.snapshot.pools.find(({ name }) => name === pool)!, at.url)
    if (misfit !== null) throw new ControlError('invalid', misfit, [{ path: 'url', message: misfit }])
    return pool
  }

  #desired(pool: string, url: string): DesiredBackend {
    return this.#o.roster.desired.get(pool)!.find((backend) => backend.url === url)!
  }

  /** What stands beside the configuration from now on; null = nothing. */
  #saidOf(before: DesiredBackend, { state = before.state, drainMs }: Said): SaidState | null {
    if (state === 'up') return null
    if (state === 'disabled') return { state }
    const isNew = before.state !== 'drain'
    if (drainMs === undefined || drainMs === null) {
      const stays = drainMs === undefined && !isNew ? before.drainEndsAt : null
      return { state, ...(stays !== null && { drainEndsAt: stays }) }
    }
    return { state, drainEndsAt: new Date(Date.now() + drainMs).toISOString() }
  }

  #amend(now: InForce, { pool, url, item, said, stamp }: Amendment): Proposal {
    const { file, whole, changes } = now
    const items = withItem(backendItems(whole, pool)!, { url, item }, backendItems(file, pool))
    const made = { at: new Date().toISOString(), by: stamp.by, revision: stamp.revision }
    const laid = amendPool({ file, whole, changes, pool, backends: [...items.values()], stamp: made })
    const states = withState(now.states, { pool, url }, said)
    return { ...laid, config: withBackends(now.config, pool, items), states, onlyBackends: true }
  }

  /** One line for each change that somebody asked for: who looks at the log alone shall know why traffic moved. */
  #tell({ pool, url }: { pool: string; url: string }, change: string, asked: Asked): void {
    const { by, cause } = asked
    const { revision, desired } = this.#o.changes.now
    const where = desired.size > 1 ? `pool ${pool}, ` : ''
    const message = `backend ${url} ${change} (${by}, ${where}revision ${revision})`
    this.#o.log.event('info', 'backend_changed', message, { pool, url, change, by, cause, revision })
  }

  #tellChange(pool: string, before: DesiredBackend, asked: Asked): void {
    const now = this.#desired(pool, before.url)
    const words = backendChanges(before, now).map((change) =>
      change.path === 'state' ? stateWords[now.state] : valueWords(change),
    )
    const ends = now.drainEndsAt !== null && now.drainEndsAt !== before.drainEndsAt ? ` until ${now.drainEndsAt}` : ''
    this.#tell({ pool, url: before.url }, `${words.join(', ')}${ends}`.trim(), asked)
    const { weight, maxConnections, backup, state } = now
    const about = { pool, backend: before.url, weight, maxConnections, backup, state, revision: this.revision }
    this.#events.emit({ type: 'backend_updated', ...about })
  }
}

interface Amendment {
  readonly pool: string
  readonly url: string
  /** As the document has it; null = it leaves. */
  readonly item: Json | null
  readonly said: SaidState | null
  readonly stamp: Asked & { readonly revision: number }
}

/** The configuration with other backends in one pool; everything else is the same object. */
function withBackends(config: Config, name: string, items: BackendItems): Config {
  const pool = config.pools[name]!
  const backends = [...items].map(([url, item]) => backendOf(url, item))
  return { ...config, pools: { ...config.pools, [name]: { ...pool, backends } } }
}

function backendOf(url: string, item: Json): BackendConfig {
  const { weight = 1, max_connections = 0, backup = false } = (typeof item === 'object' ? item : {}) as BackendSettings
  return { url, weight, maxConnections: max_connections, backup }
}

const settingsOf = ({ weight, maxConnections, backup }: BackendSpec): BackendSettings => ({
  weight,
  max_connections: maxConnections,
  backup,
})

function removalOf(departure: Departure, departures: Departures): Removal {
  const { backend, inFlight, cutCount } = departure
  return departures.list().includes(departure)
    ? { state: 'draining', backend, inFlight, departure }
    : { state: 'removed', backend, inFlight, cutCount }
}
