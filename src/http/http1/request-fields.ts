// The header section of a request, read once: what it means for us, and the block that a backend gets instead of it.
// A connection keeps the last result: most clients send the same block again and again.
import type { ErrorSpec } from '../../core/errors.ts'
import { errors } from '../../core/errors.ts'
import type { ClientAuthSpec } from '../../core/spec.ts'
import { type ClientCertificate, unixAddress } from '../../net/arrival.ts'
import type { RequestFacts } from '../cache/request-facts.ts'
import { believedClient } from '../hygiene/believed-client.ts'
import { certificateFields } from '../hygiene/client-certificate.ts'
import type { FieldChanges } from '../hygiene/field-changes.ts'
import { withoutReserved } from '../hygiene/reserved-fields.ts'
import type { HeaderEdits } from '../route/header-edits.ts'
import { FIELD_BLOCK, isName, isValidHost, listMembers, parseLength, trimmed } from './grammar.ts'

/** Length of a message body. RFC 9112 §6.3. */
export type Framing = 'none' | 'length' | 'chunked'

/** What is the same for all requests of one client connection. */
export interface ClientFacts {
  /** Address for X-Forwarded-For, without IPv4-mapped prefix. */
  readonly address: string
  /** Whether the peer is a trusted proxy: the one decision that gates every forwarded field. */
  readonly trusted: boolean
  readonly scheme: 'http' | 'https'
  /** Null = it showed none. */
  readonly certificate: ClientCertificate | null
}

/** What is the same for all requests of a listener and snapshot. */
export interface FieldRules {
  readonly instanceId: string
  readonly maxFields: number
  /** Whether a proxy at that address is believed. */
  isTrusted(address: string): boolean
  /** Folded names (see reserved-fields.ts) that no client may say, whatever listener of the snapshot sends them itself. */
  readonly reserved: ReadonlySet<string>
  /** The fields that tell a backend of this listener of the client's certificate; null = it is not told. */
  readonly certificateNames: ClientAuthSpec['headers'] | null
}

export class RequestFields {
  /** The block as received, and the minor version it was read for: the key of the cache. */
  readonly block: string
  readonly minor: 0 | 1
  error: ErrorSpec | null = null
  /** Exactly one valid Host, or none at all (which HTTP/1.0 may). */
  hostIsValid = false
  host = ''
  hostCount = 0
  framing: Framing = 'none'
  contentLength = 0
  close = false
  keepAlive = false
  expectContinue = false
  /** The protocol(s) of Upgrade that may be passed on, '' for none. */
  upgrade = ''
  looped = false
  /** Connection names fields that are in `lookup`, and that backends do not get (RFC 9110 §7.6.1). */
  withholds = false
  maxForwards = -1
  /** From a trusted peer, else ''. */
  requestId = ''
  /** The client as a trusted peer tells of it; '' = the peer itself. */
  clientAddress = ''
  /** All Cookie values, for affinity; '' for none. */
  cookie = ''
  /** Where whoever decides looks fields up: as received, but reserved fields as we say them, and no other hearsay. */
  lookup = ''
  /** Block for the backend: everything but Host, X-Forwarded-Host, X-Request-Id and Max-Forwards; CRLF at the end. */
  forward = ''
  /** X-Forwarded-Host of a trusted peer, else ''. */
  forwardedHost = ''
  /** What backends are told of how the client came: `http`, `https`, or whatever a trusted peer says. */
  scheme = ''
  /** Kept by the cache, see cache/request-facts.ts. */
  cacheFacts: RequestFacts | null = null
  /** Kept by the composer: the part of a request head that is the same for both hosts below, see compose-head.ts. */
  tail = ''
  tailHost: string | null = null
  tailForwardedHost: string | null = null
  tailEdits: HeaderEdits | null = null
  tailTraced = false
  tailNormal: FieldChanges | null = null

  constructor(block: string, minor: 0 | 1) {
    this.block = block
    this.minor = minor
  }
}

/** Fields that Connection can never take away: framing and routing (CVE-2022-45059), and what we decide on. */
const NEVER_HOP_BY_HOP = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'close',
  'keep-alive',
])

/** Per-parse state that does not belong into the result. */
class Scratch {
  connection = ''
  upgrade = ''
  te = ''
  trailer = ''
  transferEncoding: string | null = null
  hasLength = false
  expect = ''
  forwardedFor = ''
  forwardedProto = ''
  via = ''
  /** An untrusted client tells of whom it speaks for. */
  hasHearsay = false
}

/** Parses and rewrites a field block (every line with its CRLF). Never throws; the first fault is in `error`. */
export function readRequestFields(block: string, minor: 0 | 1, client: ClientFacts, rules: FieldRules): RequestFields {
  const fields = new RequestFields(block, minor)
  if (!FIELD_BLOCK.test(block)) {
    fields.error = errors.bad_field
    return fields
  }
  const scratch = new Scratch()
  // Before anything else looks at the block, so that nothing can be decided by what a client must not say.
  const allowed = rules.reserved.size === 0 ? block : withoutReserved(block, rules.reserved)
  const kept = keepEndToEnd(allowed, fields, scratch, client, rules)
  if (fields.error === null) settleFraming(fields, scratch)
  if (fields.error === null) settleExpectations(fields, scratch)
  if (fields.error !== null) return fields
  const certificate =
    rules.certificateNames === null ? '' : certificateFields(rules.certificateNames, client.certificate)
  const own = ownFields(fields, scratch, client, rules) + certificate
  const heard = scratch.hasHearsay ? withoutHearsay(allowed) : allowed
  fields.lookup = certificate === '' ? heard : certificate + heard
  fields.hostIsValid = fields.hostCount === 0 || (fields.hostCount === 1 && isValidHost(fields.host))
  const endToEnd = removeListed(kept, scratch.connection)
  if (endToEnd === null) fields.error = errors.bad_field
  else {
    fields.forward = endToEnd + own
    fields.withholds = endToEnd !== kept
  }
  return fields
}

/** One pass over the lines: reads what matters, returns the block without what a backend must not see. */
function keepEndToEnd(
  block: string,
  fields: RequestFields,
  scratch: Scratch,
  client: ClientFacts,
  rules: FieldRules,
): string {
  let kept = ''
  let runStart = 0
  let count = 0
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r', colon)
    if (++count > rules.maxFields) {
      fields.error = errors.header_too_large
      return ''
    }
    if (!readField(block, position, colon, end, fields, scratch, client)) {
      if (position > runStart) kept += block.slice(runStart, position)
      runStart = end + 2
    }
    if (fields.error !== null) return ''
    position = end + 2
  }
  return runStart === 0 ? block : kept + block.slice(runStart)
}

/** Reads one field; false = it is not forwarded as it stands. */
function readField(
  block: string,
  start: number,
  colon: number,
  end: number,
  fields: RequestFields,
  scratch: Scratch,
  client: ClientFacts,
): boolean {
  const first = block.charCodeAt(start) | 0x20
  switch (colon - start) {
    case 2:
      if (first === 0x74 /* t */ && isName(block, start, 'te')) {
        scratch.te = append(scratch.te, trimmed(block, colon + 1, end))
        return false
      }
      return true
    case 3:
      if (first === 0x76 /* v */ && isName(block, start, 'via')) {
        scratch.via = append(scratch.via, trimmed(block, colon + 1, end))
        return true
      }
      return true
    case 4:
      if (first === 0x68 /* h */ && isName(block, start, 'host')) {
        fields.host = trimmed(block, colon + 1, end)
        fields.hostCount++
        return false
      }
      return true
    case 5:
      // "httpoxy": a CGI backend would take it for HTTP_PROXY (CVE-2016-5385).
      return !(first === 0x70 /* p */ && isName(block, start, 'proxy'))
    case 6:
      if (first === 0x63 /* c */ && isName(block, start, 'cookie')) {
        const value = trimmed(block, colon + 1, end)
        fields.cookie = fields.cookie === '' ? value : `${fields.cookie}; ${value}`
        return true
      }
      if (first === 0x65 /* e */ && isName(block, start, 'expect')) {
        scratch.expect = append(scratch.expect, trimmed(block, colon + 1, end))
        return false
      }
      return true
    case 7:
      if (first === 0x75 /* u */ && isName(block, start, 'upgrade')) {
        scratch.upgrade = append(scratch.upgrade, trimmed(block, colon + 1, end))
        return false
      }
      if (first === 0x74 /* t */ && isName(block, start, 'trailer')) {
        scratch.trailer = append(scratch.trailer, trimmed(block, colon + 1, end))
        return false
      }
      return true
    case 9:
      if (first === 0x66 /* f */ && isName(block, start, 'forwarded')) return isBelieved(scratch, client)
      if (first === 0x78 /* x */ && isName(block, start, 'x-real-ip')) return isBelieved(scratch, client)
      return true
    case 10:
      if (first === 0x63 /* c */ && isName(block, start, 'connection')) {
        scratch.connection = append(scratch.connection, trimmed(block, colon + 1, end))
        return false
      }
      return !(first === 0x6b /* k */ && isName(block, start, 'keep-alive'))
    case 12:
      if (first === 0x78 /* x */ && isName(block, start, 'x-request-id')) {
        if (isBelieved(scratch, client) && fields.requestId === '') {
          fields.requestId = requestIdOf(trimmed(block, colon + 1, end))
        }
        return false
      }
      if (first === 0x6d /* m */ && isName(block, start, 'max-forwards')) {
        fields.maxForwards = parseLength(trimmed(block, colon + 1, end))
        return false
      }
      return true
    case 14:
      if (first === 0x63 /* c */ && isName(block, start, 'content-length')) {
        readLength(trimmed(block, colon + 1, end), block.charCodeAt(start + 7) === 0x5f, fields, scratch)
        return false
      }
      return !(first === 0x68 /* h */ && isName(block, start, 'http2-settings'))
    case 16:
      if (first === 0x70 /* p */ && isName(block, start, 'proxy-connection')) return false
      break
    case 17:
      if (first === 0x74 /* t */ && isName(block, start, 'transfer-encoding')) {
        // The underscore twin is some other field to us and framing to a CGI-style backend: nobody may see it.
        if (block.charCodeAt(start + 8) === 0x5f) fields.error = errors.bad_field
        scratch.transferEncoding =
          scratch.transferEncoding === null
            ? trimmed(block, colon + 1, end)
            : `${scratch.transferEncoding},${trimmed(block, colon + 1, end)}`
        return false
      }
      break
    case 19:
      // Meant for us, not for an origin (RFC 9110 §11.7.2); we ask for none.
      return !(first === 0x70 /* p */ && isName(block, start, 'proxy-authorization'))
  }
  if (first === 0x78 /* x */ && colon - start >= 13 && isName(block, start, 'x-forwarded-')) {
    return readForwarded(block, start, colon, end, fields, scratch, client)
  }
  return true
}

/** The one decision that gates every forwarded field: a backend does not get it, and nobody here goes by it. */
function isBelieved(scratch: Scratch, { trusted }: ClientFacts): boolean {
  if (!trusted) scratch.hasHearsay = true
  return trusted
}

/** Folded, as in `isName`. */
const HEARSAY = /^(?:forwarded|x-real-ip|x-request-id|x-forwarded-.*)$/

function withoutHearsay(block: string): string {
  let kept = ''
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const next = block.indexOf('\r\n', colon) + 2
    if (!HEARSAY.test(folded(block.slice(position, colon)))) kept += block.slice(position, next)
    position = next
  }
  return kept
}

/** An id goes into heads, bodies and logs: printable and of a sensible length, or one is made. */
function requestIdOf(value: string): string {
  return /^[\x21-\x7e]{1,128}$/.test(value) ? value : ''
}

function readForwarded(
  block: string,
  start: number,
  colon: number,
  end: number,
  fields: RequestFields,
  scratch: Scratch,
  client: ClientFacts,
): boolean {
  if (!isBelieved(scratch, client)) return false
  const name = block.slice(start + 12, colon).toLowerCase()
  if (name === 'for') scratch.forwardedFor = append(scratch.forwardedFor, trimmed(block, colon + 1, end))
  else if (name === 'proto') scratch.forwardedProto = trimmed(block, colon + 1, end)
  else if (name === 'host') fields.forwardedHost = trimmed(block, colon + 1, end)
  else return true
  return false
}

function readLength(value: string, underscore: boolean, fields: RequestFields, scratch: Scratch): void {
  const length = parseLength(value)
  // One line with digits only: two, even equal, are a sign of two minds about the message.
  if (length < 0 || scratch.hasLength || underscore) fields.error = errors.bad_framing
  scratch.hasLength = true
  fields.contentLength = length
}

/** RFC 9112 §6.1, §6.3: an allow-list of one transfer coding, and never beside a Content-Length. */
function settleFraming(fields: RequestFields, scratch: Scratch): void {
  if (scratch.transferEncoding === null) {
    fields.framing = scratch.hasLength ? 'length' : 'none'
    return
  }
  const coding = scratch.transferEncoding.toLowerCase()
  if (scratch.hasLength) fields.error = errors.bad_framing
  else if (coding === 'chunked') fields.framing = 'chunked'
  else {
    const known = listMembers(coding).every((member) => member === 'chunked' || member === 'identity')
    fields.error = known || coding === '' ? errors.bad_framing : errors.unknown_coding
  }
}

function settleExpectations(fields: RequestFields, scratch: Scratch): void {
  if (scratch.connection !== '') {
    const options = listMembers(scratch.connection)
    fields.close = options.includes('close')
    fields.keepAlive = options.includes('keep-alive')
    // HTTP/1.0 knows no Upgrade (RFC 9110 §7.8) and no expectations (§10.1.1): both are ignored there.
    if (fields.minor === 1 && scratch.upgrade !== '' && options.includes('upgrade'))
      fields.upgrade = allowedUpgrade(scratch.upgrade)
  }
  if (scratch.expect !== '') {
    if (scratch.expect.toLowerCase() === '100-continue') fields.expectContinue = fields.minor === 1
    else fields.error = errors.unknown_expectation
  }
  const hasBody = fields.framing === 'chunked' || fields.contentLength > 0
  if (fields.upgrade !== '' && hasBody) fields.error = errors.bad_upgrade
}

/** h2c would tunnel past everything this proxy does: it is dropped and the request served as HTTP/1.1 (RFC 9113 §3.1). */
function allowedUpgrade(value: string): string {
  const protocols = value
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '' && !/^h2c?(?![0-9a-z])/i.test(protocol))
  return protocols.join(', ')
}

/** What we say of ourselves and of this hop; added after everything of the client's was stripped. */
function ownFields(fields: RequestFields, scratch: Scratch, client: ClientFacts, rules: FieldRules): string {
  if (scratch.forwardedFor !== '') fields.clientAddress = believedClient(scratch.forwardedFor, rules.isTrusted)
  fields.looped = scratch.via !== '' && scratch.via.includes(`(${rules.instanceId})`)
  const chain = forwardedChain(scratch.forwardedFor, client.address)
  const proto = scratch.forwardedProto === '' ? client.scheme : scratch.forwardedProto
  fields.scheme = proto
  let own = chain === '' ? '' : `X-Forwarded-For: ${chain}\r\n`
  own += `X-Forwarded-Proto: ${proto}\r\nVia: 1.1 frontdesk (${rules.instanceId})\r\n`
  if (fields.framing === 'length') own += `Content-Length: ${fields.contentLength}\r\n`
  else if (fields.framing === 'chunked') {
    own += 'Transfer-Encoding: chunked\r\n'
    if (scratch.trailer !== '') own += `Trailer: ${scratch.trailer}\r\n`
  }
  if (fields.expectContinue) own += 'Expect: 100-continue\r\n'
  const trailers = scratch.te !== '' && listMembers(scratch.te).includes('trailers')
  if (fields.upgrade !== '') own += `Connection: upgrade\r\nUpgrade: ${fields.upgrade}\r\n`
  else if (trailers) own += 'TE: trailers\r\nConnection: TE\r\n'
  return own
}

/** Whoever comes in by a Unix socket has no address to be told of. */
function forwardedChain(before: string, address: string): string {
  if (address === unixAddress) return before
  return before === '' ? address : `${before}, ${address}`
}

/** More than this many members of Connection are no honest message: each field would be looked up among them. */
const MAX_CONNECTION_OPTIONS = 64

/**
 * Removes the fields that Connection names (RFC 9110 §7.6.1); null = it names too many. Rare: clients name `close`
 * and `keep-alive`.
 */
export function removeListed(block: string, connection: string): string | null {
  if (connection === '') return block
  const options = listMembers(connection)
  if (options.length > MAX_CONNECTION_OPTIONS) return null
  const listed = new Set(options.map(folded).filter((name) => !NEVER_HOP_BY_HOP.has(name)))
  if (listed.size === 0) return block
  let kept = ''
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const next = block.indexOf('\r\n', colon) + 2
    if (!listed.has(folded(block.slice(position, colon)))) kept += block.slice(position, next)
    position = next
  }
  return kept
}

/** A field name as `isName` compares it. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

function append(list: string, value: string): string {
  return list === '' ? value : `${list}, ${value}`
}
