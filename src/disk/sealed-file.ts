// A file that is whole or not there: written beside its place and then renamed, with a checksum over all of it at its end.
import { crc32 } from 'node:zlib'
import { codeOf, type DiskFiles } from './files.ts'

const chunkBytes = 1024 * 1024
const trailerBytes = 16

export interface SealedFile {
  readonly files: DiskFiles
  readonly path: string
  /** What it begins with: whose it is, and which version. */
  readonly head: Buffer
}

/** @throws the system's error; then the old file is what it was. `durable`: it is on the medium before it gets its name. */
export async function writeSealed(
  { files, path, head }: SealedFile,
  body: Iterable<Uint8Array>,
  durable: boolean,
): Promise<void> {
  const temporary = `${path}.tmp`
  const fd = await files.open(temporary, 'new')
  try {
    let position = 0
    let sum = 0
    const write = async (bytes: Uint8Array): Promise<void> => {
      await files.write(fd, [bytes], position)
      position += bytes.length
      sum = crc32(bytes, sum)
    }
    await write(head)
    for (const bytes of body) await write(bytes)
    const trailer = Buffer.alloc(trailerBytes)
    trailer.writeDoubleLE(position, 0)
    trailer.writeUInt32LE(sum, 8)
    await write(trailer)
    if (durable) await files.sync(fd)
  } finally {
    await files.close(fd)
  }
  await files.rename(temporary, path)
}

/**
 * Hands the body over in pieces, with where each begins. False = it is damaged, of another version or not there, and what was
 * handed over is worth nothing. @throws the system's error where the disk fails.
 */
export async function readSealed(
  { files, path, head }: SealedFile,
  take: (bytes: Buffer, at: number) => void,
): Promise<boolean> {
  let fd: number
  try {
    fd = await files.open(path, 'read')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  try {
    const end = (await files.size(fd)) - trailerBytes
    if (end < head.length) return false
    const start = Buffer.alloc(head.length)
    if ((await files.read(fd, start, 0)) !== head.length || !start.equals(head)) return false
    let sum = crc32(start)
    for (let at = head.length; at < end; ) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - at))
      if ((await files.read(fd, bytes, at)) !== bytes.length) return false
      take(bytes, at - head.length)
      sum = crc32(bytes, sum)
      at += bytes.length
    }
    const trailer = Buffer.alloc(trailerBytes)
    await files.read(fd, trailer, end)
    return trailer.readDoubleLE(0) === end && trailer.readUInt32LE(8) === sum
  } finally {
    await files.close(fd)
  }
}
