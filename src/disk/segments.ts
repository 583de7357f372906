// The files that records lie in: opened once for each thread and use, given back when they are removed or there are too many.
import { join } from 'node:path'
import type { LogHead } from '../state/cache-disk/log-head.ts'
import type { DiskFiles } from './files.ts'

const nameOf = /^(\d{12})\.segment$/

/** `000000000042.segment`. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(12, '0')}.segment`
}

/** The number of a segment's file; null = it is none. */
export function segmentOf(name: string): number | null {
  const [, digits] = nameOf.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}

/** Open files of a thread at most; each of those that are in use may be one more. */
const mostOpen = 32

interface OpenSegment {
  readonly segment: number
  readonly fd: Promise<number>
  users: number
}

export class Segments {
  readonly #files: DiskFiles
  readonly #folder: string
  readonly #head: LogHead
  /** By number, the one that was used last at the end. */
  readonly #reading = new Map<number, OpenSegment>()
  #writing: OpenSegment | null = null

  constructor(files: DiskFiles, folder: string, head: LogHead) {
    this.#files = files
    this.#folder = folder
    this.#head = head
  }

  path(segment: number): string {
    return join(this.#folder, segmentName(segment))
  }

  /** Reads so many bytes; fewer where the file ends, which it may do at any moment. */
  async read(segment: number, into: Buffer, offset: number): Promise<number> {
    const file = this.#toRead(segment)
    file.users++
    try {
      return await this.#files.read(await file.fd, into, offset)
    } catch (error) {
      if (this.#reading.get(segment) === file) this.#reading.delete(segment)
      throw error
    } finally {
      this.#leave(file, this.#reading.get(segment) !== file)
    }
  }

  /** Writes all of it, or rejects. A segment that was removed meanwhile stays so. For one writer at a time. */
  async write(segment: number, bytes: readonly Uint8Array[], offset: number): Promise<void> {
    if (this.#writing?.segment !== segment) {
      await this.#stopWriting()
      this.#writing = { segment, fd: this.#files.open(this.path(segment), 'write'), users: 0 }
    }
    const { fd } = this.#writing!
    try {
      await this.#files.write(await fd, bytes, offset)
    } catch (error) {
      await this.#stopWriting()
      throw error
    }
    if (segment < this.#head.oldest) await this.#files.remove(this.path(segment))
  }

  /** Makes room for this segment, then goes on to it. Several threads may be at it. */
  async advance(segment: number): Promise<void> {
    this.#head.forgetBelow(segment - this.#head.segments + 1)
    await this.removeForgotten()
    this.#head.advance(segment)
  }

  /** Takes away the files of all segments in which nothing is found any more. */
  async removeForgotten(): Promise<void> {
    const end = this.#head.oldest
    for (let segment = this.#head.removed; segment < end; segment++) await this.#files.remove(this.path(segment))
    this.#head.setRemoved(end)
  }

  /** Gives back files that are not there any more. */
  tidy(): void {
    const { oldest } = this.#head
    for (const file of [...this.#reading.values()]) if (file.segment < oldest) this.#drop(file)
  }

  async close(): Promise<void> {
    for (const file of [...this.#reading.values()]) this.#drop(file)
    await this.#stopWriting()
  }

  #toRead(segment: number): OpenSegment {
    const known = this.#reading.get(segment)
    const file = known ?? { segment, fd: this.#files.open(this.path(segment), 'read'), users: 0 }
    this.#reading.delete(segment)
    this.#reading.set(segment, file)
    for (const other of this.#reading.values()) {
      if (this.#reading.size <= mostOpen) break
      this.#drop(other)
    }
    return file
  }

  #drop(file: OpenSegment): void {
    this.#reading.delete(file.segment)
    if (file.users === 0) this.#shut(file)
  }

  #leave(file: OpenSegment, isDropped: boolean): void {
    file.users--
    if (isDropped && file.users === 0) this.#shut(file)
  }

  async #stopWriting(): Promise<void> {
    const file = this.#writing
    this.#writing = null
    if (file !== null) await this.#files.close(await file.fd).catch(() => undefined)
  }

  #shut(file: OpenSegment): void {
    // What could not be opened need not be closed; what cannot be closed is not ours any more.
    file.fd.then((fd) => this.#files.close(fd)).catch(() => undefined)
  }
}
