// The index as a file, so that a start need not look at every record: written at the end, and now and then. A checksum tells
// a damaged one; then all records are looked at. It is a hint, as the index is: what it leads to is checked when it is read.
import { join } from 'node:path'
import type { DiskMemory } from '../state/cache-disk/disk-memory.ts'
import { sealedHead } from './ban-sum.ts'
import type { DiskFiles } from './files.ts'
import { readSealed, type SealedFile, writeSealed } from './sealed-file.ts'

export const checkpointName = 'index'
const fixedBytes = 16
const chunkBytes = 512 * 1024

function sealed(files: DiskFiles, memory: DiskMemory): SealedFile {
  return { files, path: join(memory.path, checkpointName), head: sealedHead('index', memory.secret) }
}

/** Records from position `from` on may be missing in it. @throws the system's error; then the old one is what it was. */
export function writeCheckpoint(files: DiskFiles, memory: DiskMemory, from: number): Promise<void> {
  return writeSealed(sealed(files, memory), bodyOf(memory, from), false)
}

function* bodyOf({ bytes, indexAt, sizes }: DiskMemory, from: number): Generator<Uint8Array> {
  const fixed = Buffer.alloc(fixedBytes)
  fixed.writeDoubleLE(from, 0)
  fixed.writeUInt32LE(sizes.sets, 8)
  yield fixed
  // A copy: the checksum must be that of what is written, while other threads go on.
  for (let at = indexAt; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes)
}

/** Takes the index over. Returns from where on records are to be looked at; null = from the first one. Never rejects. */
export async function readCheckpoint(files: DiskFiles, memory: DiskMemory): Promise<number | null> {
  const { bytes, indexAt, sizes } = memory
  let from: number | null = null
  try {
    const isWhole = await readSealed(sealed(files, memory), (part, at) => {
      if (at === 0 && part.readUInt32LE(8) === sizes.sets) from = part.readDoubleLE(0)
      if (from === null) return
      const start = Math.max(0, fixedBytes - at)
      bytes.set(part.subarray(start, start + bytes.length - indexAt), indexAt + at + start - fixedBytes)
    })
    if (isWhole && from !== null) return from
  } catch {
    // As with a damaged one.
  }
  bytes.fill(0, indexAt)
  return null
}
