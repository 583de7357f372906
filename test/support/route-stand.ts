// The stand of a test of routes: one acting backend per pool, a data plane in this thread, a client.
import type { Middleware, MiddlewareFactory } from '../../src/core/plugin.ts'
import type { RouteSpec } from '../../src/core/route-spec.ts'
import type { BackendSpec, PoolSpec, Snapshot } from '../../src/core/spec.ts'
import { noPlugins, type PluginRegistry } from '../../src/plugins/registry.ts'
import { type ActingBackend, startActingBackend } from './acting-backend.ts'
import { backendSpec, poolSpec } from './control-kit.ts'
import type { Scope } from './leaks.ts'
import { TestPlane } from './plane.ts'
import { RawClient } from './raw-client.ts'

export interface RouteStandOptions {
  /** Names of pools, each with a backend of that name. Default: one, `default`. */
  readonly pools?: readonly string[]
  readonly pool?: Partial<PoolSpec>
  readonly backend?: Partial<BackendSpec>
  /** Pool of the implicit route; '' = none. Default: the first. */
  readonly implicit?: string
  readonly plugins?: Partial<PluginRegistry>
  readonly snapshot?: Partial<Snapshot>
  /** Planes that share the listener. Default 1. */
  readonly planes?: number
}

export interface RouteStand {
  readonly plane: TestPlane
  readonly client: RawClient
  backend(pool?: string): ActingBackend
  open(): Promise<RawClient>
}

export async function routed(
  scope: Scope,
  routes: readonly RouteSpec[],
  options: RouteStandOptions = {},
): Promise<RouteStand> {
  const names = options.pools ?? ['default']
  const backends = new Map<string, ActingBackend>()
  for (const name of names) backends.set(name, scope.use(await startActingBackend({ name })))
  const plane = scope.use(
    await TestPlane.start({
      listeners: [{ name: 'web', pool: options.implicit ?? names[0]! }],
      pools: (state) =>
        names.map((name, cursor) => {
          const port = Number(new URL(backends.get(name)!.url).port)
          return poolSpec([backendSpec(state.claimSlot(), port, { pool: name, ...options.backend })], {
            name,
            cursor,
            ...options.pool,
          })
        }),
      snapshot: { routes, ...options.snapshot },
      plugins: { ...noPlugins, ...options.plugins },
      planes: options.planes ?? 1,
    }),
  )
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(plane.port()))
  return { plane, client: await open(), backend: (pool = names[0]!) => backends.get(pool)!, open }
}

/** A registry of middleware by name. */
export function middlewares(
  table: Readonly<Record<string, Middleware | MiddlewareFactory<never>>>,
): Partial<PluginRegistry> {
  return { middleware: (name) => table[name] as Middleware | undefined }
}

/** Steps of a route by the names of their middleware. */
export function use(...names: string[]): Pick<RouteSpec, 'use'> {
  return { use: names.map((name, at) => ({ ref: { name, options: null }, place: `routes[0].use[${at}]` })) }
}
