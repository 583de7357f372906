// The files in which bans are written down, one after the other, by all threads: each ban is one write to the end of the file
// that is written to now. The main thread begins a new one now and then, when all that was banned is in the file of their sum.
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Ban } from '../state/cache-disk/bans.ts'
import type { LogHead } from '../state/cache-disk/log-head.ts'
import type { DiskFiles } from './files.ts'

const nameOf = /^bans\.(\d{1,9})\.log$/

/** `bans.7.log`. */
export function banFileName(file: number): string {
  return `bans.${file}.log`
}

/** The number of such a file; null = it is none. */
export function banFileOf(name: string): number | null {
  const [, digits] = nameOf.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}

const fixedBytes = 40
const at = { checksum: 0, textLength: 4, kind: 8, soft: 9, number: 16, hi: 24, lo: 28, segment: 32 } as const
const kinds = ['hash', 'prefix', 'all'] as const

export function encodeBan({ number, soft, what }: Ban): Buffer {
  const prefix = what.kind === 'prefix' ? what.prefix : ''
  const bytes = Buffer.alloc(fixedBytes + prefix.length)
  bytes.writeUInt32LE(prefix.length, at.textLength)
  bytes[at.kind] = kinds.indexOf(what.kind)
  bytes[at.soft] = soft ? 1 : 0
  bytes.writeDoubleLE(number, at.number)
  if (what.kind === 'hash') {
    bytes.writeUInt32LE(what.hi, at.hi)
    bytes.writeUInt32LE(what.lo, at.lo)
  }
  if (what.kind === 'prefix') bytes.writeDoubleLE(what.segment, at.segment)
  bytes.latin1Write(prefix, fixedBytes)
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), at.checksum)
  return bytes
}

/**
 * Reads a file of bans. Null = it is damaged: nobody knows what was banned. A ban that stands there in part, or zeros, at the
 * end are no damage: that one was never acknowledged.
 */
export function decodeBans(bytes: Buffer): Ban[] | null {
  const bans: Ban[] = []
  for (let next = 0; next + fixedBytes <= bytes.length; ) {
    const end = next + fixedBytes + bytes.readUInt32LE(next + at.textLength)
    if (isZero(bytes, next)) return bans
    if (end > bytes.length) return bytes.length - next < longestBan ? bans : null
    const one = bytes.subarray(next, end)
    const kind = kinds[one[at.kind]!]
    if (crc32(one.subarray(4)) !== one.readUInt32LE(at.checksum) || kind === undefined) return null
    bans.push({ number: one.readDoubleLE(at.number), soft: one[at.soft] === 1, what: readWhat(kind, one) })
    next = end
  }
  return bans
}

/** Far longer than any URL that is served. */
const longestBan = 256 * 1024

function readWhat(kind: (typeof kinds)[number], one: Buffer): Ban['what'] {
  if (kind === 'hash') return { kind, hi: one.readUInt32LE(at.hi), lo: one.readUInt32LE(at.lo) }
  if (kind === 'all') return { kind }
  return { kind, prefix: one.latin1Slice(fixedBytes), segment: one.readDoubleLE(at.segment) }
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

/** One thread's way to write bans down. */
export class BanLog {
  readonly #files: DiskFiles
  readonly #folder: string
  readonly #head: LogHead
  readonly #onFailure: (error: unknown) => void
  #fd: number | null = null
  #file = -1
  #waiting: Buffer[] = []
  /** Who wants to know when what waits is on the medium. */
  #asked: PromiseWithResolvers<void>[] = []
  #run: Promise<void> | null = null

  /** `onFailure`: bans could not be written. */
  constructor(files: DiskFiles, folder: string, head: LogHead, onFailure: (error: unknown) => void) {
    this.#files = files
    this.#folder = folder
    this.#head = head
    this.#onFailure = onFailure
  }

  /** Written soon: at once, or with all others that come until the write under way has ended. */
  add(ban: Ban): void {
    this.#waiting.push(encodeBan(ban))
    this.#run ??= this.#writeAll()
  }

  /** Resolves when it is on the medium; rejects with the system's error. */
  addDurably(ban: Ban): Promise<void> {
    this.#waiting.push(encodeBan(ban))
    return this.sync()
  }

  /** Resolves when all that was written by any thread until now is on the medium. */
  sync(): Promise<void> {
    const asked = Promise.withResolvers<void>()
    this.#asked.push(asked)
    this.#run ??= this.#writeAll()
    return asked.promise
  }

  async close(): Promise<void> {
    await this.#run
    await this.#shut()
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#asked.length > 0) {
      const bytes = this.#waiting
      const asked = this.#asked
      this.#waiting = []
      this.#asked = []
      try {
        await this.#write(bytes, asked.length > 0)
        for (const { resolve } of asked) resolve()
      } catch (error) {
        for (const { reject } of asked) reject(error)
        if (bytes.length > 0) this.#onFailure(error)
      }
    }
    this.#run = null
  }

  async #write(bytes: readonly Buffer[], isDurable: boolean): Promise<void> {
    await this.#openCurrent()
    if (bytes.length > 0) {
      const all = bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes)
      await this.#files.write(this.#fd!, [all], null)
      this.#head.countBanBytes(all.length)
    }
    if (isDurable) await this.#files.sync(this.#fd!)
  }

  async #openCurrent(): Promise<void> {
    const file = this.#head.banFile
    if (this.#fd !== null && this.#file === file) return
    await this.#shut()
    this.#fd = await this.#files.open(join(this.#folder, banFileName(file)), 'append')
    this.#file = file
  }

  async #shut(): Promise<void> {
    const fd = this.#fd
    this.#fd = null
    if (fd !== null) await this.#files.close(fd).catch(() => undefined)
  }
}
