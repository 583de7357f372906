// Which row of traffic counters each pair of listener and route has. A pair keeps its row as long as it is configured,
// and finds it again if it comes back before somebody else needed it.
import type { Snapshot } from '../core/spec.ts'
import { implicitRoute, otherRoutes } from './names.ts'
import type { OwnerState } from './owner-state.ts'

/** Rows of one listener by route. */
interface Rows {
  readonly used: Map<string, number>
  /** Of routes that are configured no more, gone longest first. */
  readonly gone: Map<string, number>
}

export class TrafficRows {
  readonly #state: Pick<OwnerState, 'sizes' | 'claimTraffic'>
  /** Of listeners that have gone: anybody's. */
  readonly #free: number[] = []
  readonly #byListener = new Map<number, Rows>()
  #next: number

  constructor(state: Pick<OwnerState, 'sizes' | 'claimTraffic'>) {
    this.#state = state
    this.#next = 2 * state.sizes.listeners
  }

  /** The row of a listener (by its own row) where routes are counted that have none of their own. */
  other(listener: number): number {
    return this.#state.sizes.listeners + listener
  }

  /**
   * The row of a route at a listener: the one it has or had, else a fresh one, else that of the route of this listener
   * which is gone longest, else `other`. A route called as the implicit one is counted with it.
   *
   * A row stays at its listener for ever, so that the listener's sums never go down. What an exchange of the route before
   * still counts after its row was given away goes to the new one.
   */
  claim(listener: number, route: string): number {
    if (route === implicitRoute) return listener
    if (route === otherRoutes) return this.other(listener)
    const { used, gone } = this.#rowsOf(listener)
    const row = used.get(route) ?? gone.get(route) ?? this.#fresh(listener) ?? this.#reused(listener, gone)
    if (row === undefined) return this.other(listener)
    gone.delete(route)
    used.set(route, row)
    return row
  }

  /** This snapshot is in force: rows of routes that it does not name may be claimed by others. */
  keepOnly(snapshot: Pick<Snapshot, 'routes'>): void {
    const kept = new Set(snapshot.routes.flatMap(({ rows }) => rows))
    for (const { used, gone } of this.#byListener.values()) {
      for (const [route, row] of used) {
        if (kept.has(row)) continue
        used.delete(route)
        gone.set(route, row)
      }
    }
  }

  /** The row of a listener is given to another: what was its routes' (see `OwnerState.freeListener`) is anybody's. */
  forget(listener: number, freed: readonly number[]): void {
    this.#byListener.delete(listener)
    this.#free.push(...freed)
  }

  #rowsOf(listener: number): Rows {
    const known = this.#byListener.get(listener) ?? { used: new Map(), gone: new Map() }
    this.#byListener.set(listener, known)
    return known
  }

  #fresh(listener: number): number | undefined {
    const free = this.#free.pop()
    if (free !== undefined) {
      this.#state.claimTraffic(free, listener)
      return free
    }
    const { listeners, traffic } = this.#state.sizes
    if (this.#next >= 2 * listeners + traffic) return undefined
    this.#state.claimTraffic(this.#next, listener)
    return this.#next++
  }

  #reused(listener: number, gone: Map<string, number>): number | undefined {
    const [route, row] = gone.entries().next().value ?? []
    if (route === undefined || row === undefined) return undefined
    gone.delete(route)
    this.#state.claimTraffic(row, listener)
    return row
  }
}
