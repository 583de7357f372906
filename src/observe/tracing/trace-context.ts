// W3C Trace Context: the field `traceparent`, read strictly and written; `tracestate`, which is nobody's but its members'.
import { findField, trimmed } from '../../util/field-block.ts'

export interface TraceParent {
  /** 32 hex digits, not all zero. */
  readonly traceId: string
  /** 16 hex digits, not all zero: the span of whoever sent it. */
  readonly parentId: string
  /** Of the flags those that are known: sampled (1), random trace id (2). */
  readonly flags: number
}

export const SAMPLED = 1
const KNOWN_FLAGS = 3

/** A version that is not known yet may say more behind what is known. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ZEROS = /^0+$/

/** Null = it is not valid, or is not there. */
export function parseTraceParent(value: string): TraceParent | null {
  const match = TRACEPARENT.exec(value)
  if (match === null) return null
  const [, version, traceId, parentId, flags, more] = match
  if (version === 'ff' || (version === '00' && more !== undefined)) return null
  if (ZEROS.test(traceId!) || ZEROS.test(parentId!)) return null
  return { traceId: traceId!, parentId: parentId!, flags: Number.parseInt(flags!, 16) & KNOWN_FLAGS }
}

/** The values of all fields of that (lower-case) name, as one list; '' = there is none. */
export function listValue(block: string, name: string): string {
  let list = ''
  for (let at = findField(block, name); at >= 0; ) {
    const end = block.indexOf('\r\n', at)
    const value = trimmed(block, at + name.length + 1, end)
    list = list === '' ? value : `${list},${value}`
    at = findField(block, name, end + 2)
  }
  return list
}

/** The id of the trace that a field tells of; '' = none that is valid. */
export function traceIdOf(value: string): string {
  return value === '' ? '' : (parseTraceParent(value)?.traceId ?? '')
}

/** In the version that everybody knows. */
export function formatTraceParent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags & KNOWN_FLAGS}`
}
