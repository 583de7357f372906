// The state file on disk: read once at start, then written whole for each change, one writer at a time.
// A save is acknowledged when the file and its folder are on the medium; a failed one leaves the old state in place.

import type { Log } from '../../core/log.ts'
import { errorCode, type FileSystem, nodeFileSystem } from './file-system.ts'
import { decodeState, encodeState } from './state-codec.ts'
import type { LegacyStateDocument, StateDocument } from './state-document.ts'
import { writeSynced } from './write-synced.ts'

/** The code of a StoreError when somebody else has written to the file. */
const changedByOthers = 'ECHANGED'

/** A change that did not reach the disk; `code` is the system's (`ENOSPC`, `EIO`, `EACCES`), or ours. */
export class StoreError extends Error {
  readonly code: string
  constructor(path: string, code: string) {
    const foreign = 'was changed by another program; give each Frontdesk a state_file of its own, then restart'
    super(`The state file ${path} ${code === changedByOthers ? foreign : `cannot be written (${code})`}`)
    this.name = 'StoreError'
    this.code = code
  }
}

export interface StateStoreOptions {
  /** Where the file is; its folder must exist. */
  readonly path: string
  readonly log: Log
  readonly fileSystem?: FileSystem
  /** For the name of a file kept aside; default the wall clock. */
  readonly now?: () => Date
}

/** What was found. */
export interface Opened {
  readonly store: StateStore
  readonly document: StateDocument | null
  /** In place of `document`: what an older version has written. */
  readonly legacy: LegacyStateDocument | null
}

export class StateStore {
  readonly path: string
  readonly #log: Log
  readonly #fs: FileSystem
  readonly #now: () => Date
  /** The text on disk as far as we know; null = no file. */
  #current: string | null = null
  /** What may be there instead, because undoing a failed save failed as well. */
  #doubtful: string | null = null
  /** Why nothing may be written: an unread file is in the way that could not be kept aside. */
  #blocked: string | null = null
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(options: StateStoreOptions) {
    this.path = options.path
    this.#log = options.log
    this.#fs = options.fileSystem ?? nodeFileSystem
    this.#now = options.now ?? (() => new Date())
  }

  /**
   * Reads the file. A missing one gives null. A torn, foreign or newer one is reported, renamed to
   * `<name>.broken-<time>` and gives null as well: start-up goes on from the configuration. Never throws.
   */
  static async open(options: StateStoreOptions): Promise<Opened> {
    const store = new StateStore(options)
    const found = await store.#read()
    return {
      store,
      document: found !== null && 'document' in found ? found.document : null,
      legacy: found !== null && 'legacy' in found ? found.legacy : null,
    }
  }

  /**
   * Writes the whole document, after all saves asked for before. Rejects with StoreError; the old state then remains.
   * A file that another process has written meanwhile is left as it is: what it has acknowledged would be lost.
   */
  save(document: StateDocument): Promise<void> {
    const text = encodeState(document)
    const result = this.#tail.then(() => this.#replace(text))
    this.#tail = result.catch(() => undefined)
    return result
  }

  /** Resolves when every save asked for so far has ended, well or not. */
  async settled(): Promise<void> {
    await this.#tail
  }

  async #read(): Promise<Exclude<ReturnType<typeof decodeState>, { problem: string }> | null> {
    let bytes: Buffer
    try {
      bytes = await this.#fs.readFile(this.path)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT') return null
      await this.#keepAside(`it cannot be read (${code})`)
      return null
    }
    const decoded = decodeState(bytes)
    if ('problem' in decoded) {
      await this.#keepAside(decoded.problem)
      return null
    }
    this.#current = bytes.toString('utf8')
    return decoded
  }

  async #keepAside(problem: string): Promise<void> {
    const stamp = this.#now().toISOString().replace(/[:.]/g, '-')
    const aside = `${this.path}.broken-${stamp}`
    try {
      await this.#fs.rename(this.path, aside)
    } catch (error) {
      const code = errorCode(error)
      this.#blocked = code
      const message = `state file ${this.path} is ignored: ${problem}. It could not be kept aside (${code}), so changes will be refused; move it away and restart`
      this.#log.event('error', 'state_file_blocked', message, { path: this.path, problem, code })
      return
    }
    const message = `state file ${this.path} is ignored: ${problem}. It is kept as ${aside}; starting from the configuration alone`
    this.#log.event('error', 'state_file_broken', message, { path: this.path, problem, aside })
  }

  async #replace(text: string): Promise<void> {
    if (this.#blocked !== null) throw new StoreError(this.path, this.#blocked)
    if (await this.#isChangedByOthers()) throw new StoreError(this.path, changedByOthers)
    let renamed = false
    try {
      await writeSynced(this.#fs, this.path, text, { onRenamed: () => (renamed = true) })
    } catch (error) {
      await this.#undo(renamed, text)
      throw new StoreError(this.path, errorCode(error))
    }
    this.#current = text
    this.#doubtful = null
  }

  /** A file that was removed, or cannot be read now, is nobody's: the write says whether it can be replaced. */
  async #isChangedByOthers(): Promise<boolean> {
    const bytes = await this.#fs.readFile(this.path).catch(() => null)
    const text = bytes?.toString('utf8')
    return text !== undefined && text !== this.#current && text !== this.#doubtful
  }

  /** Makes the disk agree with the error we are about to answer; what fails here is said, and mended by the next save. */
  async #undo(renamed: boolean, text: string): Promise<void> {
    try {
      if (!renamed) await this.#fs.unlink(`${this.path}.tmp`)
      else if (this.#current !== null) await writeSynced(this.#fs, this.path, this.#current)
      else await this.#fs.unlink(this.path)
    } catch (error) {
      const code = errorCode(error)
      if (!renamed && code === 'ENOENT') return
      if (renamed) this.#doubtful = text
      const message = `state file ${this.path}: a failed change could not be cleaned up (${code})`
      this.#log.event('warn', 'state_file_undo_failed', message, { path: this.path, code })
    }
  }
}
