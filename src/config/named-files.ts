// Files that a configuration names and whose content is a part of it: bodies of answers, and users. Each is read once.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { maxBodyBytes } from './schema/route/body.ts'

export interface NamedUser {
  readonly name: string
  readonly hash: string
  /** Line of the file, from 1. */
  readonly line: number
}

/** Told of what only a caller who may change things can have read. */
export const notInUse = 'is not in use: it takes the full token to have it read'

const failures: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; names are relative to the configuration file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'is a directory; name the file in it',
  EACCES: 'may not be read',
}

export class NamedFiles {
  readonly #folder: string
  readonly #readable: ReadonlySet<string> | null
  readonly #texts = new Map<string, string>()

  /**
   * `path`: of the configuration file, beside which names are meant; null = the working directory. `readable`: absolute names
   * of all that may be read; null = any.
   */
  constructor(path: string | null, readable: ReadonlySet<string> | null = null) {
    this.#folder = path === null ? process.cwd() : dirname(resolve(path))
    this.#readable = readable
  }

  /** Absolute names of those that have been read. */
  get names(): readonly string[] {
    return [...this.#texts.keys()]
  }

  /** The absolute name. */
  at(name: string): string {
    return resolve(this.#folder, name)
  }

  /** The text. Throws an `Error` whose message says what is wrong with the file. */
  read(name: string): string {
    const path = this.at(name)
    let text = this.#texts.get(path)
    if (this.#readable?.has(path) === false) throw new Error(notInUse)
    if (text === undefined) this.#texts.set(path, (text = readText(path)))
    return text
  }

  /** The users of a file with lines `user:hash`; empty lines and those that begin with `#` are passed over. Throws as `read`. */
  users(name: string): NamedUser[] {
    return this.read(name)
      .split(/\r?\n/)
      .flatMap((text, i) => {
        if (/^\s*(?:#|$)/.test(text)) return []
        const colon = text.indexOf(':')
        return [{ name: text.slice(0, Math.max(0, colon)), hash: text.slice(colon + 1).trimEnd(), line: i + 1 }]
      })
  }
}

function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new Error(failures[code] ?? `cannot be read (${code === '' ? message : code})`, { cause: error })
  }
  if (bytes.length > maxBodyBytes) throw new Error('is longer than 1MB')
  return bytes.toString('utf8')
}
