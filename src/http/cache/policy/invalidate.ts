// What an unsafe request makes wrong in the cache (RFC 9111 §4.4).
import type { CacheKeySpec } from '../../../core/cache-spec.ts'
import { originKey, targetKey } from './key.ts'

/** Defined as safe (RFC 9110 §9.2.1 and the IANA registry); whatever else comes may change something. */
const SAFE: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'REPORT',
  'SEARCH',
  'QUERY',
  'PRI',
])

const everything: CacheKeySpec = { query: { kind: 'all' }, sortQuery: false, headers: [], cookies: [] }

/** Whether answers to this method can make stored ones wrong. */
export function isUnsafe(method: string): boolean {
  return !SAFE.has(method)
}

/**
 * The URLs whose entries are wrong now, as keys; none for safe methods and for errors. `url`: the key of the request;
 * `location`, `contentLocation`: of the answer, '' = none; they count where they are of the same origin. `spec`: of the route,
 * by which their queries are read as those of requests are.
 */
export function invalidated(
  method: string,
  status: number,
  url: string,
  location: string,
  contentLocation: string,
  spec: CacheKeySpec = everything,
): readonly string[] {
  if (!isUnsafe(method) || status < 200 || status >= 400) return []
  if (location === '' && contentLocation === '') return [url]
  const urls = new Set([url])
  for (const reference of [location, contentLocation]) {
    for (const meant of resolved(reference, url, spec)) urls.add(meant)
  }
  return [...urls]
}

/** As written, and as RFC 3986 §5.2 has it where that is another text; empty where it is of another origin or no URL. */
function resolved(reference: string, base: string, spec: CacheKeySpec): string[] {
  if (reference === '' || !URL.canParse(reference, base)) return []
  const meant = new URL(reference, base)
  const origin = base.slice(0, originLength(base))
  if (originKey(meant.protocol.slice(0, -1), meant.host) !== origin) return []
  const keys = [origin + targetKey(meant.pathname + meant.search, spec)]
  const written = pathAsWritten(reference)
  if (written !== null) keys.push(origin + targetKey(written, spec))
  return keys
}

function originLength(url: string): number {
  const slash = url.indexOf('/', url.indexOf('://') + 3)
  return slash < 0 ? url.length : slash
}

/** Path and query of an absolute URL or path byte for byte, without fragment; null for a relative one. */
function pathAsWritten(reference: string): string | null {
  const whole = reference.replace(/#.*$/s, '')
  const match = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?:\/\/[^/?]*(?=\/)|(?!\/\/))(\/.*)$/s.exec(whole)
  return match === null ? null : match[1]!
}
