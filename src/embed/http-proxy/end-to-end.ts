// Which fields of a message go further than its connection (RFC 9110 §7.6.1).
import { listMembers } from '../../http/http1/grammar.ts'
import type { Field } from '../current-fields.ts'

/** Of one connection, or dangerous to what lies behind (`Proxy`: CVE-2016-5385). Framing is made anew. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What Connection can never take away: framing and routing (CVE-2022-45059). */
const NEVER_HOP_BY_HOP = new Set(['content-length', 'host'])

/** Without what belongs to the connection, and what Connection names. */
export function endToEnd(fields: ReadonlyMap<string, Field>): [string, Field][] {
  const named = new Set((fields.get('connection')?.values ?? []).flatMap(listMembers).map(folded))
  return [...fields].filter(([key]) => {
    const name = folded(key)
    return !key.startsWith(':') && !HOP_BY_HOP.has(name) && (NEVER_HOP_BY_HOP.has(key) || !named.has(name))
  })
}

/** A backend may take `_` for `-`. */
const folded = (name: string): string => name.replaceAll('_', '-')
