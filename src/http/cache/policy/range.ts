// Parts of a complete stored answer (RFC 9110 §14, §13.1.5).
import { trimmed } from '../../../util/field-block.ts'
import { equalStrongly, isEntityTag } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'
import type { CacheRequest } from './request.ts'

/** What is known of the answer of which a part is wanted. Times in ms, NaN = not known. */
export interface RangeSource {
  /** Valid, or ''. */
  readonly etag: string
  readonly lastModified: number
  readonly date: number
  /** Of the body. */
  readonly length: number
  readonly status: number
}

/** Both positions are included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Whoever asks for more parts gets the whole (§14.2: any request for ranges may be ignored). */
const MAX_RANGES = 16
const RANGE_SET = /^bytes=(.+)$/is
const INT_RANGE = /^([0-9]+)-([0-9]*)$/
const SUFFIX_RANGE = /^-([0-9]+)$/

/**
 * What to send for a GET. Several parts that do not make up one are the whole answer: multipart bodies are not made here.
 * `unsatisfiable` = 416.
 */
export function rangeOf(request: CacheRequest, source: RangeSource): ByteRange | 'whole' | 'unsatisfiable' {
  if (request.range === '' || source.status !== 200) return 'whole'
  if (request.ifRange !== '' && !isSame(request.ifRange, source)) return 'whole'
  const match = RANGE_SET.exec(request.range)
  if (match === null) return 'whole'
  const ranges = parseRanges(match[1]!, source.length)
  if (ranges === null) return 'whole'
  return ranges.length === 0 ? 'unsatisfiable' : coalesced(ranges)
}

/** §13.1.5: by a strong tag, or by a Last-Modified that is as good as one (§8.8.2.2). */
function isSame(ifRange: string, { etag, lastModified, date }: RangeSource): boolean {
  if (isEntityTag(ifRange)) return equalStrongly(ifRange, etag)
  return parseHttpDate(ifRange) === lastModified && date - lastModified >= 1000
}

/** Those that can be had; null = the set is not to be read, or too long: then it is ignored (§14.2). */
function parseRanges(set: string, length: number): ByteRange[] | null {
  const specs = set
    .split(',')
    .map((spec) => trimmed(spec, 0, spec.length))
    .filter((spec) => spec !== '')
  if (specs.length === 0 || specs.length > MAX_RANGES) return null
  const ranges: ByteRange[] = []
  for (const spec of specs) {
    const range = parseRange(spec, length)
    if (range === null) return null
    if (range !== 'unsatisfiable') ranges.push(range)
  }
  return ranges
}

function parseRange(spec: string, length: number): ByteRange | 'unsatisfiable' | null {
  const suffix = SUFFIX_RANGE.exec(spec)
  if (suffix !== null) {
    const wanted = Number(suffix[1])
    if (wanted === 0) return 'unsatisfiable'
    // Of nothing the last bytes are nothing, which no 206 can say.
    return length === 0 ? null : { start: Math.max(0, length - wanted), end: length - 1 }
  }
  const match = INT_RANGE.exec(spec)
  if (match === null) return null
  const start = Number(match[1])
  const last = match[2] === '' ? Infinity : Number(match[2])
  if (last < start) return null
  return start >= length ? 'unsatisfiable' : { start, end: Math.min(last, length - 1) }
}

/** One part where they overlap or follow each other without a gap (§15.3.7.2). */
function coalesced(ranges: readonly ByteRange[]): ByteRange | 'whole' {
  if (ranges.length === 1) return ranges[0]!
  const sorted = ranges.toSorted((a, b) => a.start - b.start)
  let { start, end } = sorted[0]!
  for (const range of sorted) {
    if (range.start > end + 1) return 'whole'
    end = Math.max(end, range.end)
    start = Math.min(start, range.start)
  }
  return { start, end }
}
