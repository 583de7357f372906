// A small, strict reader of HTTP/1.1 messages for tests: written from RFC 9112, independent of the code under test.
// Whatever it calls a message is well-formed; everything else is incomplete or malformed, with the reason.

export type Field = readonly [name: string, value: string]

/** A complete, well-formed message. */
export interface Message {
  /** Request line or status line without its CRLF. */
  readonly startLine: string
  readonly fields: readonly Field[]
  readonly body: Buffer
  readonly trailers: readonly Field[]
  /** How the end of the body was found. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  /** The exact bytes of the message. */
  readonly raw: Buffer
}

/** `head` is set once the header section is complete; `body` then holds what has come so far, decoded. */
export type Parsed =
  | { readonly kind: 'message'; readonly message: Message; readonly end: number }
  | { readonly kind: 'incomplete'; readonly head: Head | null; readonly untilClose: boolean; readonly body: Buffer }
  | { readonly kind: 'malformed'; readonly why: string }

export interface Head {
  readonly startLine: string
  readonly fields: readonly Field[]
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const FIELD = new RegExp(`^(${TOKEN}):[\\t ]*([\\t\\x20-\\x7e\\x80-\\xff]*?)[\\t ]*$`)
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/1\\.([01])$`)
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/
const CHUNK_LINE = /^([0-9A-Fa-f]{1,14})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/

/** All values of a field, in order, whatever the case of its name. */
export function fieldValues(message: Head, name: string): string[] {
  return message.fields.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value)
}

/** The only value of a field, or undefined. */
export function fieldValue(message: Head, name: string): string | undefined {
  return fieldValues(message, name)[0]
}

/** Status code of a response. */
export function statusOf(message: Head): number {
  return Number(message.startLine.slice(9, 12))
}

/** Method, target and version of a request. */
export function requestLine(message: Head): { method: string; target: string; version: string } {
  const [method = '', target = '', version = ''] = message.startLine.split(' ')
  return { method, target, version }
}

/** Reads one request from `bytes` at `from` (RFC 9112 §3). */
export function parseRequest(bytes: Buffer, from = 0): Parsed {
  return parse(bytes, from, (head) => {
    const line = REQUEST_LINE.exec(head.startLine)
    if (line === null) return 'bad request line'
    const hosts = fieldValues(head, 'host').length
    if (hosts > 1 || (hosts === 0 && line[3] === '1')) return `${hosts} Host fields`
    const framing = framingOf(head)
    return framing === 'close' ? 'none' : framing
  })
}

/** Reads one response (interim ones too) to a request with `method` from `bytes` at `from` (RFC 9112 §4, §6.3). */
export function parseResponse(bytes: Buffer, from: number, method: string): Parsed {
  return parse(bytes, from, (head) => {
    if (!STATUS_LINE.test(head.startLine)) return 'bad status line'
    const status = statusOf(head)
    const framing = framingOf(head)
    if (status < 200 || status === 204) return framing === 'close' ? 'none' : `a framing field in a ${status}`
    const bodiless = method === 'HEAD' || status === 304
    return bodiless && (typeof framing === 'object' || framing === 'close' || framing === 'chunked') ? 'none' : framing
  })
}

type Framing = 'none' | 'close' | 'chunked' | { readonly length: number } | (string & {})

function framingOf(head: Head): Framing {
  const codings = fieldValues(head, 'transfer-encoding')
  const lengths = fieldValues(head, 'content-length')
  if (codings.length > 0 && lengths.length > 0) return 'both Transfer-Encoding and Content-Length'
  if (codings.length > 1 || lengths.length > 1) return 'a framing field twice'
  if (codings.length === 1) return codings[0]?.toLowerCase() === 'chunked' ? 'chunked' : `coding ${codings[0]}`
  if (lengths.length === 0) return 'close'
  const length = Number(lengths[0])
  return /^\d+$/.test(lengths[0] ?? '') && Number.isSafeInteger(length) ? { length } : `length ${lengths[0]}`
}

function parse(bytes: Buffer, from: number, framingFor: (head: Head) => Framing): Parsed {
  const headEnd = bytes.indexOf('\r\n\r\n', from, 'latin1')
  if (headEnd < 0) return { kind: 'incomplete', head: null, untilClose: false, body: Buffer.alloc(0) }
  const lines = bytes.toString('latin1', from, headEnd).split('\r\n')
  const fields = parseFields(lines.slice(1))
  if (typeof fields === 'string') return { kind: 'malformed', why: fields }
  const head: Head = { startLine: lines[0] ?? '', fields }
  const framing = framingFor(head)
  const start = headEnd + 4
  const done = (body: Buffer, trailers: readonly Field[], end: number, how: Message['framing']): Parsed => ({
    kind: 'message',
    end,
    message: { ...head, body, trailers, framing: how, raw: bytes.subarray(from, end) },
  })
  if (framing === 'none') return done(Buffer.alloc(0), [], start, 'none')
  if (framing === 'close') return { kind: 'incomplete', head, untilClose: true, body: bytes.subarray(start) }
  if (typeof framing === 'object') {
    const end = start + framing.length
    if (bytes.length >= end) return done(bytes.subarray(start, end), [], end, 'length')
    return { kind: 'incomplete', head, untilClose: false, body: bytes.subarray(start) }
  }
  if (framing !== 'chunked') return { kind: 'malformed', why: framing }
  const chunked = parseChunked(bytes, start)
  if (typeof chunked === 'string') return { kind: 'malformed', why: chunked }
  if (chunked.end < 0) return { kind: 'incomplete', head, untilClose: false, body: chunked.body }
  return done(chunked.body, chunked.trailers, chunked.end, 'chunked')
}

function parseFields(lines: readonly string[]): Field[] | string {
  const fields: Field[] = []
  for (const line of lines) {
    const match = FIELD.exec(line)
    if (match === null) return `bad field line ${JSON.stringify(line.slice(0, 80))}`
    fields.push([match[1] ?? '', match[2] ?? ''])
  }
  return fields
}

interface Chunked {
  readonly body: Buffer
  readonly trailers: readonly Field[]
  /** -1 = not complete yet. */
  readonly end: number
}

function parseChunked(bytes: Buffer, start: number): Chunked | string {
  const parts: Buffer[] = []
  const soFar = (): Chunked => ({ body: Buffer.concat(parts), trailers: [], end: -1 })
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1')
    if (lineEnd < 0) return soFar()
    const match = CHUNK_LINE.exec(bytes.toString('latin1', at, lineEnd))
    if (match === null) return 'bad chunk size line'
    const size = Number.parseInt(match[1] ?? '', 16)
    at = lineEnd + 2
    if (size === 0) break
    parts.push(bytes.subarray(at, Math.min(at + size, bytes.length)))
    if (bytes.length < at + size + 2) return soFar()
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n') return 'chunk data not followed by CRLF'
    at += size + 2
  }
  if (bytes.length < at + 2) return soFar()
  if (bytes.toString('latin1', at, at + 2) === '\r\n') return { body: Buffer.concat(parts), trailers: [], end: at + 2 }
  const end = bytes.indexOf('\r\n\r\n', at, 'latin1')
  if (end < 0) return soFar()
  const trailers = parseFields(bytes.toString('latin1', at, end).split('\r\n'))
  return typeof trailers === 'string' ? trailers : { body: Buffer.concat(parts), trailers, end: end + 4 }
}
