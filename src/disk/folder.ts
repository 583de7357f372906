// The folder of the disk tier: made if it is not there, of one process at a time, and nobody else's to write to.
import { randomBytes } from 'node:crypto'
import { access, constants, lstat, mkdir, open, readFile, realpath, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Log } from '../core/log.ts'
import { SocketFile } from '../net/socket-file.ts'
import { banFileOf } from './ban-log.ts'
import { banSumName } from './ban-sum.ts'
import { checkpointName } from './checkpoint.ts'
import { DiskError } from './disk-error.ts'
import { codeOf, type DiskFiles } from './files.ts'
import { recordVersion } from './record.ts'
import { segmentOf } from './segments.ts'

const formatName = 'format'
const lockName = 'lock'

/** What the file `format` says: without it, or with another version, nothing in the folder means anything. */
export interface FolderFormat {
  readonly segmentBytes: number
  /** Four u32. */
  readonly secret: readonly number[]
}

/** @throws DiskError where it cannot be a folder of ours. Returns its real path. */
export async function prepareFolder(path: string): Promise<string> {
  try {
    await makeFolder(path)
    const real = await realpath(path)
    await access(real, constants.R_OK | constants.W_OK | constants.X_OK)
    const { mode, uid } = await stat(real)
    const user = process.getuid?.() ?? uid
    if (uid !== user && uid !== 0) throw refused('EPERM', path, `it belongs to user ${uid}, and this is user ${user}`)
    if ((mode & 0o022) !== 0) throw refused('EPERM', path, 'others may write to it; take that from them (chmod go-w)')
    return real
  } catch (error) {
    if (error instanceof DiskError) throw error
    const code = codeOf(error)
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is not a folder' : `it cannot be made or used (${code})`
    throw new DiskError(code, refused(code, path, `${why}; name another, or mend its permissions`).message, {
      cause: error,
    })
  }
}

/**
 * With all that is above it. Node's own (`recursive`) tries for ever where the system says of a folder that is there that it is not,
 * as Linux does of any in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path) throw error
    await makeFolder(above)
    // Somebody else may have made it meanwhile.
    await mkdir(path, { mode: 0o700 }).catch((again) => {
      if (codeOf(again) !== 'EEXIST') throw again
    })
  }
}

function refused(code: string, path: string, why: string): DiskError {
  return new DiskError(code, `cache_store.disk cannot use ${path}: ${why}`)
}

interface FolderLock {
  /** Rejects with the system's error (ENOENT) if the folder, or what says that it is taken, is not there any more. */
  check(): Promise<void>
  release(): Promise<void>
}

/** A folder that is taken. */
export interface HeldFolder extends FolderLock {
  /** Makes it and takes it again if it, or all that was in it, has been taken away. False = it has not. Rejects where it cannot be used. */
  regain(): Promise<boolean>
}

/** Takes the folder for this process. @throws DiskError EBUSY if another one has it. */
export async function holdFolder(path: string, log: Log, files: DiskFiles): Promise<HeldFolder> {
  let lock = await lockFolder(path, log)
  return {
    check: () => lock.check(),
    async regain() {
      const isThere = await lock.check().then(
        () => true,
        () => false,
      )
      if (isThere) return false
      await prepareFolder(path)
      await readFormat(files, path)
      const before = lock
      lock = await lockFolder(path, log)
      await before.release()
      return true
    },
    release: () => lock.release(),
  }
}

/** Says that the folder is taken, as long as the process lives, however it ends: a socket in it that is listened on. */
async function lockFolder(path: string, log: Log): Promise<FolderLock> {
  // The kernel takes no long paths for sockets; this is a short one for the same folder.
  const folder = await open(path, 'r')
  const server = createServer((socket) => socket.destroy())
  const bind = (at: string): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(at, resolve)
    })
  let file: SocketFile | null = null
  try {
    const base = Buffer.byteLength(path) > 80 ? `/proc/self/fd/${folder.fd}` : path
    file = await SocketFile.create(join(base, lockName), 0o600, bind)
    server.unref()
  } catch (error) {
    server.close()
    const code = codeOf(error)
    if (code === 'EADDRINUSE') {
      await folder.close()
      throw refused('EBUSY', path, 'another process uses it; stop that one, or give each a folder of its own')
    }
    const message = `cache: nobody can be kept from using ${path} a second time (${code}): see to it that one process does`
    log.event('warn', 'cache_disk_unlocked', message, { path, code })
  }
  return {
    async check() {
      const [now, taken] = await Promise.all([stat(path, { bigint: true }), folder.stat({ bigint: true })])
      if (now.ino !== taken.ino || now.dev !== taken.dev)
        throw Object.assign(new Error(`another folder is at ${path}`), { code: 'ENOENT' })
      if (file !== null) await lstat(join(path, lockName))
    },
    async release() {
      file?.remove()
      server.close()
      await folder.close()
    },
  }
}

/** Whether a file is one of ours that may be removed. */
function isOurs(name: string): boolean {
  const plain = name.replace(/\.tmp$/, '')
  if ([formatName, banSumName, checkpointName].includes(plain)) return true
  return segmentOf(plain) !== null || banFileOf(plain) !== null
}

/** What is there: of our format, or null for a new folder. @throws DiskError if files of others are in it. */
export async function readFormat(files: DiskFiles, path: string): Promise<FolderFormat | null> {
  const format = parseFormat(await readFile(join(path, formatName), 'utf8').catch(() => ''))
  if (format !== null) return format
  const names = await files.list(path)
  const foreign = names.find((name) => !isOurs(name) && name !== lockName && name !== 'lost+found' && name[0] !== '.')
  if (foreign === undefined) return null
  throw refused('ENOTEMPTY', path, `there are other files in it (${foreign}); name an empty folder, or one of a cache`)
}

function parseFormat(text: string): FolderFormat | null {
  try {
    const { format, version, segmentBytes, secret } = JSON.parse(text) as Record<string, unknown>
    const isWord = (word: unknown): boolean => Number.isInteger(word) && (word as number) >= 0
    if (format !== 'frontdesk-cache' || version !== recordVersion || !Number.isSafeInteger(segmentBytes)) return null
    if (!Array.isArray(secret) || secret.length !== 4 || !secret.every(isWord)) return null
    return { segmentBytes: segmentBytes as number, secret: secret as number[] }
  } catch {
    return null
  }
}

/** Says what the folder is from now on. @throws the system's error. */
export async function writeFormat(files: DiskFiles, path: string, format: FolderFormat): Promise<void> {
  const text = `${JSON.stringify({ format: 'frontdesk-cache', version: recordVersion, ...format })}\n`
  const temporary = join(path, `${formatName}.tmp`)
  const fd = await files.open(temporary, 'new')
  try {
    await files.write(fd, [Buffer.from(text)], 0)
    await files.sync(fd)
  } finally {
    await files.close(fd)
  }
  await files.rename(temporary, join(path, formatName))
}

/** Removes what is ours, and nothing else. @throws the system's error. */
export async function emptyFolder(files: DiskFiles, path: string): Promise<void> {
  const names = (await files.list(path)).filter(isOurs)
  // What says that the others mean something goes first.
  names.sort((a, b) => Number(b.startsWith(formatName)) - Number(a.startsWith(formatName)))
  for (const name of names) await files.remove(join(path, name))
}

/** Makes names durable. */
export async function syncFolder(files: DiskFiles, path: string): Promise<void> {
  const fd = await files.open(path, 'read')
  try {
    await files.sync(fd)
  } finally {
    await files.close(fd)
  }
}

export function newSecret(): number[] {
  const bytes = randomBytes(16)
  return [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at))
}
