// What is stored does not outlive the request that changed it (RFC 9111 §4.4), whichever route that took.
import type { CacheKeySpec, CacheSpec } from '../../core/cache-spec.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import { sameData } from '../../util/same-data.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { invalidated, isUnsafe } from './policy/invalidate.ts'
import { urlKey } from './policy/key.ts'

export class Invalidator {
  readonly plane: CachePlane
  /** Each way in which a route of the snapshot makes keys of URLs. */
  readonly keys: readonly CacheKeySpec[]
  /** What `keys` were found in last: to see at once that nothing has changed. */
  routes: readonly RouteSpec[]

  constructor(plane: CachePlane, keys: readonly CacheKeySpec[], routes: readonly RouteSpec[]) {
    this.plane = plane
    this.routes = routes
    this.keys = keys
  }

  /** An answer has come. `target`: as the route has it, before it is rewritten. */
  after({ method, host, fields }: RequestHead, target: string, status: number, answer: string): void {
    if (!isUnsafe(method)) return
    for (const key of this.keys) {
      const url = urlKey(fields.scheme, host, target, key)
      const location = fieldValue(answer, 'location')
      const contentLocation = fieldValue(answer, 'content-location')
      for (const stale of invalidated(method, status, url, location, contentLocation, key)) this.#forget(stale)
    }
  }

  #forget(url: string): void {
    this.plane.disk?.forget(url)
    this.plane.store.purge({ kind: 'url', url }, false)
  }
}

/** Null = no route caches. The same as `before` while what it goes by is the same. */
export function invalidatorOf(
  routes: readonly RouteSpec[],
  plane: CachePlane | null,
  before: Invalidator | null,
): Invalidator | null {
  if (plane === null) return null
  if (before !== null && before.plane === plane && before.routes === routes) return before
  const keys: CacheKeySpec[] = []
  const specs = routes.map(({ cache }) => cache).filter((cache): cache is CacheSpec => cache !== null)
  for (const { key } of specs) if (!keys.some((known) => sameData(known, key))) keys.push(key)
  if (keys.length === 0) return null
  const isSame = before !== null && before.plane === plane && sameData(before.keys, keys)
  if (!isSame) return new Invalidator(plane, keys, routes)
  before.routes = routes
  return before
}
