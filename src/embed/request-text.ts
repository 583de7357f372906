// A request of node:http (or of the compatibility API of node:http2) as the text that a client would have sent.
import type { IncomingMessage } from 'node:http'
import { TOKEN } from '../http/http1/grammar.ts'
import { currentFields } from './current-fields.ts'

/** How the body follows the head. */
export type BodyForm =
  | { readonly kind: 'none' }
  /** `codings`: as the client named them, for the data plane to judge. */
  | { readonly kind: 'chunked'; readonly codings: string }
  | { readonly kind: 'length'; readonly bytes: number }

export interface HeadOptions {
  /** Path and query. */
  readonly target: string
  readonly body: BodyForm
  /** Upgrade is passed on: the request came by the server's `upgrade` event. */
  readonly isUpgrade: boolean
  /** Nobody has told the client to go on yet (100). */
  readonly awaitsContinue: boolean
}

const TARGET = /^[\x21-\x7e]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export interface RequestText {
  /** latin1; '' if there is a problem. */
  readonly text: string
  /** Why it cannot be sent, as a clause; '' = it can. */
  readonly problem: string
}

/**
 * Request line and fields: as they came (rawHeaders: case, order, duplicates), but with what the program has changed,
 * added or deleted in `req.headers`. One request on a connection.
 */
export function requestText(req: IncomingMessage, options: HeadOptions): RequestText {
  const { method = 'GET' } = req
  if (!TOKEN.test(method)) return refused(`req.method is ${JSON.stringify(method)}`)
  if (!TARGET.test(options.target)) return refused(`the URL ${JSON.stringify(options.target)} is not percent-encoded`)
  const { text, problem } = new FieldText(req, options)
  if (problem !== '') return refused(problem)
  if (options.body.kind === 'chunked' && !VALUE.test(options.body.codings)) {
    return refused('Transfer-Encoding has a character that cannot be sent')
  }
  const own = `${framing(options.body)}Connection: close\r\n`
  return { text: `${method} ${options.target} HTTP/1.1\r\n${hostOfHttp2(req)}${text}${own}\r\n`, problem }
}

const refused = (problem: string): RequestText => ({ text: '', problem })

/** What is not our business to pass on: framing, which is made anew, and what this connection does not do. */
function isForwarded(name: string, { isUpgrade, awaitsContinue }: HeadOptions): boolean {
  switch (name) {
    case 'content-length':
    case 'transfer-encoding':
    case 'http2-settings':
      return false
    case 'upgrade':
      return isUpgrade
    case 'expect':
      return awaitsContinue
  }
  // Pseudo-header fields of HTTP/2.
  return name.charCodeAt(0) !== 0x3a
}

function framing(body: BodyForm): string {
  if (body.kind === 'none') return ''
  return body.kind === 'length' ? `Content-Length: ${body.bytes}\r\n` : `Transfer-Encoding: ${body.codings}\r\n`
}

function hostOfHttp2({ headers }: IncomingMessage): string {
  const authority = headers[':authority']
  return typeof authority === 'string' && headers.host === undefined && VALUE.test(authority)
    ? `Host: ${authority}\r\n`
    : ''
}

/** Field lines, checked one by one: a line break in a value would begin another field. */
class FieldText {
  text = ''
  problem = ''

  constructor(req: IncomingMessage, options: HeadOptions) {
    for (const [key, { name, values }] of currentFields(req)) {
      if (isForwarded(key, options)) for (const value of values) this.#addLine(name, value)
    }
  }

  #addLine(name: string, value: string): void {
    if (TOKEN.test(name) && VALUE.test(value)) this.text += `${name}: ${value}\r\n`
    else this.problem = `the header field ${JSON.stringify(name)} has a character that cannot be sent`
  }
}
