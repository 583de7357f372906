// The two heads that this proxy writes: the request to a backend and the answer to a client.
import type { BackendSpec } from '../core/spec.ts'
import { codedFields } from './compression/coded-fields.ts'
import type { Verdict } from './compression/compression.ts'
import type { BodyReader } from './http1/body.ts'
import type { Outgoing } from './http1/relay-body.ts'
import type { RequestHead } from './http1/request-head.ts'
import type { ResponseHead } from './http1/response-head.ts'
import type { FieldChanges } from './hygiene/field-changes.ts'
import { withoutReserved } from './hygiene/reserved-fields.ts'
import { reasonOf } from './own-answer.ts'
import type { HeaderEdits } from './route/header-edits.ts'

/** What a route and its steps change of a request. */
export interface RequestEdits {
  /** Of the route; the same for all of its requests. */
  readonly edits: HeaderEdits | null
  /** Lines of the route that are this request's own. */
  readonly lines: string
  /** Of its steps, for all attempts and for this one. */
  readonly changes: FieldChanges | null
  readonly attemptChanges: FieldChanges | null
  /** Of the cache: its conditions in place of the client's … */
  readonly conditions: FieldChanges | null
  /** … and other words for the same; as long as the header section is the same, the same object. */
  readonly normal: FieldChanges | null
}

/** Where nothing is changed. */
export const noEdits: RequestEdits = Object.freeze({
  edits: null,
  lines: '',
  changes: null,
  attemptChanges: null,
  conditions: null,
  normal: null,
})

export interface RequestParts {
  readonly head: RequestHead
  /** Path and query as the route has them, before a backend's base path. */
  readonly target: string
  readonly backend: BackendSpec
  /** 'preserve', 'backend', or what is to be said. */
  readonly hostHeader: string
  readonly requestId: string
  /** Lines of Trace Context in the place of those that the client sent; null = those pass as any other field. */
  readonly trace: string | null
}

/** Request line, Host, the end-to-end fields and our own. RFC 9112 §3, RFC 9110 §7.6. */
export function composeRequestHead(parts: RequestParts, edited: RequestEdits): string {
  const { head, target, backend } = parts
  const { fields } = head
  const host = hostOf(parts)
  // A client that repeats its header section gets it composed once.
  const isTraced = parts.trace !== null
  if (
    fields.tailHost !== host ||
    fields.tailForwardedHost !== head.host ||
    fields.tailEdits !== edited.edits ||
    fields.tailTraced !== isTraced ||
    fields.tailNormal !== edited.normal
  ) {
    composeTail(head, host, edited, isTraced)
  }
  const path = backend.basePath === '' || target === '*' ? target : backend.basePath + target
  let text = `${head.method} ${path} HTTP/1.1\r\n${fields.tail}`
  if (fields.maxForwards >= 0) {
    text += `Max-Forwards: ${head.method === 'OPTIONS' ? fields.maxForwards - 1 : fields.maxForwards}\r\n`
  }
  if (!isUntouched(edited)) return `${withChanges(text, edited, parts)}\r\n`
  if (parts.trace !== null) text += parts.trace
  return `${text}X-Request-Id: ${parts.requestId}\r\n\r\n`
}

/** But for what is in the tail. */
const isUntouched = ({ edits, changes, attemptChanges, conditions }: RequestEdits): boolean =>
  edits === null && changes === null && attemptChanges === null && conditions === null

function hostOf({ head, backend, hostHeader }: RequestParts): string {
  if (hostHeader === 'preserve') return head.host === '' ? backend.authority : head.host
  return hostHeader === 'backend' ? backend.authority : hostHeader
}

/** The request line stays where it is: the changes are those of the lines below it. */
function withChanges(
  text: string,
  { edits, lines, changes, attemptChanges, conditions }: RequestEdits,
  { requestId, trace }: RequestParts,
): string {
  const lineEnd = text.indexOf('\r\n') + 2
  let block = text.slice(lineEnd)
  if (conditions !== null) block = conditions.applyTo(block)
  if (edits === null || !edits.removed.has('x-request-id')) block += `X-Request-Id: ${requestId}\r\n`
  if (trace !== null) block += edits === null ? trace : withoutReserved(trace, edits.removed)
  block += lines
  if (changes !== null) block = changes.applyTo(block)
  if (attemptChanges !== null) block = attemptChanges.applyTo(block)
  return text.slice(0, lineEnd) + block
}

function composeTail(head: RequestHead, host: string, { edits, normal }: RequestEdits, isTraced: boolean): void {
  const { fields } = head
  const forwardedHost = fields.forwardedHost === '' ? head.host : fields.forwardedHost
  const own = forwardedHost === '' ? '' : `X-Forwarded-Host: ${forwardedHost}\r\n`
  let block = fields.forward + own
  if (isTraced) block = withoutReserved(block, TRACE_FIELDS)
  if (normal !== null) block = normal.applyTo(block)
  if (edits !== null) {
    if (edits.removed.size > 0) block = withoutReserved(block, edits.removed)
    block += edits.constant
  }
  fields.tail = flat(`Host: ${host}\r\n${block}`)
  fields.tailHost = host
  fields.tailForwardedHost = head.host
  fields.tailEdits = edits
  fields.tailTraced = isTraced
  fields.tailNormal = normal
}

const TRACE_FIELDS: ReadonlySet<string> = new Set(['traceparent', 'tracestate'])

/** Joins the pieces of a concatenated string once, so that not every write has to. */
function flat(text: string): string {
  text.charCodeAt(0)
  return text
}

export interface ComposedAnswer {
  readonly text: string
  /** What it was composed with. */
  readonly hsts: string
  readonly edits: HeaderEdits | null
  readonly verdict: Verdict
  readonly cacheLine: string
  readonly outgoing: Outgoing
  readonly keepAlive: boolean
}

/** What a route, its steps and its listener change of an answer. */
export interface AnswerEdits {
  /** The status that is sent instead, or 0. */
  readonly status: number
  /** Of the route; the same for all answers. */
  readonly edits: HeaderEdits | null
  /** Lines of the route that are this answer's own. */
  readonly lines: string
  /** Of its steps. */
  readonly changes: FieldChanges | null
  /** The line that takes the place of the backend's own, or ''. */
  readonly hsts: string
  /** Whole lines, or ''. */
  readonly setCookie: string
}

export interface AnswerParts {
  readonly request: RequestHead
  readonly answer: ResponseHead
  readonly body: BodyReader
  readonly keepAlive: boolean
  readonly date: string
  /** What becomes of its body on the way. */
  readonly verdict: Verdict
  /** Length of the body where it was compressed whole; -1 = not known, or as it came. */
  readonly codedLength: number
  /** What the cache says of it, as a line; '' = nothing. */
  readonly cacheLine: string
}

/** Status line, end-to-end fields, Date, Via, and the framing this client understands. RFC 9112 §6 and §9. */
export function composeAnswerHead(parts: AnswerParts, edited: AnswerEdits): ComposedAnswer {
  const { request, answer, body, keepAlive, verdict, cacheLine } = parts
  const { hsts, edits } = edited
  const isOwn = edited.status !== 0 || edited.lines !== '' || edited.changes !== null || edited.setCookie !== ''
  const isCoded = verdict !== null && verdict !== 'identity'
  if (request.minor === 0 || !answer.hasDate || isOwn || isCoded) return compose(parts, edited)
  // A backend that repeats its answer's head gets it composed once for each way it can go out.
  const variant = (keepAlive ? 1 : 0) + (body.kind === 'none' ? 2 : 0) + (hsts === '' ? 0 : 4)
  const known = answer.composed[variant]
  // Its connection may serve several listeners, with TLS and without, and several routes.
  if (
    known != null &&
    known.hsts === hsts &&
    known.edits === edits &&
    known.verdict === verdict &&
    known.cacheLine === cacheLine
  ) {
    return known
  }
  const composed = compose(parts, edited)
  answer.composed[variant] = composed
  return composed
}

/** The head of a 101. */
export function composeUpgradeHead(answer: ResponseHead, edited: AnswerEdits): string {
  const fields = `${editedFields(answer, edited)}${edited.hsts}${edited.setCookie}`
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}Connection: upgrade\r\nUpgrade: ${answer.upgrade}\r\n\r\n`
}

function editedFields(answer: ResponseHead, { hsts, edits, lines, changes }: AnswerEdits): string {
  // Two policies would be one too many: a browser takes the first (RFC 6797 §8.1).
  const block = hsts !== '' && answer.hasHsts ? withoutReserved(answer.forward, HSTS) : answer.forward
  return editedBlock(block, edits, lines, changes)
}

/** A field block after a route and its steps. */
export function editedBlock(
  block: string,
  edits: HeaderEdits | null,
  lines: string,
  changes: FieldChanges | null,
): string {
  let text = block
  if (edits !== null) {
    if (edits.removed.size > 0) text = withoutReserved(text, edits.removed)
    text += edits.constant + lines
  }
  return changes === null ? text : changes.applyTo(text)
}

const HSTS: ReadonlySet<string> = new Set(['strict-transport-security'])

function compose(parts: AnswerParts, edited: AnswerEdits): ComposedAnswer {
  const { request, answer, keepAlive, date, verdict, cacheLine } = parts
  const { minor } = request
  const { hsts, edits, setCookie } = edited
  const status = edited.status === 0 ? answer.status : edited.status
  let text = `HTTP/1.1 ${status} ${status === answer.status ? answer.reason : reasonOf(status)}\r\n`
  const fields = editedFields(answer, edited)
  text += verdict === null ? fields : codedFields(fields, verdict, answer.status)
  if (!answer.hasDate) text += `Date: ${date}\r\n`
  text += `${cacheLine}Via: 1.1 frontdesk\r\n${hsts}${setCookie}`
  const { framing, outgoing, ends } = framingOf(parts)
  text += framing
  const stays = keepAlive && !ends
  if (!stays) text += 'Connection: close\r\n'
  else if (minor === 0) text += 'Connection: keep-alive\r\n'
  return { text: flat(`${text}\r\n`), hsts, edits, verdict, cacheLine, outgoing, keepAlive: stays }
}

interface OutgoingFraming {
  /** Whole lines. */
  readonly framing: string
  readonly outgoing: Outgoing
  /** Only the end of the connection tells the end of the body. */
  readonly ends: boolean
}

/** How this client is told where the body ends. RFC 9112 §6. */
function framingOf({ request: { minor }, answer, body, verdict, codedLength }: AnswerParts): OutgoingFraming {
  const length = (bytes: number): OutgoingFraming => ({
    framing: `Content-Length: ${bytes}\r\n`,
    outgoing: 'raw',
    ends: false,
  })
  const isCoded = verdict !== null && verdict !== 'identity'
  if (body.kind === 'none') {
    if (answer.status === 205) return length(0)
    return answer.contentLength >= 0 && !isCoded ? length(answer.contentLength) : unframed
  }
  if (codedLength >= 0) return length(codedLength)
  if (body.kind === 'length' && !isCoded) return length(answer.contentLength)
  if (minor === 1) {
    const trailer = answer.trailer === '' ? '' : `Trailer: ${answer.trailer}\r\n`
    return { framing: `Transfer-Encoding: chunked\r\n${trailer}`, outgoing: 'chunked', ends: false }
  }
  return body.done && !isCoded ? length(body.total) : { framing: '', outgoing: 'raw', ends: true }
}

const unframed: OutgoingFraming = { framing: '', outgoing: 'raw', ends: false }
