// Compiles configurations of one process: the same names stand in the same rows of shared memory, whatever else changes.

import { affinityOwners, compileSnapshot } from '../config/compile.ts'
import { routeTable, splitCursor } from '../config/compile-routes.ts'
import type { Config, PoolConfig, RouteConfig } from '../config/config.ts'
import type { RouteSpec } from '../core/route-spec.ts'
import type { Snapshot, StickySpec } from '../core/spec.ts'
import type { OwnerState } from '../state/owner-state.ts'
import type { TrafficRows } from '../state/traffic-rows.ts'
import type { Material } from './certificates/material.ts'
import type { Compile } from './membership.ts'
import { RowBook } from './row-book.ts'

/** As state/memory.ts makes them. */
export interface RowCounts {
  readonly pools: number
  readonly affinityTables: number
  readonly listeners: number
}

export interface CompilerOptions {
  readonly instanceId: string
  readonly stickySecret: string
  readonly rows: RowCounts
  readonly traffic: TrafficRows
  readonly state: Pick<OwnerState, 'isListenerBusy' | 'freeListener'>
}

export class Compiler {
  readonly #o: CompilerOptions
  readonly #cursors: RowBook
  readonly #tables: RowBook
  readonly #listeners: RowBook

  constructor(options: CompilerOptions) {
    this.#o = options
    this.#cursors = new RowBook(options.rows.pools)
    this.#tables = new RowBook(options.rows.affinityTables)
    const { rows, state, traffic } = options
    this.#listeners = new RowBook(rows.listeners, {
      mayReuse: (row) => !state.isListenerBusy(row),
      onReuse: (row) => traffic.forget(row, state.freeListener(row)),
    })
  }

  /** This snapshot runs: what it uses keeps its rows, whatever is compiled next. */
  inForce(snapshot: Snapshot): void {
    const { pools, routes, listeners } = snapshot
    const splits = routes.filter(({ action }) => action.kind === 'split').map(({ name }) => splitCursor(name))
    this.#cursors.keep([...pools.map(({ name }) => name), ...splits])
    this.#tables.keep([
      ...pools.filter(({ sticky }) => hasTable(sticky)).map(({ name }) => name),
      ...routes.filter(({ sticky }) => sticky !== 'none' && hasTable(sticky)).map(({ name }) => routeTable(name)),
    ])
    this.#listeners.keep(listeners.map(({ name }) => name))
    this.#o.traffic.keepOnly(snapshot)
  }

  /** How snapshots of a configuration are made. */
  of(config: Config, material: Material): Compile {
    const { instanceId, stickySecret } = this.#o
    const splits = config.routes.filter(({ action }) => action.kind === 'split').map(({ name }) => splitCursor(name))
    const cursors = this.#cursors.assign([...Object.keys(config.pools), ...splits])
    const tables = this.#tables.assign(affinityOwners(config))
    const listeners = this.#listeners.assign(config.listeners.map(({ name }) => name))
    const named = new Map(config.routes.map((route) => [route.name, route]))
    // They do not depend on the backends, which change more often.
    let routes: readonly RouteSpec[] | undefined
    return (pools, { generation, slotOf }) => {
      const withBackends = Object.entries(config.pools).map(([name, pool]): [string, PoolConfig] => [
        name,
        { ...pool, backends: [...(pools.get(name) ?? [])] },
      ])
      const snapshot = compileSnapshot(
        { ...config, pools: Object.fromEntries(withBackends) },
        {
          generation,
          instanceId,
          slotOf,
          cursorOf: (name) => cursors.get(name)!,
          tableOf: (name) => tables.get(name)!,
          listenerRowOf: (listener) => listeners.get(listener)!,
          routeRowsOf: (route) => this.#rowsOf(config.listeners, listeners, named.get(route)!),
          routes,
          stickySecret,
          material,
        },
      )
      routes = snapshot.routes
      return snapshot
    }
  }

  /** The rows of the counters of a route, by listener: of its own only where it can be reached. */
  #rowsOf(listeners: Config['listeners'], rows: ReadonlyMap<string, number>, { name, match }: RouteConfig): number[] {
    const { traffic } = this.#o
    return listeners.map((listener) => {
      const row = rows.get(listener.name)!
      const isNamed = match.listeners.length === 0 || match.listeners.includes(listener.name)
      return isNamed && listener.protocol === 'http' ? traffic.claim(row, name) : traffic.other(row)
    })
  }
}

const hasTable = (sticky: StickySpec | null): boolean => sticky !== null && sticky.table >= 0
