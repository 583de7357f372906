// The two heads that this proxy writes: the request to a backend and the answer to a client.
import type { BackendSpec } from '../core/spec.ts'
import type { BodyReader } from './http1/body.ts'
import type { Outgoing } from './http1/relay-body.ts'
import type { RequestHead } from './http1/request-head.ts'
import type { ResponseHead } from './http1/response-head.ts'
import { withoutReserved } from './hygiene/reserved-fields.ts'

/** Request line, Host, the end-to-end fields and our own. RFC 9112 §3, RFC 9110 §7.6. */
export function composeRequestHead(
  head: RequestHead,
  backend: BackendSpec,
  hostHeader: 'preserve' | 'backend',
  requestId: string,
): string {
  const { fields } = head
  const host = hostHeader === 'backend' || head.host === '' ? backend.authority : head.host
  // A client that repeats its header section gets it composed once.
  if (fields.tailHost !== host || fields.tailForwardedHost !== head.host) composeTail(head, host)
  const target = backend.basePath === '' || head.target === '*' ? head.target : backend.basePath + head.target
  let text = `${head.method} ${target} HTTP/1.1\r\n${fields.tail}`
  if (fields.maxForwards >= 0) {
    text += `Max-Forwards: ${head.method === 'OPTIONS' ? fields.maxForwards - 1 : fields.maxForwards}\r\n`
  }
  return `${text}X-Request-Id: ${requestId}\r\n\r\n`
}

function composeTail(head: RequestHead, host: string): void {
  const { fields } = head
  const forwardedHost = fields.forwardedHost === '' ? head.host : fields.forwardedHost
  const own = forwardedHost === '' ? '' : `X-Forwarded-Host: ${forwardedHost}\r\n`
  fields.tail = flat(`Host: ${host}\r\n${fields.forward}${own}`)
  fields.tailHost = host
  fields.tailForwardedHost = head.host
}

/** Joins the pieces of a concatenated string once, so that not every write has to. */
function flat(text: string): string {
  text.charCodeAt(0)
  return text
}

export interface ComposedAnswer {
  readonly text: string
  /** What it was composed with. */
  readonly hsts: string
  readonly outgoing: Outgoing
  readonly keepAlive: boolean
}

/**
 * Status line, end-to-end fields, Date, Via, and the framing this client understands. RFC 9112 §6 and §9.
 * `hsts`: the line that takes the place of the backend's own, or ''.
 */
export function composeAnswerHead(
  request: RequestHead,
  answer: ResponseHead,
  body: BodyReader,
  keepAlive: boolean,
  date: string,
  setCookie: string,
  hsts: string,
): ComposedAnswer {
  if (request.minor === 0 || !answer.hasDate || setCookie !== '') {
    return compose(request.minor, answer, body, keepAlive, date, setCookie, hsts)
  }
  // A backend that repeats its answer's head gets it composed once for each way it can go out.
  const variant = (keepAlive ? 1 : 0) + (body.kind === 'none' ? 2 : 0) + (hsts === '' ? 0 : 4)
  const known = answer.composed[variant]
  // Its connection may serve several listeners, with TLS and without.
  if (known != null && known.hsts === hsts) return known
  const composed = compose(1, answer, body, keepAlive, date, setCookie, hsts)
  answer.composed[variant] = composed
  return composed
}

/** The head of a 101. `own`: whole lines of ours. */
export function composeUpgradeHead(answer: ResponseHead, own: string, hsts: string): string {
  const forward = forwardedFields(answer, hsts)
  return `HTTP/1.1 101 Switching Protocols\r\n${forward}${hsts}${own}Connection: upgrade\r\nUpgrade: ${answer.upgrade}\r\n\r\n`
}

/** Two policies would be one too many: a browser takes the first (RFC 6797 §8.1). */
function forwardedFields(answer: ResponseHead, hsts: string): string {
  return hsts !== '' && answer.hasHsts ? withoutReserved(answer.forward, HSTS) : answer.forward
}

const HSTS: ReadonlySet<string> = new Set(['strict-transport-security'])

function compose(
  minor: number,
  answer: ResponseHead,
  body: BodyReader,
  keepAlive: boolean,
  date: string,
  setCookie: string,
  hsts: string,
): ComposedAnswer {
  let text = `HTTP/1.1 ${answer.status} ${answer.reason}\r\n${forwardedFields(answer, hsts)}`
  if (!answer.hasDate) text += `Date: ${date}\r\n`
  text += `Via: 1.1 frontdesk\r\n${hsts}${setCookie}`
  let outgoing: Outgoing = 'raw'
  let stays = keepAlive
  if (body.kind === 'length' || (body.kind === 'none' && answer.contentLength >= 0)) {
    text += `Content-Length: ${answer.status === 205 ? 0 : answer.contentLength}\r\n`
  } else if (body.kind !== 'none') {
    if (minor === 1) {
      outgoing = 'chunked'
      text += 'Transfer-Encoding: chunked\r\n'
      if (answer.trailer !== '') text += `Trailer: ${answer.trailer}\r\n`
    } else if (body.done) text += `Content-Length: ${body.total}\r\n`
    else stays = false
  } else if (answer.status === 205) text += 'Content-Length: 0\r\n'
  if (!stays) text += 'Connection: close\r\n'
  else if (minor === 0) text += 'Connection: keep-alive\r\n'
  return { text: flat(`${text}\r\n`), hsts, outgoing, keepAlive: stays }
}
