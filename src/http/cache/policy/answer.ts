// Everything of an answer that storing it depends on, read once for each head.
import { isName, trimmed } from '../../../util/field-block.ts'
import { ResponseDirectives, readCacheControl, readTargeted } from './answer-directives.ts'
import { deltaSeconds } from './directives.ts'
import { isEntityTag } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'
import { parseDictionary } from './structured-dictionary.ts'

/** Times are ms since the epoch. */
export class AnswerDirectives {
  /** Of Cache-Control, or of the targeted field in its place. */
  directives = new ResponseDirectives()
  /** The field (lower case) that counts in place of Cache-Control and Expires (RFC 9213 §2.2); '' = none. */
  targetedBy = ''
  /** no-transform, in whichever of them. */
  noTransform = false
  /** NaN = there is none; 0 = it cannot be read, which is in the past (RFC 9111 §5.3). */
  expires = Number.NaN
  /** NaN = there is none that can be read. */
  date = Number.NaN
  lastModified = Number.NaN
  /** Seconds; 0 = none. */
  age = 0
  /** A valid tag as received, with its `W/`; '' = none. */
  etag = ''
  /** Lower case, sorted, each once. */
  vary: readonly string[] = noNames
  /** `Vary: *`, or one that cannot be read. */
  variesByAny = false
  hasSetCookie = false
  hasContentRange = false
  /** As received, lower case; '' = none. */
  contentEncoding = ''
  /** For purging, separated by one space each; '' = none. */
  tags = ''
  /** More than are kept: then it could not be purged by all of them. */
  hasTooManyTags = false
  /** RFC 9110 §15: its meaning for caches is known. */
  isUnderstood = false
  /** RFC 9110 §15.1: may be stored though nothing is said of how long it is fresh. */
  isCacheableByDefault = false
  /** Some line is not to be kept: Age, fields of proxies, tags. */
  hasUnkept = false
}

const noNames: readonly string[] = Object.freeze([])
const MAX_TAGS_LENGTH = 16 * 1024

const BY_DEFAULT: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])
/** What RFC 9110 defines, without 304 and 206, which are parts of other answers. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411,
  412, 413, 414, 415, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505,
])

/**
 * Reads a field block (every line with its CRLF). `targetFields`, `tagFields`: lower case, as in CacheSpec. Never throws: what
 * cannot be read is taken on the safe side. Names are compared to the letter here, without taking `_` for `-`: no client
 * would do so either.
 */
export function readAnswer(
  fields: string,
  status: number,
  targetFields: readonly string[],
  tagFields: readonly string[],
): AnswerDirectives {
  const answer = new AnswerDirectives()
  answer.isUnderstood = UNDERSTOOD.has(status)
  answer.isCacheableByDefault = BY_DEFAULT.has(status)
  const reading = new Reading(answer, targetFields, tagFields)
  for (let position = 0; position < fields.length; ) {
    const colon = fields.indexOf(':', position)
    const end = fields.indexOf('\r', colon)
    reading.take(fields, position, colon, end)
    position = end + 2
  }
  reading.finish()
  return answer
}

/** Per-parse state. */
class Reading {
  readonly #answer: AnswerDirectives
  readonly #targetFields: readonly string[]
  readonly #tagFields: readonly string[]
  #cacheControl = ''
  #vary = ''
  #age = ''
  #lastModified = ''
  #etags = 0
  #dates = 0
  /** In the order of `targetFields`; null until there is one. */
  #targets: string[] | null = null

  constructor(answer: AnswerDirectives, targetFields: readonly string[], tagFields: readonly string[]) {
    this.#answer = answer
    this.#targetFields = targetFields
    this.#tagFields = tagFields
  }

  take(block: string, start: number, colon: number, end: number): void {
    const length = colon - start
    switch (length) {
      case 3:
        if (isName(block, start, 'age')) {
          this.#answer.hasUnkept = true
          this.#age = joined(this.#age, trimmed(block, colon + 1, end))
        }
        break
      case 4:
        this.#takeFour(block, start, colon, end)
        break
      case 7:
        if (isName(block, start, 'expires')) this.#takeExpires(trimmed(block, colon + 1, end))
        break
      case 10:
        if (isName(block, start, 'set-cookie') && isDash(block, start + 3)) this.#answer.hasSetCookie = true
        break
      case 13:
        this.#takeThirteen(block, start, colon, end)
        break
      case 16:
        if (isName(block, start, 'content-encoding') && isDash(block, start + 7)) {
          this.#answer.contentEncoding = joined(
            this.#answer.contentEncoding,
            trimmed(block, colon + 1, end).toLowerCase(),
          )
        }
        break
      case 18:
      case 19:
      case 25:
        if (isName(block, start, 'proxy-auth')) this.#answer.hasUnkept = true
        break
    }
    this.#takeNamed(block, start, colon, end)
  }

  #takeFour(block: string, start: number, colon: number, end: number): void {
    const answer = this.#answer
    if (isName(block, start, 'date')) {
      const time = parseHttpDate(trimmed(block, colon + 1, end))
      // The earlier of two: the answer is the older.
      answer.date = this.#dates++ === 0 ? time : Math.min(answer.date, time)
    } else if (isName(block, start, 'etag')) {
      const tag = trimmed(block, colon + 1, end)
      answer.etag = this.#etags++ === 0 && isEntityTag(tag) ? tag : ''
    } else if (isName(block, start, 'vary')) this.#vary = joined(this.#vary, trimmed(block, colon + 1, end))
  }

  #takeThirteen(block: string, start: number, colon: number, end: number): void {
    if (isName(block, start, 'cache-control') && isDash(block, start + 5)) {
      this.#cacheControl = joined(this.#cacheControl, trimmed(block, colon + 1, end))
    } else if (isName(block, start, 'last-modified') && isDash(block, start + 4)) {
      this.#lastModified = joined(this.#lastModified, trimmed(block, colon + 1, end))
    } else if (isName(block, start, 'content-range') && isDash(block, start + 7)) this.#answer.hasContentRange = true
  }

  #takeExpires(value: string): void {
    const time = parseHttpDate(value)
    const known = Number.isNaN(time) ? 0 : time
    const { expires } = this.#answer
    this.#answer.expires = Number.isNaN(expires) ? known : Math.min(expires, known)
  }

  /** Those that the configuration names. */
  #takeNamed(block: string, start: number, colon: number, end: number): void {
    const targetFields = this.#targetFields
    for (let index = 0; index < targetFields.length; index++) {
      if (!isExactly(block, start, colon, targetFields[index]!)) continue
      this.#targets ??= targetFields.map(() => '')
      this.#targets[index] = joined(this.#targets[index]!, trimmed(block, colon + 1, end))
    }
    const tagFields = this.#tagFields
    for (let index = 0; index < tagFields.length; index++) {
      if (!isExactly(block, start, colon, tagFields[index]!)) continue
      this.#answer.hasUnkept = true
      this.#addTags(trimmed(block, colon + 1, end))
    }
  }

  #addTags(value: string): void {
    const tags = value.replace(/[\t ,]+/g, ' ').trim()
    if (tags === '') return
    if (this.#answer.tags.length + tags.length >= MAX_TAGS_LENGTH) this.#answer.hasTooManyTags = true
    else this.#answer.tags = this.#answer.tags === '' ? tags : `${this.#answer.tags} ${tags}`
  }

  finish(): void {
    const answer = this.#answer
    if (this.#lastModified !== '') answer.lastModified = parseHttpDate(this.#lastModified)
    if (this.#age !== '') answer.age = ageOf(this.#age)
    if (this.#vary !== '') this.#finishVary()
    if (this.#cacheControl !== '') {
      readCacheControl(this.#cacheControl, answer.directives)
      answer.noTransform = answer.directives.noTransform
    }
    if (this.#targets !== null) this.#finishTargets(this.#targets)
  }

  #finishVary(): void {
    const names = this.#vary.toLowerCase().split(',')
    const known = new Set<string>()
    for (const name of names) {
      const trimmedName = name.trim()
      if (trimmedName === '') continue
      if (trimmedName === '*' || !FIELD_NAME.test(trimmedName)) this.#answer.variesByAny = true
      else known.add(trimmedName)
    }
    this.#answer.vary = [...known].sort()
  }

  #finishTargets(targets: readonly string[]): void {
    const answer = this.#answer
    for (let index = 0; index < targets.length; index++) {
      const members = targets[index] === '' ? null : parseDictionary(targets[index]!)
      if (members === null || members.size === 0) continue
      answer.directives = new ResponseDirectives()
      readTargeted(members, answer.directives)
      if (answer.directives.noTransform) answer.noTransform = true
      answer.targetedBy = this.#targetFields[index]!
      answer.expires = Number.NaN
      return
    }
  }
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** RFC 9111 §5.1: the first of several; what cannot be read is not there, too much is "infinite". */
function ageOf(value: string): number {
  const comma = value.indexOf(',')
  return Math.max(0, deltaSeconds((comma < 0 ? value : value.slice(0, comma)).trim()))
}

function isDash(block: string, at: number): boolean {
  return block.charCodeAt(at) === 45
}

/** `name`: lower case; `_` is not `-`. */
function isExactly(block: string, start: number, colon: number, name: string): boolean {
  if (name.length !== colon - start || !isName(block, start, name)) return false
  return name.indexOf('-') < 0 || block.slice(start, colon).toLowerCase() === name
}

function joined(list: string, value: string): string {
  return list === '' ? value : `${list}, ${value}`
}
