// Which route an entry of the cache belongs to.
import type { RouteSpec } from '../../core/route-spec.ts'
import { identityOf } from '../../http/cache/route-cache.ts'

const known = new WeakMap<readonly RouteSpec[], ReadonlyMap<string, string>>()

/** Names of the routes that cache, by what partitions begin with. Snapshots keep the list while their routes do not change. */
export function routeNames(routes: readonly RouteSpec[]): ReadonlyMap<string, string> {
  let names = known.get(routes)
  if (names === undefined) {
    names = new Map(routes.filter(({ cache }) => cache !== null).map((route) => [identityOf(route), route.name]))
    known.set(routes, names)
  }
  return names
}

/** What a partition begins with, as `RouteCache.partitionOf` writes it. */
export const identityIn = (partition: string): string => partition.slice(0, partition.indexOf(' '))
