// What of a stored answer a request gets: all of it, a part, or word that what it has is still good.
import { type Incoming, SMALL_BODY, type StoredEntry } from '../../state/cache/types.ts'
import { fieldValue } from '../../util/field-block.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { parseHttpDate } from './policy/http-date.ts'
import { rangeOf } from './policy/range.ts'
import type { CacheRequest } from './policy/request.ts'
import { notModifiedFields, precondition, validatorsOf } from './policy/validate.ts'
import { Prepared, preparedOf, type StoredAnswer, storedHead } from './stored-answer.ts'

export interface ServeQuestion {
  readonly method: string
  readonly request: CacheRequest
  /** Lines that a cache adds: Age and Cache-Status. */
  readonly added: string
}

/** Null = the entry has gone meanwhile. */
export function storedAnswer(entry: StoredEntry, question: ServeQuestion): StoredAnswer | null {
  const prepared = preparedOf(entry)
  const { method, request, added } = question
  if (!request.isPlain) {
    const other = conditional(prepared, question)
    if (other !== null) return other
    const part = method === 'GET' ? partOf(prepared, request) : 'whole'
    if (part === 'unsatisfiable') return unsatisfiable(entry, added)
    if (part !== 'whole') return partialAnswer(entry, prepared, part, added)
  }
  return wholeAnswer(entry, prepared.headWith(added), method)
}

/** Whatever the request says of parts and conditions. Null = the entry has gone meanwhile. */
export function wholeAnswer(entry: StoredEntry, head: ResponseHead, method: string): StoredAnswer | null {
  if (method === 'HEAD' || entry.bodyLength === 0) return withoutBody(head)
  if (entry.bodyLength <= SMALL_BODY) {
    const text = entry.text()
    return text === null ? null : { head, text, reading: null, start: 0, end: entry.bodyLength }
  }
  const reading = entry.open()
  return reading === null ? null : { head, text: null, reading, start: 0, end: entry.bodyLength }
}

/** Of an answer that is still coming in: parts are not cut out of it, which a server may decline (RFC 9110 §14.2). */
export function incomingAnswer(incoming: Incoming, question: ServeQuestion): StoredAnswer {
  const { body, status, head: fields } = incoming
  const { method, request, added } = question
  const other = request.isPlain ? null : conditional(new Prepared({ ...incoming, bodyLength: body.length }), question)
  if (other !== null || method === 'HEAD' || body.length === 0) {
    body.release()
    return other ?? withoutBody(storedHead(status, fields + added, body.length))
  }
  return {
    head: storedHead(status, fields + added, body.length),
    text: null,
    reading: body,
    start: 0,
    end: body.length,
  }
}

/** RFC 9111 §4.3.2. Null = the conditions do not matter, or ask for the answer. */
function conditional(prepared: Prepared, { method, request, added }: ServeQuestion): StoredAnswer | null {
  if (precondition(request, method, prepared.known) !== 'not-modified') return null
  return withoutBody(storedHead(304, notModifiedFields(prepared.fields) + added, -1))
}

/** The client has already what a backend has just said; null = it has not, or does not ask. */
export function passedNotModified(head: ResponseHead, { method, request, added }: ServeQuestion): StoredAnswer | null {
  const { etag, lastModified } = validatorsOf(head.forward)
  const date = parseHttpDate(fieldValue(head.forward, 'date'))
  const known = { status: head.status, etag, lastModified: parseHttpDate(lastModified), date }
  if (precondition(request, method, known) !== 'not-modified') return null
  return withoutBody(storedHead(304, notModifiedFields(head.forward) + added, -1))
}

function partOf(prepared: Prepared, request: CacheRequest): ReturnType<typeof rangeOf> {
  if (request.range === '') return 'whole'
  return rangeOf(request, { ...prepared.known, length: prepared.entry.bodyLength })
}

function partialAnswer(
  entry: StoredEntry,
  prepared: Prepared,
  { start, end }: { readonly start: number; readonly end: number },
  added: string,
): StoredAnswer | null {
  const { bodyLength } = entry
  const reading = entry.open()
  if (reading === null) return null
  const range = `Content-Range: bytes ${start}-${end}/${bodyLength}\r\n`
  const head = storedHead(206, prepared.fields + range + added, end - start + 1)
  return { head, text: null, reading, start, end: end + 1 }
}

function unsatisfiable({ bodyLength }: StoredEntry, added: string): StoredAnswer {
  return withoutBody(storedHead(416, `Content-Range: bytes */${bodyLength}\r\n${added}`, 0))
}

const withoutBody = (head: ResponseHead): StoredAnswer => ({ head, text: null, reading: null, start: 0, end: 0 })
