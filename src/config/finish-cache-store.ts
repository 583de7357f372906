// The store of answers, completed: there is one where a route caches, whether or not anything is said of it.
import type { CacheStoreSpec } from '../core/cache-spec.ts'
import type { RouteConfig } from './config.ts'
import { cacheStore } from './schema/cache-store.ts'
import type { LongForm } from './schema/file.ts'

/** Null where nobody writes one and no route caches. `at`: the absolute name of a file. */
export function finishCacheStore(
  { cache_store: written }: Pick<LongForm, 'cache_store'>,
  routes: readonly Pick<RouteConfig, 'cache'>[],
  at: (file: string) => string,
): CacheStoreSpec | null {
  if (written === undefined && routes.every(({ cache }) => cache === null)) return null
  const { memory, maxObject, disk } = written ?? cacheStore.parse({})
  return { memory, maxObject, disk: disk && { path: at(disk.path), size: disk.size } }
}
