// How an entry lies in its chunk: cells, five numbers, then its texts one after another, then its body if that is short.
import type { CacheMemory } from './cache-memory.ts'
import { unitBytes, unitCells } from './geometry.ts'
import { kind } from './shard-cells.ts'
import type { EntryFacts, EntryTexts } from './types.ts'

/** Cells of an entry. */
export const entryCells = {
  kind: 0,
  /** Place of the next entry of its bucket. */
  next: 1,
  urlHash: 2,
  /** Of URL and selector. */
  keyHash: 3,
  /** Another one after every change. */
  serial: 4,
  prevQueued: 5,
  nextQueued: 6,
  /** Hits that no longer count for its eviction. */
  hitsBefore: 7,
  /** Status, and the bits below. */
  status: 8,
  flags: 9,
  urlLength: 10,
  selectorLength: 11,
  tagsLength: 12,
  headLength: 13,
  bodyLength: 14,
  /** Place of its body; 0 = it stands behind the texts. */
  body: 15,
} as const
const firstNumber = 8
/** Where the texts begin. */
export const textsAt = 104
/** Bits beside the status. */
export const statusMask = 0xffff
export const isStaleBit = 1 << 16
export const isMainBit = 1 << 17

/** Bytes of an entry without its body. */
export function entryBytes(texts: EntryTexts): number {
  return textsAt + texts.url.length + texts.selector.length + texts.tags.length + texts.head.length
}

/** Writes facts and texts into a chunk; links, hashes and body are others'. */
export function writeEntry(memory: CacheMemory, ref: number, facts: EntryFacts, texts: EntryTexts): void {
  const { cells, numbers, bytes } = memory
  const at = ref * unitCells
  cells[at + entryCells.status] = facts.status & statusMask
  cells[at + entryCells.flags] = facts.flags
  cells[at + entryCells.urlLength] = texts.url.length
  cells[at + entryCells.selectorLength] = texts.selector.length
  cells[at + entryCells.tagsLength] = texts.tags.length
  cells[at + entryCells.headLength] = texts.head.length
  const number = ref * 8 + firstNumber
  numbers[number] = facts.responseTime
  numbers[number + 1] = facts.initialAge
  numbers[number + 2] = facts.lifetime
  numbers[number + 3] = facts.staleWhileRevalidate
  numbers[number + 4] = facts.staleIfError
  let to = ref * unitBytes + textsAt
  bytes.latin1Write(texts.url, to, texts.url.length)
  to += texts.url.length
  bytes.latin1Write(texts.selector, to, texts.selector.length)
  to += texts.selector.length
  if (texts.tags !== '') bytes.latin1Write(texts.tags, to, texts.tags.length)
  to += texts.tags.length
  bytes.latin1Write(texts.head, to, texts.head.length)
}

/** Bytes of the texts of a chunk that may be anything by now; -1 = that is no entry. */
export function textLength(cells: Int32Array, at: number): number {
  const url = cells[at + entryCells.urlLength]!
  const selector = cells[at + entryCells.selectorLength]!
  const tags = cells[at + entryCells.tagsLength]!
  const head = cells[at + entryCells.headLength]!
  if ((url | selector | tags | head) < 0) return -1
  const total = url + selector + tags + head
  return total > 65536 || (cells[at] !== kind.entry && cells[at] !== kind.head) ? -1 : total
}

/** Where the inline body of an entry begins. */
export function inlineBodyAt(cells: Int32Array, ref: number): number {
  const at = ref * unitCells
  return (
    ref * unitBytes +
    textsAt +
    cells[at + entryCells.urlLength]! +
    cells[at + entryCells.selectorLength]! +
    cells[at + entryCells.tagsLength]! +
    cells[at + entryCells.headLength]!
  )
}

/** One number of an entry: 0 responseTime, 1 initialAge, 2 lifetime, 3 staleWhileRevalidate, 4 staleIfError. */
export function numberAt(ref: number, which: number): number {
  return ref * 8 + firstNumber + which
}

/** Whether a text stands there. */
export function isTextAt(bytes: Buffer, at: number, text: string): boolean {
  if (text.length > 64) return bytes.latin1Slice(at, at + text.length) === text
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}
