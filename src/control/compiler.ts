// Compiles configurations of one process: the same names stand in the same rows of shared memory, whatever else changes.

import { affinityOwners, compileSnapshot } from '../config/compile.ts'
import { splitCursor } from '../config/compile-routes.ts'
import type { Config, PoolConfig, RouteConfig } from '../config/config.ts'
import type { RouteSpec } from '../core/route-spec.ts'
import type { TrafficRows } from '../state/traffic-rows.ts'
import type { Material } from './certificates/material.ts'
import type { Compile } from './membership.ts'
import { RowBook } from './row-book.ts'

/** As state/memory.ts makes them. */
export interface RowCounts {
  readonly pools: number
  readonly affinityTables: number
}

export interface CompilerOptions {
  readonly instanceId: string
  readonly stickySecret: string
  readonly rows: RowCounts
  readonly traffic: TrafficRows
}

export class Compiler {
  readonly #o: CompilerOptions
  readonly #cursors: RowBook
  readonly #tables: RowBook

  constructor(options: CompilerOptions) {
    this.#o = options
    this.#cursors = new RowBook(options.rows.pools)
    this.#tables = new RowBook(options.rows.affinityTables)
  }

  /** How snapshots of a configuration are made. */
  of(config: Config, material: Material): Compile {
    const { instanceId, stickySecret } = this.#o
    const splits = config.routes.filter(({ action }) => action.kind === 'split').map(({ name }) => splitCursor(name))
    const cursors = this.#cursors.assign([...Object.keys(config.pools), ...splits])
    const tables = this.#tables.assign(affinityOwners(config))
    const listeners = new Map(config.listeners.map(({ name }, index) => [name, index]))
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
          routeRowsOf: (route) => this.#rowsOf(config.listeners, named.get(route)!),
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
  #rowsOf(listeners: Config['listeners'], { name, match }: RouteConfig): number[] {
    const { traffic } = this.#o
    return listeners.map((listener, row) => {
      const isNamed = match.listeners.length === 0 || match.listeners.includes(listener.name)
      return isNamed && listener.protocol === 'http' ? traffic.claim(row, name) : traffic.other(row)
    })
  }
}
