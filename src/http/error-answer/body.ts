// Bodies of error answers: plain text, a small page, a problem document (RFC 9457). Those for the world differ in the request id
// alone and are made once; clients that may know the inside are told more.
import type { ErrorSpec } from '../../core/errors.ts'
import type { FailedAttempt } from '../../observe/access-entry.ts'
import { reasonOf } from '../own-answer.ts'
import type { AnswerForm } from './accept.ts'
import { type ErrorLines, escapeHtml, insideHeading } from './error-lines.ts'
import { pageOf } from './page.ts'
import { adviceFor, publicWords } from './words.ts'

/** What only those may know who run the proxy. */
export interface InsideFacts {
  readonly listener: string
  /** '' = none took it. */
  readonly route: string
  /** '' = none was asked. */
  readonly pool: string
  /** What the system said, or ''. */
  readonly code: string
  readonly failures: readonly FailedAttempt[]
}

/** Further ones are counted. */
const MAX_FAILURES = 8

/** Stands for the request id while a body is made that differs in nothing else. */
const ID = '\u0000'

const forTheWorld = new Map<string, readonly string[]>()

/** ASCII. `inside`: null for whoever may not know it. */
export function errorBody(form: AnswerForm, error: ErrorSpec, requestId: string, inside: InsideFacts | null): string {
  if (inside !== null) return makeBody(form, error, requestId, inside)
  const key = requestId === '' ? `${form} ${error.name} -` : `${form} ${error.name}`
  let parts = forTheWorld.get(key)
  if (parts === undefined) {
    parts = makeBody(form, error, requestId === '' ? '' : ID, null).split(form === 'json' ? '\\u0000' : ID)
    forTheWorld.set(key, parts)
  }
  // An id is printable: of quotes and brackets a trusted peer's may have any.
  return parts.join(escapedId(form, requestId))
}

function makeBody(form: AnswerForm, error: ErrorSpec, requestId: string, inside: InsideFacts | null): string {
  if (form === 'json') return problem(error, requestId, inside)
  return form === 'html' ? pageOf(linesOf(error, requestId, inside)) : textOf(linesOf(error, requestId, inside))
}

function linesOf(error: ErrorSpec, requestId: string, inside: InsideFacts | null): ErrorLines {
  return {
    title: `${error.status} ${reasonOf(error.status)}`,
    words: inside === null ? publicWords(error) : `${error.summary}.`,
    advice: adviceFor(error),
    requestId,
    inside: inside === null ? null : insideLines(error, inside),
  }
}

function insideLines(error: ErrorSpec, { listener, route, pool, code, failures }: InsideFacts) {
  const withCode = (name: string, what: string): string => (what === '' ? name : `${name} (${what})`)
  const more = failures.length - MAX_FAILURES
  const lines: (readonly [string, string])[] = [
    ['Error', withCode(error.name, code)],
    ['Listener', listener],
    ['Route', route === '' ? 'none' : route],
    ['Pool', pool],
    ...failures.slice(0, MAX_FAILURES).map((one) => [`Backend ${one.backend}`, withCode(one.error, one.code)] as const),
    ...(more > 0 ? [['Backends', `${more} more`] as const] : []),
  ]
  return lines.filter(([, value]) => value !== '').map(([name, value]) => [plain(name), plain(value)] as const)
}

function textOf({ title, words, advice, requestId, inside }: ErrorLines): string {
  const id = requestId === '' ? '' : `Request id: ${requestId}\n`
  const more = inside === null ? '' : `\n${insideHeading}\n${inside.map((line) => `${line.join(': ')}\n`).join('')}`
  return `${title}\n${words}\n${advice}\n${id}${more}`
}

function problem(error: ErrorSpec, requestId: string, inside: InsideFacts | null): string {
  const document = {
    type: 'about:blank',
    title: reasonOf(error.status),
    status: error.status,
    detail: `${inside === null ? publicWords(error) : `${error.summary}.`} ${adviceFor(error)}`,
    ...(requestId !== '' && { request_id: requestId }),
    ...(inside !== null && {
      error: error.name,
      code: inside.code,
      listener: inside.listener,
      route: inside.route,
      pool: inside.pool,
      attempts: inside.failures.slice(0, MAX_FAILURES),
    }),
  }
  return `${asciiJson(document)}\n`
}

function escapedId(form: AnswerForm, id: string): string {
  if (form === 'json') return asciiJson(id).slice(1, -1)
  return form === 'html' ? escapeHtml(id) : id
}

/** Bodies are ASCII: whatever else the system says is told in escapes. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
