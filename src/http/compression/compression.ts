// What a route says of compression: whether an answer is of the kind that is compressed, and how for this client.
import type { CompressionSpec } from '../../core/route-spec.ts'
import { findField, isName, trimmed } from '../../util/field-block.ts'
import { unsliced } from '../../util/unsliced.ts'
import { type Coding, chooseCoding } from './accept-encoding.ts'
import { hasRoomForEncoder } from './encoder-turns.ts'

/**
 * `identity`: the answer goes out as it is, but another client would have got it compressed, which Vary must say.
 * null = it is not compressed for anybody.
 */
export type Verdict = Coding | 'identity' | null

/** The request, as far as it matters here. */
export interface CodingWish {
  readonly fields: { readonly lookup: string }
}

/** An answer, as it would go out without compression. */
export interface CodableAnswer {
  readonly status: number
  /** Its end-to-end fields, a line each. */
  readonly forward: string
  /** -1 = not known. */
  readonly contentLength: number
}

/** Clients send a handful of different Accept-Encoding values; this many are remembered, if they are no longer. */
const MAX_KNOWN = 64
const MAX_KNOWN_LENGTH = 128
const NO_TRANSFORM = /(?:^|,)[\t ]*no-transform[\t ]*(?:,|$)/i

export class Compression {
  readonly #spec: CompressionSpec
  readonly #types: ReadonlySet<string>
  /** Beginning and end of those with a `*`: `text/*`, `application/*+json`. */
  readonly #families: readonly { readonly start: string; readonly end: string }[]
  readonly #known = new Map<string, Coding | null>()

  constructor(spec: CompressionSpec) {
    this.#spec = spec
    this.#types = new Set(spec.types)
    this.#families = spec.types
      .filter((type) => type.includes('*'))
      .map((type) => ({ start: type.slice(0, type.indexOf('*')), end: type.slice(type.indexOf('*') + 1) }))
  }

  /** What becomes of this answer. Of a HEAD and a 304, what would become of the answer with a body. */
  choose({ fields: { lookup } }: CodingWish, { status, forward, contentLength }: CodableAnswer): Verdict {
    if (status < 200 || status === 204 || status === 205 || status === 206) return null
    const facts = new AnswerFacts(forward)
    if (facts.isCoded || facts.isPart || NO_TRANSFORM.test(facts.cacheControl)) return null
    // A 304 seldom tells its type: then it is taken for one whose answer was compressed, which costs nothing.
    const isUntold = status === 304 && facts.type === ''
    if (!isUntold && !this.#takes(facts.type)) return null
    if (status !== 304 && contentLength >= 0 && contentLength < this.#spec.minSize) return null
    // The client may forbid it too (RFC 9111 §5.2.1.6).
    if (NO_TRANSFORM.test(listValue(lookup, 'cache-control'))) return 'identity'
    const coding = this.#codingFor(listValue(lookup, 'accept-encoding'))
    return coding === null || !hasRoomForEncoder() ? 'identity' : coding
  }

  #takes(type: string): boolean {
    if (type === '') return false
    return (
      this.#types.has(type) || this.#families.some(({ start, end }) => type.startsWith(start) && type.endsWith(end))
    )
  }

  #codingFor(accepted: string): Coding | null {
    const known = this.#known.get(accepted)
    if (known !== undefined) return known
    const coding = chooseCoding(accepted, this.#spec.algorithms)
    if (accepted.length > MAX_KNOWN_LENGTH) return coding
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(unsliced(accepted), coding)
    return coding
  }
}

/** What the fields of an answer say, read in one pass. */
class AnswerFacts {
  /** Media type without parameters, lower case. */
  type = ''
  isCoded = false
  isPart = false
  cacheControl = ''

  constructor(block: string) {
    for (let position = 0; position < block.length; ) {
      const colon = block.indexOf(':', position)
      const end = block.indexOf('\r\n', colon)
      const length = colon - position
      if (length === 12 || length === 13 || length === 16) this.#read(block, position, colon, end)
      position = end + 2
    }
  }

  #read(block: string, start: number, colon: number, end: number): void {
    const length = colon - start
    if (length === 12 && isName(block, start, 'content-type')) {
      const value = trimmed(block, colon + 1, end)
      const parameters = value.indexOf(';')
      this.type = (parameters < 0 ? value : value.slice(0, parameters)).trim().toLowerCase()
    } else if (length === 16 && isName(block, start, 'content-encoding')) this.isCoded = true
    else if (length === 13 && isName(block, start, 'content-range')) this.isPart = true
    else if (length === 13 && isName(block, start, 'cache-control')) {
      const value = trimmed(block, colon + 1, end)
      this.cacheControl = this.cacheControl === '' ? value : `${this.cacheControl},${value}`
    }
  }
}

/** All values of a field as one list. */
function listValue(block: string, name: string): string {
  let list = ''
  for (let at = findField(block, name); at >= 0; ) {
    const end = block.indexOf('\r\n', at)
    const value = trimmed(block, at + name.length + 1, end)
    list = list === '' ? value : `${list},${value}`
    at = findField(block, name, end + 2)
  }
  return list
}
