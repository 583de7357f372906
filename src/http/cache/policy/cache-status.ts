// The member of Cache-Status (RFC 9211) that tells what this cache did.

/** Left out = not said. */
export interface CacheStatus {
  /** Answered without the backend. */
  readonly hit?: boolean
  /** Why the backend was asked (§2.2). */
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial'
  /** What the backend answered, where the client got something else (§2.3). */
  readonly fwdStatus?: number
  /** Seconds of freshness that are left; negative = stale for so long (§2.4). */
  readonly ttl?: number
  /** The answer was stored (§2.5). */
  readonly stored?: boolean
  /** It was another request that asked (§2.6). */
  readonly collapsed?: boolean
  readonly key?: string
  readonly detail?: string
}

const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/

/** The member alone, without the name of the field. */
export function cacheStatus(status: CacheStatus): string {
  let text = 'frontdesk'
  if (status.hit === true) text += '; hit'
  else if (status.fwd !== undefined) text += `; fwd=${status.fwd}`
  if (status.fwdStatus !== undefined) text += `; fwd-status=${status.fwdStatus}`
  if (status.ttl !== undefined) text += `; ttl=${status.ttl}`
  if (status.stored === true) text += '; stored'
  if (status.collapsed === true) text += '; collapsed'
  if (status.key !== undefined) text += `; key=${quoted(status.key)}`
  if (status.detail !== undefined)
    text += `; detail=${TOKEN.test(status.detail) ? status.detail : quoted(status.detail)}`
  return text
}

/** A String of Structured Fields (RFC 9651 §3.3.3); what it cannot hold is percent-encoded. */
function quoted(text: string): string {
  if (!/[^\x20-\x7e]|["\\]/.test(text)) return `"${text}"`
  const printable = text.replace(
    /[^\x20-\x7e]/g,
    (char) => `%${(char.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`,
  )
  return `"${printable.replace(/["\\]/g, '\\$&')}"`
}
