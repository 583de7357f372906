// A request of node:http (or of the compatibility API of node:http2) as the text that a client would have sent.
import type { IncomingMessage } from 'node:http'
import { TOKEN } from '../http/http1/grammar.ts'

/** How the body follows the head. */
export type BodyForm = { readonly kind: 'none' | 'chunked' } | { readonly kind: 'length'; readonly bytes: number }

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
  return body.kind === 'length' ? `Content-Length: ${body.bytes}\r\n` : 'Transfer-Encoding: chunked\r\n'
}

function hostOfHttp2({ headers }: IncomingMessage): string {
  const authority = headers[':authority']
  return typeof authority === 'string' && headers.host === undefined && VALUE.test(authority)
    ? `Host: ${authority}\r\n`
    : ''
}

interface RawField {
  /** As written, of the first one. */
  readonly name: string
  readonly values: string[]
}

/** Field lines: those that came, and what `req.headers` says instead by now. */
class FieldText {
  text = ''
  problem = ''

  constructor(req: IncomingMessage, options: HeadOptions) {
    const { headers } = req
    const raw = rawFields(req.rawHeaders)
    for (const [key, field] of raw) {
      const now = headers[key]
      // What the program has deleted is not sent.
      if (now !== undefined && isForwarded(key, options)) this.#addField(key, field, now)
    }
    for (const [name, now] of Object.entries(headers)) {
      const key = name.toLowerCase()
      if (now !== undefined && !raw.has(key) && isForwarded(key, options)) this.#addValues(name, now)
    }
  }

  #addField(key: string, { name, values }: RawField, now: string | string[]): void {
    if (values.length === 1) this.#addValues(name, now)
    else this.#addValues(name, isWhole(key, values, now) ? values : now)
  }

  #addValues(name: string, values: string | readonly string[]): void {
    for (const value of Array.isArray(values) ? values : [values]) this.#addLine(name, String(value))
  }

  #addLine(name: string, value: string): void {
    if (TOKEN.test(name) && VALUE.test(value)) this.text += `${name}: ${value}\r\n`
    else this.problem = `the header field ${JSON.stringify(name)} has a character that cannot be sent`
  }
}

function rawFields(rawHeaders: readonly string[]): Map<string, RawField> {
  const fields = new Map<string, RawField>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    const key = name.toLowerCase()
    const known = fields.get(key)
    if (known === undefined) fields.set(key, { name, values: [rawHeaders[at + 1]!] })
    else known.values.push(rawHeaders[at + 1]!)
  }
  return fields
}

/**
 * Whether `req.headers` shows all fields of that name. Of some Node shows the program only the first: then backends get
 * that one too. Two Hosts are for the data plane to refuse.
 */
function isWhole(key: string, values: readonly string[], now: string | string[]): boolean {
  if (key === 'host') return now === values[0]
  const shown = typeof now === 'string' ? now : now.join(', ')
  return shown === values.join(', ') || shown === values.join('; ')
}
