// Age and Cache-Status as whole lines (RFC 9111 §5.1, RFC 9211).
import type { CacheSpec } from '../../core/cache-spec.ts'
import { type StoreRefusal, storeRefusals } from '../../state/names.ts'

/** Why a backend was asked: the values of `fwd` (RFC 9211 §2.2). */
export type WhyForwarded = (typeof WHYS)[number]

type Mode = CacheSpec['status']

export interface HitFacts {
  /** Seconds. */
  readonly age: number
  /** Seconds; negative = stale. */
  readonly ttl: number
  /** A token; '' = none. */
  readonly detail: string
  readonly key: string
  readonly isCollapsed: boolean
}

/** An answer from the store. */
export function hitLine(mode: Mode, { age, ttl, detail, key, isCollapsed }: HitFacts): string {
  if (mode === 'off') return `Age: ${age}\r\n`
  let line = `Age: ${age}\r\nCache-Status: frontdesk; ${isCollapsed ? 'fwd=miss; collapsed' : 'hit'}; ttl=${ttl}`
  if (detail !== '') line += `; detail=${detail}`
  return mode === 'key' ? `${line}; key=${quoted(key)}\r\n` : `${line}\r\n`
}

export interface ForwardFacts {
  readonly why: WhyForwarded
  /** Of the backend's answer; 0 = it is the client's. */
  readonly fwdStatus: number
  /** Seconds; NaN = it is not told. */
  readonly ttl: number
  readonly isStored: boolean
  readonly isCollapsed: boolean
  /** A token; '' = none. */
  readonly detail: string
  /** Why it is not stored: the detail where there is no other. Null = it is, or no reason is known. */
  readonly refusal: StoreRefusal | null
  readonly key: string
}

/** An answer that a backend was asked for. */
export function forwardLine(mode: Mode, facts: ForwardFacts): string {
  if (mode === 'off') return ''
  const { why, fwdStatus, ttl, isStored, isCollapsed, refusal, key } = facts
  const detail = facts.detail === '' ? (refusal ?? '') : facts.detail
  if (fwdStatus === 0 && !isCollapsed && facts.detail === '' && mode === 'on') return plainLine(why, isStored, refusal)
  let line = `Cache-Status: frontdesk; fwd=${why}`
  if (fwdStatus !== 0) line += `; fwd-status=${fwdStatus}`
  if (!Number.isNaN(ttl)) line += `; ttl=${ttl}`
  if (isStored) line += '; stored'
  if (isCollapsed) line += '; collapsed'
  if (detail !== '') line += `; detail=${detail}`
  return mode === 'key' ? `${line}; key=${quoted(key)}\r\n` : `${line}\r\n`
}

/** The same string each time, so that a head that was composed with it can be used again. */
function plainLine(why: WhyForwarded, isStored: boolean, refusal: StoreRefusal | null): string {
  if (refusal !== null) return REFUSED[refusal][why]
  return isStored ? STORED[why] : FORWARDED[why]
}

const WHYS = ['bypass', 'uri-miss', 'vary-miss', 'request', 'stale', 'miss'] as const
const linesWith = (end: string) =>
  Object.fromEntries(WHYS.map((why) => [why, `Cache-Status: frontdesk; fwd=${why}${end}\r\n`])) as Record<
    WhyForwarded,
    string
  >
const FORWARDED = linesWith('')
const STORED = linesWith('; stored')
const REFUSED = Object.fromEntries(
  storeRefusals.map((refusal) => [refusal, linesWith(`; detail=${refusal}`)]),
) as Record<StoreRefusal, Record<WhyForwarded, string>>

/** RFC 8941 §3.3.3: keys are visible ASCII. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}"`
}
