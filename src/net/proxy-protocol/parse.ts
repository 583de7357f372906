// The PROXY header that stands before everything else on a connection from a proxy: versions 1 and 2, strictly.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, sections 2.1 and 2.2.
import { isIPv4 } from 'node:net'
import { formatAddress, parseAddress } from '../../util/cidr.ts'
import type { Endpoint } from '../arrival.ts'

export interface ProxyHeader {
  /** Bytes of the header; what follows is the client's. */
  readonly size: number
  /** Null where the header says nothing of a TCP client: LOCAL, UNKNOWN, UNSPEC, Unix sockets, datagrams. */
  readonly source: Endpoint | null
  /** Null together with `source`. */
  readonly destination: Endpoint | null
}

/** A header longer than this, with all its TLVs, is malformed. In bytes; nginx has the same. */
export const MAX_PROXY_HEADER = 4096

const SIGNATURE_1 = Buffer.from('PROXY ', 'latin1')
const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** With CR and LF (section 2.1). */
const MAX_LINE_BYTES = 107
const HEAD_2_BYTES = 16
const LF = 10

/**
 * The header at the beginning of `bytes[0..length)`; or how many bytes there must be at least before it is worth asking
 * again; or a short reason why it is none. What is wrong stays wrong, whatever follows.
 */
export function parseProxyHeader(bytes: Buffer, length: number): ProxyHeader | { readonly problem: string } | number {
  const second = length > 0 && bytes[0] === SIGNATURE_2[0]
  const signature = second ? SIGNATURE_2 : SIGNATURE_1
  for (let at = 0; at < signature.length && at < length; at++) {
    if (bytes[at] !== signature[at]) return { problem: 'the connection does not begin with a PROXY header' }
  }
  if (second) return length < HEAD_2_BYTES ? headSoFar(bytes, length) : parseBinary(bytes, length)
  return parseLine(bytes, length)
}

// Version 1

const UNKNOWN = 'PROXY UNKNOWN'
/** The shortest line there is: `PROXY UNKNOWN`, CR, LF. */
const MIN_LINE_BYTES = UNKNOWN.length + 2
const LINE = /^PROXY TCP([46]) ([\dA-Fa-f:.]+) ([\dA-Fa-f:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/

function parseLine(bytes: Buffer, length: number): ProxyHeader | { readonly problem: string } | number {
  const searched = Math.min(length, MAX_LINE_BYTES)
  let end = 0
  while (end < searched && bytes[end] !== LF) end++
  if (end === MAX_LINE_BYTES) return { problem: `the PROXY line is longer than ${MAX_LINE_BYTES} bytes` }
  if (end === length) return Math.max(length + 1, MIN_LINE_BYTES)
  const text = bytes.latin1Slice(0, end)
  if (!text.endsWith('\r')) return { problem: 'the PROXY line does not end with CR LF' }
  const line = text.slice(0, -1)
  const size = end + 1
  // Whatever else stands in such a line is ignored.
  if (line === UNKNOWN || line.startsWith(`${UNKNOWN} `)) return { size, source: null, destination: null }
  const parts = LINE.exec(line)
  if (parts === null) return { problem: 'the PROXY line is malformed' }
  const source = readEndpoint(parts[1]!, parts[2]!, parts[4]!)
  const destination = readEndpoint(parts[1]!, parts[3]!, parts[5]!)
  if (source === null || destination === null) return { problem: 'the PROXY line has an invalid address or port' }
  return { size, source, destination }
}

function readEndpoint(family: string, address: string, digits: string): Endpoint | null {
  const port = Number(digits)
  if (port > 0xffff || (family === '4') !== isIPv4(address)) return null
  if (family === '4') return { address, port }
  const parsed = parseAddress(address)
  return parsed === null ? null : { address: formatAddress(parsed.family, parsed.value), port }
}

// Version 2

const PROXY = 1
const INET = 1
const INET6 = 2
const UNIX = 3
const STREAM = 1
/** Bytes of both addresses and ports, by family. */
const ADDRESS_BYTES = [0, 12, 36, 216]

/** What can be said of the first bytes of a binary header: why it is none, or how many are needed. */
function headSoFar(bytes: Buffer, length: number): { readonly problem: string } | number {
  const problem = headProblem(length > 12 ? bytes[12]! : 0x20, length > 13 ? bytes[13]! : 0)
  return problem === null ? HEAD_2_BYTES : { problem }
}

function headProblem(versionAndCommand: number, family: number): string | null {
  if (versionAndCommand >> 4 !== 2) return 'the PROXY header has an unknown version'
  if ((versionAndCommand & 15) > PROXY) return 'the PROXY header has an unknown command'
  // For LOCAL the family is to be ignored.
  if ((versionAndCommand & 15) !== PROXY) return null
  return family >> 4 > UNIX || (family & 15) > 2 ? 'the PROXY header has an unknown family or protocol' : null
}

function parseBinary(bytes: Buffer, length: number): ProxyHeader | { readonly problem: string } | number {
  const problem = headProblem(bytes[12]!, bytes[13]!)
  if (problem !== null) return { problem }
  const size = HEAD_2_BYTES + bytes.readUInt16BE(14)
  if (size > MAX_PROXY_HEADER) return { problem: `the PROXY header is longer than ${MAX_PROXY_HEADER} bytes` }
  const family = bytes[13]! >> 4
  const protocol = bytes[13]! & 15
  const unsaid = (bytes[12]! & 15) !== PROXY || family === 0 || protocol === 0
  const behind = HEAD_2_BYTES + ADDRESS_BYTES[unsaid ? 0 : family]!
  if (behind > size) return { problem: 'the PROXY header is too short for its family' }
  if (length < size) return size
  if (unsaid) return { size, source: null, destination: null }
  if (!areTlvs(bytes, behind, size)) return { problem: 'the PROXY header has a TLV longer than itself' }
  if (protocol !== STREAM || family === UNIX) return { size, source: null, destination: null }
  const width = family === INET ? 4 : 16
  const ports = HEAD_2_BYTES + 2 * width
  return {
    size,
    source: { address: addressAt(bytes, HEAD_2_BYTES, family), port: bytes.readUInt16BE(ports) },
    destination: { address: addressAt(bytes, HEAD_2_BYTES + width, family), port: bytes.readUInt16BE(ports + 2) },
  }
}

/** Whether these bytes are type-length-values and nothing else. What they say is not looked at. */
function areTlvs(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at + 3 <= end) at += 3 + bytes.readUInt16BE(at + 1)
  return at === end
}

function addressAt(bytes: Buffer, at: number, family: number): string {
  if (family !== INET6) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
  let value = 0n
  for (let word = at; word < at + 16; word += 4) value = (value << 32n) | BigInt(bytes.readUInt32BE(word))
  return value >> 32n === 0xffffn ? formatAddress(4, value & 0xffffffffn) : formatAddress(6, value)
}
