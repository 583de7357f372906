// Validation (RFC 9111 §4.3): asking a backend whether what is stored is still right, and telling clients that what they have is.
import { fieldValue } from '../../../util/field-block.ts'
import { equalStrongly, equalWeakly, isEntityTag, isStrong, listHas } from './entity-tag.ts'
import { flags } from './flags.ts'
import { parseHttpDate } from './http-date.ts'
import { withoutFields } from './kept-fields.ts'
import type { CacheRequest } from './request.ts'

/** A stored answer that a backend may say is still right. */
export interface Candidate {
  /** Valid, or ''. */
  readonly etag: string
  /** As received; '' = none. */
  readonly lastModified: string
  /** Of its facts. */
  readonly flags: number
}

/** Tags in one If-None-Match, and their length: a backend refuses heads that are too long. */
const MAX_TAGS = 16
const MAX_TAGS_LENGTH = 2048

/** ETag and Last-Modified of a stored head, as `Candidate` has them. */
export function validatorsOf(head: string): Pick<Candidate, 'etag' | 'lastModified'> {
  const etag = fieldValue(head, 'etag')
  const lastModified = fieldValue(head, 'last-modified')
  return {
    etag: isEntityTag(etag) ? etag : '',
    lastModified: Number.isNaN(parseHttpDate(lastModified)) ? '' : lastModified,
  }
}

/**
 * The lines that make a request for a backend conditional (§4.3.1), '' = nothing can be asked. The tags of all candidates,
 * and the date where there is only one. The conditions of the client are to be taken out before.
 */
export function conditionalFields(candidates: readonly Candidate[]): string {
  const tags = new Set<string>()
  let length = 0
  for (const { etag, flags: bits } of candidates) {
    if (etag === '' || (bits & flags.hasEtag) === 0 || tags.has(etag)) continue
    length += etag.length + 2
    if (tags.size === MAX_TAGS || (length > MAX_TAGS_LENGTH && tags.size > 0)) break
    tags.add(etag)
  }
  let lines = tags.size === 0 ? '' : `If-None-Match: ${[...tags].join(', ')}\r\n`
  const sole = candidates.length === 1 ? candidates[0]! : null
  if (sole !== null && sole.lastModified !== '' && (sole.flags & flags.hasLastModified) !== 0) {
    lines += `If-Modified-Since: ${sole.lastModified}\r\n`
  }
  return lines
}

/**
 * Which candidate a 304 is about (§4.3.4); null = none: then nothing is updated, and the request has to be made again without
 * conditions. `candidates`: those that `conditionalFields` asked for, the youngest first. A 304 that names no validator is
 * about the only one there is; and one about a form that was compressed here knows its tag without the `W/` that we put there.
 */
export function selected<T extends Candidate>(candidates: readonly T[], fields: string): T | null {
  const { etag, lastModified } = validatorsOf(fields)
  if (etag !== '') {
    const fits = isStrong(etag)
      ? ({ etag: own, flags: bits }: T) =>
          equalStrongly(own, etag) || ((bits & flags.codedHere) !== 0 && equalWeakly(own, etag))
      : ({ etag: own }: T) => equalWeakly(own, etag)
    return candidates.find(fits) ?? null
  }
  if (lastModified !== '') {
    const time = parseHttpDate(lastModified)
    return candidates.find((candidate) => parseHttpDate(candidate.lastModified) === time) ?? null
  }
  return candidates.length === 1 ? candidates[0]! : null
}

/** What is known of a stored answer that a client might have already. Times in ms, NaN = not known. */
export interface Known {
  readonly status: number
  /** Valid, or ''. */
  readonly etag: string
  readonly lastModified: number
  /** Date of the answer, or when it came. */
  readonly date: number
}

/**
 * The client's own conditions against the stored answer (§4.3.2, RFC 9110 §13.2.2). `not-modified`: a 304 is enough; `origin`:
 * If-Match and If-Unmodified-Since are for the origin alone to decide (RFC 9110 §13.1.1, §13.1.4): pass the request on.
 */
export function precondition(request: CacheRequest, method: string, known: Known): 'send' | 'not-modified' | 'origin' {
  if (request.isPlain) return 'send'
  if (request.ifMatch !== '' || request.ifUnmodifiedSince !== '') return 'origin'
  // Conditions are not looked at where the answer would be no success (§13.2.1).
  if (known.status < 200 || known.status > 299 || (method !== 'GET' && method !== 'HEAD')) return 'send'
  if (request.ifNoneMatch !== '') {
    const isKnown = request.ifNoneMatch === '*' || listHas(request.ifNoneMatch, known.etag)
    return isKnown ? 'not-modified' : 'send'
  }
  if (request.ifModifiedSince === '') return 'send'
  const since = parseHttpDate(request.ifModifiedSince)
  const modified = Number.isNaN(known.lastModified) ? known.date : known.lastModified
  return modified <= since ? 'not-modified' : 'send'
}

/** What describes a body that a 304 does not have (RFC 9110 §15.4.5). */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-disposition',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'accept-ranges',
])

/** The lines of a stored head that a 304 carries: all but what describes the body, and Last-Modified only without an ETag. */
export function notModifiedFields(head: string): string {
  const hasTag = fieldValue(head, 'etag') !== ''
  return withoutFields(head, (name) => OF_THE_BODY.has(name) || (hasTag && name === 'last-modified'))
}
