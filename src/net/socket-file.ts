// The file of a Unix socket that is listened on: never in two hands, never with other permissions than it should have,
// and taken away by whoever put it there.
import {
  type BigIntStats,
  chmodSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'

/** `sun_path` of unix(7), without the closing zero; Node says no more than EINVAL of what is longer. */
const MAX_PATH_BYTES = 107

type Identity = Pick<BigIntStats, 'dev' | 'ino'>

/**
 * Looks whether a socket may be put at this path. Returns what is left there by a program that has ended, or null where
 * nothing is. Rejects with EADDRINUSE if somebody listens there, with ENOTSOCK if it is the name of anything else than a
 * socket, else with the system's error.
 */
export async function checkSocketPath(path: string): Promise<Identity | null> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw failure('ENAMETOOLONG', path)
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) {
    // A folder that is not there is said now.
    statSync(dirname(path))
    return null
  }
  if (!stats.isSocket()) throw failure('ENOTSOCK', path)
  const code = await tryToConnect(path)
  if (code === 'ECONNREFUSED') return stats
  if (code === 'ENOENT') return null
  throw failure(code === 'EACCES' || code === 'EPERM' ? code : 'EADDRINUSE', path)
}

export class SocketFile {
  readonly #path: string
  readonly #identity: Identity

  private constructor(path: string, identity: Identity) {
    this.#path = path
    this.#identity = identity
  }

  /**
   * Has a socket bound by `bind` and puts it at `path`; what a dead program left there is replaced. It is bound in a
   * folder that nobody else may enter, given its permissions there, and only then linked to where clients look: at no
   * moment could somebody connect whom `mode` shuts out. `mode` null = what the umask gives.
   * `takeOver`: what is there is a socket of ours that loses its name. Rejects as `checkSocketPath` does; the caller then
   * closes what it has bound.
   */
  static async create(
    path: string,
    mode: number | null,
    bind: (path: string) => Promise<void>,
    takeOver = false,
  ): Promise<SocketFile> {
    let stale = takeOver ? socketAt(path) : await checkSocketPath(path)
    const folder = mkdtempSync(`${dirname(path)}/.`)
    try {
      const bound = join(folder, 's')
      if (Buffer.byteLength(bound) > MAX_PATH_BYTES) throw failure('ENAMETOOLONG', path)
      await bind(bound)
      if (mode !== null) chmodSync(bound, mode)
      while (!moveTo(bound, path, stale)) stale = takeOver ? socketAt(path) : await checkSocketPath(path)
      return new SocketFile(path, lstatSync(path, { bigint: true }))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** `mode` null = what the umask gives. Throws the system's error. */
  setMode(mode: number | null): void {
    if (isSame(lstatSync(this.#path, { bigint: true }), this.#identity)) chmodSync(this.#path, mode ?? 0o777 & ~umask())
  }

  /** Removes the file, unless it is somebody else's by now. Call it before the socket is closed: no client finds it dead. */
  remove(): void {
    try {
      if (isSame(lstatSync(this.#path, { bigint: true }), this.#identity)) unlinkSync(this.#path)
    } catch {
      // Gone already, or in a folder that became read-only: the next one to listen there will see that nobody does.
    }
  }
}

const umask = (): number => process.umask()

/** Null = nothing is there. @throws ENOTSOCK if it is anything else than a socket. */
function socketAt(path: string): Identity | null {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats !== undefined && !stats.isSocket()) throw failure('ENOTSOCK', path)
  return stats ?? null
}

/** False: the path has changed hands since it was looked at. A socket keeps working under its new name. */
function moveTo(bound: string, path: string, stale: Identity | null): boolean {
  if (stale === null) {
    try {
      // Unlike a rename this fails where something has appeared meanwhile.
      linkSync(bound, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      // A file system without hard links.
      renameSync(bound, path)
    }
  } else {
    const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (now !== undefined && !isSame(now, stale)) return false
    renameSync(bound, path)
  }
  return true
}

function isSame(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino
}

/** The error code, or '' if somebody answers. */
function tryToConnect(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve('')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`listen ${code} ${path}`), { code, syscall: 'listen', path })
}
