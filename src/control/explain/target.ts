// Path and query of a request that is explained: as routes see them, and as a backend gets them.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { PoolSpec, Snapshot } from '../../core/spec.ts'
import { Rewrite } from '../../http/route/rewrite.ts'
import type { RequestRecord } from '../../http/steps/request-record.ts'
import { type CanonicalTarget, canonicalTarget } from '../../routing/canonical-target.ts'
import type { Choice } from './choice.ts'

/** Without routes nobody looks at paths: they are passed on as they come. */
export function readTarget(target: string, { routes }: Snapshot): CanonicalTarget | null {
  if (target === '*') return { path: '*', query: '' }
  if (routes.length > 0) return canonicalTarget(target)
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) }
}

/** After what the route makes of it; null = that is no path. */
export function targetOf(route: RouteSpec | null, { path, query }: RequestRecord): string | null {
  if (route === null || route.rewrite === null || path === '*') return path + query
  return new Rewrite(route.rewrite).apply(path, query)
}

/** Behind the base path, where all that may get it have the same. */
export function withBase(target: string, pool: PoolSpec, { backends }: Choice): string {
  const next = backends.filter(({ would_take }) => would_take).map(({ url }) => url)
  const bases = new Set(pool.backends.filter(({ url }) => next.includes(url)).map(({ basePath }) => basePath))
  const [base = ''] = bases
  return bases.size === 1 && target !== '*' ? base + target : target
}
