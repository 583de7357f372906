// The few file operations the state file needs, as a seam: tests put failing disks behind it.

import * as fs from 'node:fs/promises'

/** A file or folder opened by `FileSystem.open`. */
export interface OpenFile {
  writeFile(text: string): Promise<void>
  /** fsync: returns when the data is on the medium. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What the state file does to the disk. Errors are Node's, with `code`. */
export interface FileSystem {
  readFile(path: string): Promise<Buffer>
  /**
   * `w` makes a new file, readable by the owner only; what was there goes, and a link is not followed. `r` opens a folder
   * so that it can be synced.
   */
  open(path: string, flags: 'w' | 'r'): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}

/** The real one. */
export const nodeFileSystem: FileSystem = {
  readFile: (path) => fs.readFile(path),
  async open(path, flags) {
    if (flags === 'r') return fs.open(path, flags)
    await fs.rm(path, { force: true })
    return fs.open(path, 'wx', 0o600)
  },
  rename: fs.rename,
  unlink: fs.unlink,
}

/** The system's code of an error (`ENOSPC`), or its message where it has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message
  return String(error)
}
