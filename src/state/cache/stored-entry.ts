// A complete entry as one thread has read it. Valid as long as the version of its bucket is the one it was read at, or the
// entry with its serial is still there.
import { bodyCells } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import type { DecodedUrl } from './decoded-urls.ts'
import { entryCells, isStaleBit, numberAt, statusMask, textLength, textsAt } from './entry-cells.ts'
import { unitBytes, unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'
import { CopiedReading, StoredReading } from './stored-reading.ts'
import { type BodyReading, type EntryFacts, type EntryTexts, SMALL_BODY, type StoredEntry } from './types.ts'

export class DecodedEntry implements StoredEntry {
  status = 0
  flags = 0
  responseTime = 0
  initialAge = 0
  lifetime = 0
  staleWhileRevalidate = 0
  staleIfError = 0
  url = ''
  selector = ''
  tags = ''
  head = ''
  bodyLength = 0
  isMarkedStale = false
  derived: unknown = null
  readonly ref: number
  readonly serial: number
  readonly urlHash: number
  readonly shard: Shard
  readonly hitsCell: number
  /** Uses that have not been counted yet. */
  unsaid = 0
  /** Where this thread keeps it; null = it does not. */
  kept: DecodedUrl | null = null
  private readonly thread: CacheThread
  /** Place of its body; 0 = it stands in the entry's chunk. */
  readonly body: number
  private readonly bodySerial: number
  private bodyText: string | null = null

  constructor(thread: CacheThread, shard: Shard, o: { ref: number; serial: number; urlHash: number }) {
    this.thread = thread
    this.shard = shard
    this.ref = o.ref
    this.serial = o.serial
    this.urlHash = o.urlHash
    this.hitsCell = shard.fifo.hitsCell(o.ref)
    const { cells } = thread.memory
    this.body = cells[o.ref * unitCells + entryCells.body]!
    this.bodySerial = this.body === 0 ? 0 : (cells[this.body * unitCells + bodyCells.serial] ?? 0)
  }

  /** Reads what stands in its chunk, which may be anything by now; false = it is no entry. */
  decode(): boolean {
    const { cells, numbers, bytes } = this.thread.memory
    const at = this.ref * unitCells
    const length = textLength(cells, at)
    if (length < 0) return false
    const from = this.ref * unitBytes + textsAt
    if (from + length > bytes.length) return false
    const text = bytes.latin1Slice(from, from + length)
    const url = cells[at + entryCells.urlLength]!
    const selector = url + cells[at + entryCells.selectorLength]!
    const tags = selector + cells[at + entryCells.tagsLength]!
    this.url = text.slice(0, url)
    this.selector = text.slice(url, selector)
    this.tags = text.slice(selector, tags)
    this.head = text.slice(tags)
    const status = cells[at + entryCells.status]!
    this.status = status & statusMask
    this.isMarkedStale = (status & isStaleBit) !== 0
    this.flags = cells[at + entryCells.flags]!
    this.bodyLength = cells[at + entryCells.bodyLength]! >>> 0
    const number = numberAt(this.ref, 0)
    this.responseTime = numbers[number]!
    this.initialAge = numbers[number + 1]!
    this.lifetime = numbers[number + 2]!
    this.staleWhileRevalidate = numbers[number + 3]!
    this.staleIfError = numbers[number + 4]!
    return true
  }

  /** Takes over what has just been stored. */
  fill(facts: EntryFacts, texts: EntryTexts, bodyLength: number): void {
    this.url = texts.url
    this.selector = texts.selector
    this.tags = texts.tags
    this.head = texts.head
    this.status = facts.status & statusMask
    this.flags = facts.flags
    this.bodyLength = bodyLength
    this.responseTime = facts.responseTime
    this.initialAge = facts.initialAge
    this.lifetime = facts.lifetime
    this.staleWhileRevalidate = facts.staleWhileRevalidate
    this.staleIfError = facts.staleIfError
  }

  /** The text of its body is known already. */
  keepText(text: string): void {
    if (text.length <= SMALL_BODY) this.bodyText = text
  }

  /** What its text adds to what it takes here. */
  get textBytes(): number {
    return this.bodyText === null ? 0 : this.bodyText.length
  }

  text(): string | null {
    if (this.bodyText !== null) return this.bodyText
    if (this.bodyLength > SMALL_BODY)
      throw new RangeError(`a body of ${this.bodyLength} bytes is not handed out as text`)
    const bytes = this.copy()
    if (bytes === null) return null
    this.bodyText = bytes
    if (this.kept !== null) this.thread.decoded.grow(this.kept, bytes.length)
    return bytes
  }

  open(): BodyReading | null {
    if (this.body === 0) {
      const text = this.text()
      return text === null ? null : new CopiedReading(Buffer.from(text, 'latin1'))
    }
    const pin = this.thread.pins.again(this.body, this.bodySerial) ?? this.pinBody()
    return pin === null ? null : new StoredReading(this.thread.pins, pin, this.bodyLength)
  }

  /** The body of an entry that is short enough, as text; null = it has gone. */
  private copy(): string | null {
    if (this.body !== 0) return this.copyHeld()
    const { cells, bytes } = this.thread.memory
    const version = this.shard.entries.versionCell(this.urlHash)
    for (let tries = 0; tries < 8; tries++) {
      const before = Atomics.load(cells, version)
      if (!this.shard.entries.has(this.ref, this.serial, this.urlHash)) {
        if (Atomics.load(cells, version) === before) return null
        continue
      }
      const from =
        this.ref * unitBytes + textsAt + this.url.length + this.selector.length + this.tags.length + this.head.length
      const text = bytes.latin1Slice(from, from + this.bodyLength)
      // An addition of nothing: what was read before it was read before it, on every processor.
      if (Atomics.add(cells, version, 0) === before) return text
    }
    return null
  }

  private copyHeld(): string | null {
    const reading = this.open()
    if (reading === null) return null
    let text = ''
    for (let bytes = reading.read(0); bytes !== null; bytes = reading.read(text.length)) text += bytes.latin1Slice()
    reading.release()
    return text
  }

  private pinBody() {
    const { shard } = this
    if (!shard.lock.take()) return null
    const isThere = shard.entries.has(this.ref, this.serial, this.urlHash)
    const isWhole = isThere && this.thread.memory.cells[this.body * unitCells + bodyCells.state] === 1
    const pin = isWhole ? this.thread.pins.take(shard, this.body) : null
    shard.lock.release()
    return pin
  }
}
