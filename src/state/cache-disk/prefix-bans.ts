// The prefixes that were purged, as a list that the main thread writes and all threads read: odd versions are being written.
import { type DiskMemory, prefixBytes, shared32, shared64 } from './disk-memory.ts'

export interface PrefixBan {
  readonly number: number
  readonly soft: boolean
  /** latin1. */
  readonly prefix: string
  /** The youngest segment at that time: nothing beyond it is meant. */
  readonly segment: number
}

/** Number, segment, length with softness. */
const fixedBytes = 20

export class PrefixBans {
  readonly #memory: DiskMemory
  readonly #bytes: Buffer
  #version = 0
  #list: readonly PrefixBan[] = []

  constructor(memory: DiskMemory) {
    this.#memory = memory
    this.#bytes = Buffer.from(memory.bytes.buffer, memory.prefixesAt, prefixBytes)
  }

  /** Null = it is being written now. */
  read(): readonly PrefixBan[] | null {
    const { i32 } = this.#memory
    const version = Atomics.load(i32, shared32.prefixVersion)
    if (version === this.#version) return this.#list
    if (version % 2 !== 0) return null
    const list = this.#decode(i32[shared32.prefixLength]!)
    if (Atomics.load(i32, shared32.prefixVersion) !== version) return null
    this.#list = list
    this.#version = version
    return list
  }

  /** For the main thread. Those whose records are gone are left out; returns those that found no room, the oldest. */
  add(ban: PrefixBan): PrefixBan[] {
    const oldest = this.#memory.load(shared64.oldest)
    const list = [...(this.read() ?? []).filter(({ segment }) => segment >= oldest), ban]
    const overflow: PrefixBan[] = []
    let bytes = list.reduce((sum, { prefix }) => sum + fixedBytes + prefix.length, 0)
    while (bytes > prefixBytes) {
      const first = list.shift()!
      overflow.push(first)
      bytes -= fixedBytes + first.prefix.length
    }
    this.#write(list)
    return overflow
  }

  #write(list: readonly PrefixBan[]): void {
    const { i32 } = this.#memory
    Atomics.add(i32, shared32.prefixVersion, 1)
    let at = 0
    for (const { number, soft, prefix, segment } of list) {
      this.#bytes.writeDoubleLE(number, at)
      this.#bytes.writeDoubleLE(segment, at + 8)
      this.#bytes.writeUInt32LE(prefix.length * 2 + (soft ? 1 : 0), at + 16)
      this.#bytes.latin1Write(prefix, at + fixedBytes)
      at += fixedBytes + prefix.length
    }
    i32[shared32.prefixLength] = at
    Atomics.add(i32, shared32.prefixVersion, 1)
  }

  #decode(length: number): PrefixBan[] {
    const list: PrefixBan[] = []
    for (let at = 0; at + fixedBytes <= length; ) {
      const packed = this.#bytes.readUInt32LE(at + 16)
      const end = at + fixedBytes + (packed >>> 1)
      // Only while it is being written over.
      if (end > prefixBytes) break
      list.push({
        number: this.#bytes.readDoubleLE(at),
        segment: this.#bytes.readDoubleLE(at + 8),
        soft: packed % 2 === 1,
        prefix: this.#bytes.latin1Slice(at + fixedBytes, end),
      })
      at = end
    }
    return list
  }
}
