// A pool as a route uses it: with the route's own deadlines, retries, Host and affinity where it has any. Routes keep their
// destinations while the settings of a pool change: what they hold is swapped, so that no route has to be built for it.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { RetriesSpec, Snapshot, TimeoutsSpec } from '../../core/spec.ts'
import { type Affinity, buildAffinity } from '../../pool/affinity.ts'
import type { Pool, PoolParts } from '../../pool/pool.ts'
import type { WorkerState } from '../../state/worker-state.ts'
import { sameData } from '../../util/same-data.ts'
import type { ResponseRules } from '../http1/response-head.ts'

type Limits = Snapshot['limits']

/** What of a destination depends on the settings of its pool. */
interface Terms {
  readonly timeouts: TimeoutsSpec
  readonly retries: RetriesSpec
  readonly affinity: Affinity | null
  readonly hostHeader: string
  readonly responseRules: ResponseRules
}

export class Destination implements Terms {
  readonly pool: Pool
  /** Null: of the implicit route, or of a mirror. */
  readonly route: RouteSpec | null
  timeouts: TimeoutsSpec
  retries: RetriesSpec
  affinity: Affinity | null
  /** Anything but the two words is sent as Host. */
  hostHeader: string
  responseRules: ResponseRules

  constructor(pool: Pool, route: RouteSpec | null, terms: Terms) {
    this.pool = pool
    this.route = route
    this.timeouts = terms.timeouts
    this.retries = terms.retries
    this.affinity = terms.affinity
    this.hostHeader = terms.hostHeader
    this.responseRules = terms.responseRules
  }

  adopt(terms: Terms): void {
    this.timeouts = terms.timeouts
    this.retries = terms.retries
    this.affinity = terms.affinity
    this.hostHeader = terms.hostHeader
    this.responseRules = terms.responseRules
  }
}

export interface DestinationsOptions {
  readonly pools: ReadonlyMap<string, Pool>
  /** What pools that were there before are about to become. */
  readonly changed: ReadonlyMap<Pool, PoolParts>
  readonly limits: Limits
  readonly state: WorkerState
}

/** The destinations of a snapshot, made beside those in force: `commit` swaps what those go by. */
export class Destinations {
  readonly pools: ReadonlyMap<string, Pool>
  readonly #o: DestinationsOptions
  /** Routes that change nothing of a pool's share one. */
  readonly #plain = new Map<Pool, Destination>()
  readonly #all = new Set<Destination>()
  /** Routes of one pool have one object: connections to backends keep the last head parsed by it. */
  readonly #rules = new Map<Pool, ResponseRules>()
  #updates: (readonly [Destination, Terms])[] = []

  /** `before`: those in force; their objects are used again. */
  constructor(options: DestinationsOptions, before: Destinations | null = null) {
    this.#o = options
    this.pools = options.pools
    for (const pool of options.pools.values()) this.#rules.set(pool, this.#rulesOf(pool, before))
    for (const destination of before === null ? [] : before.#plain.values()) {
      if (options.pools.get(destination.pool.spec.name) === destination.pool) this.keep(destination)
    }
  }

  /** Where requests to a pool go, in the manner of a route, or as the pool says. Throws where there is no such pool. */
  of(name: string, route: RouteSpec | null): Destination {
    const pool = this.#o.pools.get(name)
    if (pool === undefined) throw new Error(`there is no pool ${name}`)
    const own = route !== null && changesPool(route) ? route : null
    const known = own === null ? this.#plain.get(pool) : undefined
    if (known !== undefined) return known
    const destination = new Destination(pool, own, this.#termsOf(pool, own))
    if (own === null) this.#plain.set(pool, destination)
    this.#all.add(destination)
    return destination
  }

  /** One that is in force stays so, in step with its pool. */
  keep(destination: Destination): void {
    if (this.#all.has(destination)) return
    this.#all.add(destination)
    const { pool, route } = destination
    if (route === null) this.#plain.set(pool, destination)
    const isStale = this.#o.changed.has(pool) || this.#rules.get(pool) !== destination.responseRules
    if (isStale) this.#updates.push([destination, this.#termsOf(pool, route)])
  }

  /** All of those before stay. */
  keepAll(before: Destinations): void {
    for (const destination of before.#all) this.keep(destination)
  }

  /** What was kept goes by the new settings from now on. */
  commit(): void {
    for (const [destination, terms] of this.#updates) destination.adopt(terms)
    this.#updates = []
  }

  #termsOf(pool: Pool, route: RouteSpec | null): Terms {
    const { spec, affinity } = this.#o.changed.get(pool) ?? pool
    const sticky = route?.sticky ?? null
    return {
      timeouts: { ...spec.timeouts, ...route?.timeouts },
      retries: { ...spec.retries, ...route?.retries },
      affinity:
        sticky === null ? affinity : sticky === 'none' ? null : buildAffinity({ ...spec, sticky }, this.#o.state),
      hostHeader: route?.hostHeader ?? spec.hostHeader,
      responseRules: this.#rules.get(pool)!,
    }
  }

  #rulesOf(pool: Pool, before: Destinations | null): ResponseRules {
    const { spec } = this.#o.changed.get(pool) ?? pool
    const rules = { maxFields: Math.max(this.#o.limits.headerCount, 256), hide: spec.hideHeaders }
    const known = before === null ? undefined : before.#rules.get(pool)
    return known !== undefined && sameData(known, rules) ? known : rules
  }
}

const changesPool = ({ timeouts, retries, sticky, hostHeader }: RouteSpec): boolean =>
  timeouts !== null || retries !== null || sticky !== null || hostHeader !== null
