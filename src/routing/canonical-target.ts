// The one form of a path that is matched, authorised, shown to middleware and forwarded (RFC 3986 §6.2.2).

export interface CanonicalTarget {
  /** Begins with a slash, or is `*` (OPTIONS). */
  readonly path: string
  /** As it came, with its `?`; '' = none. */
  readonly query: string
}

/** What the fast path leaves to the slow one: a dot at the beginning of a segment, and all but plain visible ASCII. */
const UNUSUAL = /[^\x21\x22\x24\x26-\x5b\x5d-\x7e]|\/\./
/** What no path may contain as it is: controls, space, `#`, backslash, anything beyond ASCII. */
const REFUSED = /[^\x21\x22\x24-\x5b\x5d-\x7e]/
/** What would end a request line, or mean something else to whoever reads it; no client gets that far, but a rewrite. */
const QUERY_REFUSED = /[^\x21\x22\x24-\x7e]/
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/

const UNRESERVED = /^[A-Za-z0-9\-._~]$/

/**
 * Canonical form of a request target in origin form, or of `*`; null = refuse it (`bad_target`). Percent-encoded
 * unreserved characters are decoded, the hex digits of others are upper case, dot segments are resolved and never lead
 * above the root. Encoded slashes and backslashes stay encoded: they separate nothing. Empty segments stay, too. Done
 * twice it changes nothing more.
 */
export function canonicalTarget(target: string): CanonicalTarget | null {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark)
  if (path.charCodeAt(0) !== 0x2f /* / */) return target === '*' ? { path, query } : null
  if (query !== '' && QUERY_REFUSED.test(query)) return null
  if (!UNUSUAL.test(path)) return { path, query }
  const canonical = canonicalPath(path)
  return canonical === null ? null : { path: canonical, query }
}

function canonicalPath(path: string): string | null {
  if (REFUSED.test(path)) return null
  const decoded = path.includes('%') ? decodeUnreserved(path) : path
  if (decoded === null) return null
  return DOT_SEGMENT.test(decoded) ? withoutDotSegments(decoded) : decoded
}

/**
 * Percent-encoded unreserved characters decoded, the hex digits of others in upper case. Null for a percent sign that encodes
 * nothing, and for an encoded control character.
 */
export function decodeUnreserved(path: string): string | null {
  let result = ''
  let copied = 0
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
    const digits = path.slice(at + 1, at + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null
    const code = Number.parseInt(digits, 16)
    if (code < 0x20 || code === 0x7f) return null
    const character = String.fromCharCode(code)
    result += path.slice(copied, at) + (UNRESERVED.test(character) ? character : `%${digits.toUpperCase()}`)
    copied = at + 3
  }
  return result + path.slice(copied)
}

/** RFC 3986 §5.2.4: `/a/./b/../c/.` is `/a/c/`. */
function withoutDotSegments(path: string): string {
  const segments = path.split('/')
  const last = segments.at(-1)
  const kept: string[] = []
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index]!
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  // A dot segment at the end names a directory.
  if (last === '.' || last === '..') kept.push('')
  return `/${kept.join('/')}`
}
