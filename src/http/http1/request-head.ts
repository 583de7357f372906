// A request head: request line and header section. RFC 9112 §3 and §5, refused where it is not exact.
import type { ErrorSpec } from '../../core/errors.ts'
import { errors } from '../../core/errors.ts'
import { withoutReserved } from '../hygiene/reserved-fields.ts'
import { isValidHost, TOKEN } from './grammar.ts'
import { type ClientFacts, type FieldRules, type RequestFields, readRequestFields } from './request-fields.ts'

export interface RequestHead {
  readonly method: string
  /** As forwarded: origin-form, or `*`. */
  readonly target: string
  readonly minor: 0 | 1
  /** Effective host: of an absolute-form target, else the Host field, '' for HTTP/1.0 without one. */
  readonly host: string
  readonly fields: RequestFields
}

/** Where a connection keeps the last header section it parsed. */
export interface FieldCache {
  fields: RequestFields | null
}

/** Visible ASCII without '#': a fragment is never sent, and has hidden paths from rules before (CVE-2023-45539). */
const TARGET = /^[\x21\x22\x24-\x7e]+$/
const VERSION = /^HTTP\/[0-9]\.[0-9]$/
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i

export interface HeadLimits extends FieldRules {
  readonly targetSize: number
}

/**
 * Parses `text[start..headEnd)`, where `headEnd` is the position of the empty line's CRLF minus the last field's CRLF,
 * that is: `text.indexOf('\r\n\r\n')`. Returns the head or the reason for refusing it; never throws.
 */
export function parseRequestHead(
  text: string,
  start: number,
  headEnd: number,
  client: ClientFacts,
  limits: HeadLimits,
  cache: FieldCache,
): RequestHead | ErrorSpec {
  const lineEnd = text.indexOf('\r\n', start)
  const methodEnd = text.indexOf(' ', start)
  const targetEnd = text.indexOf(' ', methodEnd + 1)
  if (methodEnd <= start || targetEnd < 0 || targetEnd >= lineEnd || methodEnd >= lineEnd)
    return badLine(text, start, lineEnd)
  const minor = versionMinor(text, targetEnd + 1, lineEnd)
  if (minor === -1) return badLine(text, start, lineEnd)
  const method = text.slice(start, methodEnd)
  if (!isKnownMethod(method)) {
    if (!TOKEN.test(method)) return errors.bad_request_line
    // TRACE would echo credentials; CONNECT asks for a forward proxy; PRI is the HTTP/2 preface.
    if (method === 'TRACE' || method === 'CONNECT') return errors.method_not_supported
  }
  if (targetEnd - methodEnd - 1 > limits.targetSize) return errors.target_too_long
  const target = text.slice(methodEnd + 1, targetEnd)
  if (!TARGET.test(target)) return errors.bad_target

  const block = headEnd > lineEnd ? text.slice(lineEnd + 2, headEnd + 2) : ''
  let fields = cache.fields
  if (fields === null || fields.block !== block || fields.minor !== minor) {
    fields = readRequestFields(block, minor, client, limits)
    if (fields.error !== null) return fields.error
    cache.fields = fields
  }
  return settleTarget(method, target, minor, fields)
}

/** RFC 9112 §3.2: the four forms of a target, and what each means for Host. */
function settleTarget(method: string, target: string, minor: 0 | 1, fields: RequestFields): RequestHead | ErrorSpec {
  if (!fields.hostIsValid || (minor === 1 && fields.hostCount === 0)) return errors.bad_host
  // Chunked does not exist in HTTP/1.0: such a message was meant for somebody who reads it differently (§6.1).
  if (minor === 0 && fields.framing === 'chunked') return errors.bad_framing
  if (target.charCodeAt(0) === 0x2f /* / */) return { method, target, minor, host: fields.host, fields }
  if (target === '*') {
    return method === 'OPTIONS' ? { method, target, minor, host: fields.host, fields } : errors.bad_target
  }
  const absolute = ABSOLUTE.exec(target)
  if (absolute === null || !isValidHost(absolute[1]!)) return errors.bad_target
  const rest = absolute[2]!
  const path = rest === '' && method === 'OPTIONS' ? '*' : rest.startsWith('/') ? rest : `/${rest}`
  return { method, target: path, minor, host: absolute[1]!, fields: forHost(fields, absolute[1]!) }
}

/** Host counts for nothing beside an absolute-form target (§3.2.2): nobody may decide by what it says instead. */
function forHost(fields: RequestFields, host: string): RequestFields {
  if (fields.host === host) return fields
  const lookup = `Host: ${host}\r\n${withoutReserved(fields.lookup, HOST)}`
  return Object.assign(Object.create(Object.getPrototypeOf(fields)), fields, { lookup })
}

const HOST: ReadonlySet<string> = new Set(['host'])

function versionMinor(text: string, start: number, end: number): -1 | 0 | 1 {
  if (end - start !== 8 || !text.startsWith('HTTP/1.', start)) return -1
  const digit = text.charCodeAt(start + 7)
  return digit === 0x31 ? 1 : digit === 0x30 ? 0 : -1
}

/** Tells an HTTP version that we do not speak from a line that is no request line. */
function badLine(text: string, start: number, lineEnd: number): ErrorSpec {
  const words = text.slice(start, lineEnd).split(' ')
  const isRequest = words.length === 3 && TOKEN.test(words[0]!) && VERSION.test(words[2]!)
  return isRequest ? errors.version_not_supported : errors.bad_request_line
}

function isKnownMethod(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'POST':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'PATCH':
    case 'OPTIONS':
      return true
  }
  return false
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'PUT':
    case 'DELETE':
      return true
  }
  return false
}
