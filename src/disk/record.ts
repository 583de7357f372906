// An answer as it lies on disk: a header of fixed length, then URL, selector, tags, head and body. Header and rest have a
// checksum each, and the header says at which position it belongs, so that nothing is taken for a record that is only part of
// one, or was one formerly.
import { crc32 } from 'node:zlib'
import type { EntryFacts, EntryTexts } from '../state/cache/types.ts'
import { hash32 } from '../util/hash32.ts'

/** Raised when the meaning of a byte changes: files of another version are thrown away. */
export const recordVersion = 1
export const headerBytes = 128
/** Records begin at multiples of this. */
export const alignment = 64

const at = {
  magic: 0,
  position: 8,
  length: 16,
  checksum: 20,
  hi: 24,
  lo: 28,
  selectorHash: 32,
  status: 36,
  flags: 40,
  headLength: 44,
  urlLength: 48,
  selectorLength: 52,
  tagsLength: 56,
  bodyLength: 60,
  responseTime: 64,
  initialAge: 72,
  lifetime: 80,
  staleWhileRevalidate: 88,
  staleIfError: 96,
  mark: 104,
  until: 112,
  headerChecksum: 124,
} as const

/** Two halves each of a hash of a text that only this folder knows: no one makes two URLs meet on purpose. */
export class Hashes {
  readonly #seeds: readonly number[]

  constructor(secret: readonly number[]) {
    this.#seeds = secret
  }

  hi(text: string): number {
    return hash32(text, this.#seeds[2]!)
  }

  lo(text: string): number {
    return hash32(text, this.#seeds[3]!)
  }

  /** Of a URL and its tags, as bans go by them. */
  ofBanned(url: string, tags: string): number[] {
    const hashes = [this.hi(url), this.lo(url)]
    if (tags === '') return hashes
    for (const tag of tags.split(' ')) hashes.push(...this.ofTag(tag))
    return hashes
  }

  ofTag(tag: string): [hi: number, lo: number] {
    // No URL begins like this.
    const text = ` ${tag}`
    return [this.hi(text), this.lo(text)]
  }
}

/** What a header says, as far as it is needed without the rest. */
export interface RecordHeader {
  readonly position: number
  /** Of the whole record, header included. */
  readonly length: number
  readonly hi: number
  readonly lo: number
  readonly selector: number
  readonly mark: number
  readonly until: number
}

/** A record that is sound. */
export interface DecodedRecord {
  readonly facts: EntryFacts
  readonly texts: EntryTexts
  readonly body: Buffer
}

/** From the end of one record to where the next may begin. */
export function padded(length: number): number {
  return Math.ceil(length / alignment) * alignment
}

/** How long the record of an entry is. */
export function recordLength({ url, selector, tags, head }: EntryTexts, bodyLength: number): number {
  return headerBytes + url.length + selector.length + tags.length + head.length + bodyLength
}

const hasValidator = /^(?:etag|last-modified):/im
/** Kept for so long at least after it became stale: for when no backend can be reached. */
const leastStaleMs = 3_600_000
const forEver = 0xffffffff

/** Seconds since the epoch after which an entry is of no use: without a validator it cannot be made fresh again. */
function usefulUntil(facts: EntryFacts, head: string): number {
  if (hasValidator.test(head)) return forEver
  const staleAt = facts.responseTime - facts.initialAge + facts.lifetime
  const end = staleAt + Math.max(facts.staleWhileRevalidate, facts.staleIfError, leastStaleMs)
  return Math.min(forEver, Math.max(0, Math.ceil(end / 1000)))
}

/** Reads and writes records of one folder. */
export class RecordCodec {
  readonly hashes: Hashes
  readonly #magic: Buffer

  constructor(secret: readonly number[]) {
    this.hashes = new Hashes(secret)
    this.#magic = Buffer.alloc(8)
    this.#magic.writeUInt32LE(secret[0]! >>> 0, 0)
    this.#magic.writeUInt32LE(secret[1]! >>> 0, 4)
  }

  /** All but the body, the place and the checksums; the caller puts the body at the end, which is `bodyLength` bytes. */
  encode(facts: EntryFacts, texts: EntryTexts, bodyLength: number): Buffer {
    const { url, selector, tags, head } = texts
    const length = recordLength(texts, bodyLength)
    const bytes = Buffer.allocUnsafeSlow(padded(length))
    bytes.fill(0, 0, headerBytes)
    bytes.fill(0, length)
    this.#magic.copy(bytes, at.magic)
    bytes.writeUInt32LE(length, at.length)
    bytes.writeUInt32LE(this.hashes.hi(url), at.hi)
    bytes.writeUInt32LE(this.hashes.lo(url), at.lo)
    bytes.writeUInt32LE(this.hashes.hi(selector), at.selectorHash)
    bytes.writeUInt16LE(facts.status, at.status)
    bytes.writeUInt32LE(facts.flags >>> 0, at.flags)
    bytes.writeUInt32LE(head.length, at.headLength)
    bytes.writeUInt32LE(url.length, at.urlLength)
    bytes.writeUInt32LE(selector.length, at.selectorLength)
    bytes.writeUInt32LE(tags.length, at.tagsLength)
    bytes.writeUInt32LE(bodyLength, at.bodyLength)
    bytes.writeDoubleLE(facts.responseTime, at.responseTime)
    bytes.writeDoubleLE(facts.initialAge, at.initialAge)
    bytes.writeDoubleLE(facts.lifetime, at.lifetime)
    bytes.writeDoubleLE(facts.staleWhileRevalidate, at.staleWhileRevalidate)
    bytes.writeDoubleLE(facts.staleIfError, at.staleIfError)
    bytes.writeUInt32LE(usefulUntil(facts, head), at.until)
    let next = headerBytes
    for (const text of [url, selector, tags, head]) next += bytes.latin1Write(text, next)
    return bytes
  }

  /** Says where it will lie and how far bans have been looked at, and closes it with its checksums. */
  seal(bytes: Buffer, position: number, mark: number): RecordHeader {
    const length = bytes.readUInt32LE(at.length)
    bytes.writeDoubleLE(position, at.position)
    bytes.writeDoubleLE(mark, at.mark)
    bytes.writeUInt32LE(crc32(bytes.subarray(headerBytes, length)), at.checksum)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, at.headerChecksum)), at.headerChecksum)
    return readHeader(bytes, 0)
  }

  /** The header of a record that begins at `offset` of these bytes, and at this position; null = none does. */
  header(bytes: Buffer, offset: number, position: number): RecordHeader | null {
    if (offset + headerBytes > bytes.length) return null
    if (bytes.compare(this.#magic, 0, 8, offset, offset + 8) !== 0) return null
    const sum = crc32(bytes.subarray(offset, offset + at.headerChecksum))
    if (sum !== bytes.readUInt32LE(offset + at.headerChecksum)) return null
    const header = readHeader(bytes, offset)
    return header.position === position && header.length >= headerBytes ? header : null
  }

  /** Where the next header might begin in these bytes, which lie at an aligned position; −1 = nowhere. */
  search(bytes: Buffer, from: number): number {
    for (let found = bytes.indexOf(this.#magic, from); found >= 0; found = bytes.indexOf(this.#magic, found + 1))
      if (found % alignment === 0) return found
    return -1
  }

  /** The whole record, which has just these bytes; null = it is damaged. */
  decode(bytes: Buffer, header: RecordHeader): DecodedRecord | null {
    if (bytes.length !== header.length) return null
    if (crc32(bytes.subarray(headerBytes)) !== bytes.readUInt32LE(at.checksum)) return null
    let next = headerBytes
    const text = (length: number): string => bytes.latin1Slice(next, (next += length))
    const texts: EntryTexts = {
      url: text(bytes.readUInt32LE(at.urlLength)),
      selector: text(bytes.readUInt32LE(at.selectorLength)),
      tags: text(bytes.readUInt32LE(at.tagsLength)),
      head: text(bytes.readUInt32LE(at.headLength)),
    }
    if (next + bytes.readUInt32LE(at.bodyLength) !== bytes.length) return null
    return { facts: readFacts(bytes), texts, body: bytes.subarray(next) }
  }
}

function readHeader(bytes: Buffer, offset: number): RecordHeader {
  return {
    position: bytes.readDoubleLE(offset + at.position),
    length: bytes.readUInt32LE(offset + at.length),
    hi: bytes.readUInt32LE(offset + at.hi),
    lo: bytes.readUInt32LE(offset + at.lo),
    selector: bytes.readUInt32LE(offset + at.selectorHash),
    mark: bytes.readDoubleLE(offset + at.mark),
    until: bytes.readUInt32LE(offset + at.until),
  }
}

function readFacts(bytes: Buffer): EntryFacts {
  return {
    status: bytes.readUInt16LE(at.status),
    flags: bytes.readUInt32LE(at.flags),
    responseTime: bytes.readDoubleLE(at.responseTime),
    initialAge: bytes.readDoubleLE(at.initialAge),
    lifetime: bytes.readDoubleLE(at.lifetime),
    staleWhileRevalidate: bytes.readDoubleLE(at.staleWhileRevalidate),
    staleIfError: bytes.readDoubleLE(at.staleIfError),
  }
}
