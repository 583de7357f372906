// Caching, of a route and of the process, as the long form writes it.
import type { CacheKeySpec, CacheSpec, CacheStoreSpec, RequestConditions } from '../../core/cache-spec.ts'
import { formatByteSize } from '../../util/byte-size.ts'
import { formatDuration } from '../../util/duration.ts'
import { formatStatusSpan } from '../schema/route/cache-statuses.ts'
import { formatPercent } from '../schema/scalars.ts'

type Form = Record<string, unknown>

/** Every setting, so that the top level need not be known. */
export function cacheForm(cache: CacheSpec): Form {
  const { ttl, heuristic, staleWhileRevalidate, staleIfError } = cache
  return {
    ttl: ttl === 'origin' ? ttl : formatDuration(ttl),
    ttl_by_status: Object.fromEntries(
      cache.ttlByStatus.map((span) => [formatStatusSpan(span), formatDuration(span.ttl)]),
    ),
    default_ttl: formatDuration(cache.defaultTtl),
    heuristic: heuristic !== null && { share: formatPercent(heuristic.share), max: formatDuration(heuristic.max) },
    stale_while_revalidate: staleWhileRevalidate === null ? 'origin' : formatDuration(staleWhileRevalidate),
    stale_if_error: staleIfError === null ? 'origin' : formatDuration(staleIfError),
    stale_when_down: formatDuration(cache.staleWhenDown),
    key: keyForm(cache.key),
    vary: cache.vary,
    bypass: conditionsForm(cache.bypass),
    no_store: conditionsForm(cache.noStore),
    client_directives: cache.clientDirectives,
    set_cookie: cache.setCookie,
    target_fields: cache.targetFields,
    tag_fields: cache.tagFields,
    status: cache.status,
    wait_for: formatDuration(cache.waitFor),
  }
}

function keyForm({ query, sortQuery, headers, cookies }: CacheKeySpec): Form {
  const isNamed = query.kind === 'only' || query.kind === 'except'
  return { query: isNamed ? { [query.kind]: query.names } : query.kind, sort_query: sortQuery, headers, cookies }
}

function conditionsForm({ headers, cookies, query }: RequestConditions): Form {
  return {
    ...(headers.length > 0 && { header: valuesForm(headers) }),
    ...(cookies.length > 0 && { cookie: valuesForm(cookies) }),
    ...(query.length > 0 && { query: valuesForm(query) }),
  }
}

const valuesForm = (conditions: RequestConditions['headers']): Form =>
  Object.fromEntries(conditions.map(({ name, values }) => [name, values.length === 0 ? true : values]))

export function cacheStoreForm({ memory, maxObject, disk }: CacheStoreSpec): Form {
  return {
    memory: formatByteSize(memory),
    max_object: formatByteSize(maxObject),
    disk: disk && { path: disk.path, size: formatByteSize(disk.size) },
  }
}
