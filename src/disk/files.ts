// What the disk tier does to files, as a seam: tests put failing disks behind it. Errors are Node's, with `code`.
import * as fs from 'node:fs'
import { promisify } from 'node:util'

/** Descriptors are plain numbers: Node closes those of a worker that ends, however it ends. */
export interface DiskFiles {
  /** `read`; `write` where it was left off, made if it is not there; `append`; `new` in place of what is there. No link is followed. */
  open(path: string, how: 'read' | 'write' | 'append' | 'new'): Promise<number>
  /** Returns how many bytes there were. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>
  /** All of it, or it rejects. `position` null = where the file ends. */
  write(fd: number, bytes: readonly Uint8Array[], position: number | null): Promise<void>
  /** Returns when the data is on the medium. */
  sync(fd: number): Promise<void>
  close(fd: number): Promise<void>
  size(fd: number): Promise<number>
  rename(from: string, to: string): Promise<void>
  /** Takes a file away and gives its bytes back at once, also where somebody reads it still. Nothing there is fine. */
  remove(path: string): Promise<void>
  list(folder: string): Promise<string[]>
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants
/** Windows has no such flag. */
const noFollow = O_NOFOLLOW ?? 0
const flags = {
  read: O_RDONLY | noFollow,
  write: O_WRONLY | O_CREAT | noFollow,
  append: O_WRONLY | O_CREAT | O_APPEND | noFollow,
  new: O_WRONLY | O_CREAT | O_EXCL | noFollow,
} as const

const open = promisify(fs.open)
const read = promisify(fs.read)
const writev = promisify(fs.writev)
const unlink = promisify(fs.unlink)
const ftruncate = promisify(fs.ftruncate)
const close = promisify(fs.close)
const fstat = promisify(fs.fstat)

/** The real ones. */
export const nodeFiles: DiskFiles = {
  async open(path, how) {
    if (how === 'new') await unlink(path).catch(ignoreMissing)
    return open(path, flags[how], 0o600)
  },
  async read(fd, into, position) {
    return (await read(fd, into, 0, into.length, position)).bytesRead
  },
  async write(fd, bytes, position) {
    const total = bytes.reduce((sum, part) => sum + part.length, 0)
    // `undefined` is what promisify's type has no word for: the place where the file ends.
    const { bytesWritten } = await writev(fd, bytes as Uint8Array[], position as number)
    if (bytesWritten === total) return
    // A full disk takes what it can. Nobody reads the part.
    throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
  },
  sync: promisify(fs.fdatasync),
  close,
  async size(fd) {
    return (await fstat(fd)).size
  },
  rename: promisify(fs.rename),
  async remove(path) {
    await cut(path).catch(() => undefined)
    await unlink(path).catch(ignoreMissing)
  },
  list: (folder) => fs.promises.readdir(folder),
}

/** Never through a link. */
async function cut(path: string): Promise<void> {
  const fd = await open(path, O_WRONLY | noFollow)
  await ftruncate(fd, 0).finally(() => close(fd))
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error
}

/** The system's code of an error (`ENOSPC`), or its message where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
}
