// A response head from a backend: status line and header section, and the block that the client gets instead of it.
// RFC 9112 §4 and §5; anything doubtful is a 502, never "the rest is body" (CVE-2022-37436).

import type { AnswerFacts } from '../cache/answer-facts.ts'
import type { ComposedAnswer } from '../compose-head.ts'
import { FIELD_BLOCK, isName, listMembers, parseLength, trimmed } from './grammar.ts'
import { removeListed } from './request-fields.ts'

/** What is the same for all answers of a pool. */
export interface ResponseRules {
  readonly maxFields: number
  /** Lower-case names of fields that are not shown to clients. */
  readonly hide: readonly string[]
}

export class ResponseHead {
  status = 0
  reason = ''
  minor = 1
  /** As announced; -1 = no Content-Length. */
  contentLength = -1
  chunked = false
  close = false
  keepAlive = false
  upgrade = ''
  hasDate = false
  /** Strict-Transport-Security is among the fields. */
  hasHsts = false
  /** End-to-end fields with CRLF each; without framing, Connection, Upgrade and hidden ones. */
  forward = ''
  trailer = ''
  /** A status without a body came with a length or coding: a body may follow that must not be the next answer. */
  mayCarryStrayBody = false
  /** Kept by the cache, see cache/answer-facts.ts. */
  cacheFacts: AnswerFacts | null = null
  /** Kept by the composer, see compose-head.ts. */
  readonly composed: (ComposedAnswer | null)[] = [null, null, null, null, null, null, null, null]
}

const STATUS_LINE = /^HTTP\/1\.([0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/

const DASH = 45

class Scratch {
  connection = ''
  transferEncoding: string | null = null
  valid = true
}

/** Parses `text[start..headEnd)` (`headEnd` = position of CRLFCRLF). Null = malformed; never throws. */
export function parseResponseHead(
  text: string,
  start: number,
  headEnd: number,
  rules: ResponseRules,
): ResponseHead | null {
  const lineEnd = text.indexOf('\r\n', start)
  const match = STATUS_LINE.exec(text.slice(start, lineEnd))
  if (match === null) return null
  const head = new ResponseHead()
  head.minor = match[1] === '0' ? 0 : 1
  head.status = Number(match[2])
  head.reason = match[3] ?? ''
  const block = headEnd > lineEnd ? text.slice(lineEnd + 2, headEnd + 2) : ''
  if (!FIELD_BLOCK.test(block)) return null
  const scratch = new Scratch()
  const kept = keepEndToEnd(block, head, scratch, rules)
  if (!scratch.valid || !settleFraming(head, scratch)) return null
  if (scratch.connection !== '') {
    const options = listMembers(scratch.connection)
    head.close = options.includes('close')
    head.keepAlive = options.includes('keep-alive')
    const endToEnd = removeListed(kept, scratch.connection)
    if (endToEnd === null) return null
    head.forward = endToEnd
    if (options.includes('date')) head.hasDate = false
  } else {
    head.forward = kept
  }
  return head
}

function keepEndToEnd(block: string, head: ResponseHead, scratch: Scratch, rules: ResponseRules): string {
  let kept = ''
  let runStart = 0
  let count = 0
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r', colon)
    if (++count > rules.maxFields) scratch.valid = false
    if (!readField(block, position, colon, end, head, scratch) || isHidden(block, position, colon, rules.hide)) {
      if (position > runStart) kept += block.slice(runStart, position)
      runStart = end + 2
    }
    if (!scratch.valid) return ''
    position = end + 2
  }
  return runStart === 0 ? block : kept + block.slice(runStart)
}

function isHidden(block: string, start: number, colon: number, hide: readonly string[]): boolean {
  const length = colon - start
  for (let index = 0; index < hide.length; index++) {
    const name = hide[index]!
    if (name.length === length && isName(block, start, name)) return true
  }
  return false
}

/** Reads one field; false = it is not forwarded as it stands. */
function readField(
  block: string,
  start: number,
  colon: number,
  end: number,
  head: ResponseHead,
  scratch: Scratch,
): boolean {
  const first = block.charCodeAt(start) | 0x20
  switch (colon - start) {
    case 4:
      if (first === 0x64 /* d */ && isName(block, start, 'date')) head.hasDate = true
      return true
    case 7:
      if (first === 0x75 /* u */ && isName(block, start, 'upgrade')) {
        head.upgrade = append(head.upgrade, trimmed(block, colon + 1, end))
        return false
      }
      if (first === 0x74 /* t */ && isName(block, start, 'trailer')) {
        head.trailer = append(head.trailer, trimmed(block, colon + 1, end))
        return false
      }
      return true
    case 10:
      if (first === 0x63 /* c */ && isName(block, start, 'connection')) {
        scratch.connection = append(scratch.connection, trimmed(block, colon + 1, end))
        return false
      }
      return !(first === 0x6b /* k */ && isName(block, start, 'keep-alive'))
    case 14:
      if (first === 0x63 /* c */ && block.charCodeAt(start + 7) === DASH && isName(block, start, 'content-length')) {
        const length = parseLength(trimmed(block, colon + 1, end))
        if (length < 0 || head.contentLength >= 0) scratch.valid = false
        head.contentLength = length
        return false
      }
      return true
    case 16:
      return !(first === 0x70 /* p */ && isName(block, start, 'proxy-connection'))
    case 17:
      if (first === 0x74 /* t */ && block.charCodeAt(start + 8) === DASH && isName(block, start, 'transfer-encoding')) {
        const value = trimmed(block, colon + 1, end)
        scratch.transferEncoding = scratch.transferEncoding === null ? value : `${scratch.transferEncoding},${value}`
        return false
      }
      return true
    case 18:
      // A challenge for a proxy's client is the proxy's to make (RFC 9110 §11.7.1); an origin's means nothing here.
      return !(first === 0x70 /* p */ && isName(block, start, 'proxy-authenticate'))
    case 25:
      if (first === 0x73 /* s */ && isName(block, start, 'strict-transport-security')) head.hasHsts = true
      return true
  }
  return true
}

/** Only `chunked`, only in HTTP/1.1, never beside a length. A 1xx or 204 must have neither; there they are ignored. */
function settleFraming(head: ResponseHead, scratch: Scratch): boolean {
  if (head.status < 200 || head.status === 204) {
    head.mayCarryStrayBody = head.contentLength > 0 || scratch.transferEncoding !== null
    head.contentLength = -1
    return true
  }
  head.mayCarryStrayBody = head.status === 205 && (head.contentLength > 0 || scratch.transferEncoding !== null)
  if (scratch.transferEncoding === null) return true
  if (scratch.transferEncoding.toLowerCase() !== 'chunked' || head.minor === 0 || head.contentLength >= 0) return false
  head.chunked = true
  return true
}

function append(list: string, value: string): string {
  return list === '' ? value : `${list}, ${value}`
}
