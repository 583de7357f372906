// What is stored does not outlive the request that changed it (RFC 9111 §4.4), whichever route that took.
import type { CacheKeySpec, CacheSpec } from '../../core/cache-spec.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import { sameData } from '../../util/same-data.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { invalidated, isUnsafe } from './policy/invalidate.ts'
import { urlKey } from './policy/key.ts'

export class Invalidator {
  /** Each way in which a route of the snapshot makes keys of URLs. */
  readonly keys: readonly CacheKeySpec[]
  /** What `keys` were found in last: to see at once that nothing has changed. */
  routes: readonly RouteSpec[]

  constructor(keys: readonly CacheKeySpec[], routes: readonly RouteSpec[]) {
    this.routes = routes
    this.keys = keys
  }

  /**
   * An answer has come. `target`: as the route has it, before it is rewritten. `plane`: what is in force now, which need not be
   * what was when the request began; null = nothing caches any more.
   */
  after(
    { method, host, fields }: RequestHead,
    target: string,
    { status, forward: answer }: Pick<ResponseHead, 'status' | 'forward'>,
    plane: CachePlane | null,
  ): void {
    if (plane === null || !isUnsafe(method)) return
    for (const key of this.keys) {
      const url = urlKey(fields.scheme, host, target, key)
      const location = fieldValue(answer, 'location')
      const contentLocation = fieldValue(answer, 'content-location')
      for (const stale of invalidated(method, status, url, location, contentLocation, key)) forget(stale, plane)
    }
  }
}

function forget(url: string, { store, disk }: CachePlane): void {
  disk?.forget(url)
  store.purge({ kind: 'url', url }, false)
}

/** Null = no route caches. The same as `before` while what it goes by is the same. */
export function invalidatorOf(routes: readonly RouteSpec[], before: Invalidator | null): Invalidator | null {
  if (before !== null && before.routes === routes) return before
  const keys: CacheKeySpec[] = []
  const specs = routes.map(({ cache }) => cache).filter((cache): cache is CacheSpec => cache !== null)
  for (const { key } of specs) if (!keys.some((known) => sameData(known, key))) keys.push(key)
  if (keys.length === 0) return null
  if (before === null || !sameData(before.keys, keys)) return new Invalidator(keys, routes)
  before.routes = routes
  return before
}
