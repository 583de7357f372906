// What is wrong with a disk, in words.
import { codeOf } from './files.ts'

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its file system',
  EDQUOT: 'the quota is used up',
  EROFS: 'its file system is read-only',
  EIO: 'the disk reports errors',
  EACCES: 'this user may not do so',
  EPERM: 'this user may not do so',
  ENOENT: 'files of it, or the folder, have been removed',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
}

/** `/var/cache/x cannot be written to: no space is left on its file system (ENOSPC)`. */
export function problemText(error: unknown, done: string, path: string): string {
  const code = codeOf(error)
  const cause = causes[code]
  return `${path} cannot be ${done}: ${cause === undefined ? code : `${cause} (${code})`}`
}

/** Whether a disk may get over it by itself, or with somebody's help, while the program runs. */
export function mayPass(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE'].includes(codeOf(error))
}
