// What a header section says to caches, read once for all requests that repeat it.
import { noEdits, type RequestEdits } from '../compose-head.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestFields } from '../http1/request-fields.ts'
import { FieldChanges } from '../hygiene/field-changes.ts'
import { normalisedAcceptEncoding } from './policy/accept-encoding.ts'
import { originKey } from './policy/key.ts'
import { type CacheRequest, readCacheRequest } from './policy/request.ts'

let lastId = 0

export class RequestFacts {
  readonly request: CacheRequest
  /** The effective host that `base` was made of. */
  readonly host: string
  /** `scheme://host` of keys. */
  readonly base: string
  /** The host of it: backends are told of that one, so that no other spelling gets into answers. */
  readonly keyedHost: string
  /** The last target and its URL: many clients ask for one again and again. */
  target = ''
  url = ''
  /** The fields that `asked` is without: those that a route takes out; null = it has not been made. */
  askedWithout: ReadonlySet<string> | null = null
  asked = ''
  /** What backends are asked in place of what the client said, whatever the request; null = nothing is changed. */
  readonly changes: FieldChanges | null
  /** The same, where nothing else changes a request. */
  readonly edits: RequestEdits

  /** No other section of this thread has it. */
  readonly id = ++lastId

  constructor(fields: RequestFields, host: string) {
    this.request = readCacheRequest(fields.lookup)
    this.host = host
    this.base = originKey(fields.scheme, host)
    this.keyedHost = this.base.slice(fields.scheme.length + '://'.length)
    this.changes = changesOf(fields.lookup)
    this.edits = this.changes === null ? noEdits : { ...noEdits, normal: this.changes }
  }
}

/** Some frameworks go by these in place of the request line; what a key does not tell apart, an answer must not depend on. */
const overrideFields: readonly string[] = [
  'x-original-url',
  'x-rewrite-url',
  'x-override-url',
  'x-original-host',
  'x-host',
  'x-http-host-override',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
]
const OVERRIDES = new RegExp(`^(?:${overrideFields.join('|').replaceAll('-', '[^0-9a-z]')})[\\t ]*:`, 'im')

/** Answers to requests that mean the same are asked for in the same words (RFC 9111 §4.1). */
function changesOf(lookup: string): FieldChanges | null {
  const accepted = normalisedAcceptEncoding(lookup)
  const written = accepted === '' ? '' : fieldValue(lookup, 'accept-encoding')
  const hasOverrides = OVERRIDES.test(lookup)
  if (accepted === written && !hasOverrides) return null
  const changes = new FieldChanges()
  if (accepted !== written) changes.set('Accept-Encoding', accepted)
  if (hasOverrides) for (const name of overrideFields) changes.remove(name)
  return changes
}

/** `host`: the effective one, which an absolute-form target may have set. */
export function requestFactsOf(fields: RequestFields, host: string): RequestFacts {
  const known = fields.cacheFacts
  if (known !== null && known.host === host) return known
  const facts = new RequestFacts(fields, host)
  fields.cacheFacts = facts
  return facts
}
