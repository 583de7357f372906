// `--watch`: the configuration file, and the files that it names, are applied again whenever what is in them changes.
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FileWatch } from '../control/certificates/file-watch.ts'
import type { Log } from '../core/log.ts'

export interface ConfigWatchOptions {
  readonly log: Log
  /** The configuration file. */
  readonly path: string
  /** Further files, as the configuration that was read last names them. */
  readonly files: () => readonly string[]
  /** The text that is in force, if it is one: what was saved since counts as a change. */
  readonly text: string | null
  /** Applies it. What became of it is in the log; a rejection is no more than that. */
  readonly reload: () => Promise<unknown>
  /** How long a file must keep still: an editor may be in the middle of writing it. Default 100 ms. */
  readonly settleMs?: number
}

const defaultSettleMs = 100
/** A file that never rests is applied as it is at the end of this. */
const longestSettleMs = 3000
/** Times of files are those of the system's last tick. */
const clockGrainMs = 20

export class ConfigWatch {
  readonly #o: ConfigWatchOptions
  readonly #watch: FileWatch
  /** What was read last, by file. */
  #seen = new Map<string, string>()
  #busy: Promise<void> | null = null
  #again = false
  #closed = false

  private constructor(options: ConfigWatchOptions) {
    this.#o = options
    this.#watch = new FileWatch({
      onChange: () => void this.#look(),
      onProblem: (folder, code) => {
        const message = `changes of the configuration in ${folder} are not seen at once (${code}), but within a minute`
        options.log.event('warn', 'configuration_not_watched', message, { folder, code })
      },
    })
  }

  /** Resolves when changes are seen. */
  static async start(options: ConfigWatchOptions): Promise<ConfigWatch> {
    const watch = new ConfigWatch(options)
    const { path, text } = options
    await watch.#watch.follow(watch.#paths())
    watch.#seen = await watch.#contents()
    if (text !== null) watch.#seen.set(resolve(path), digestOf(text))
    options.log.event('info', 'watching', `${path} is watched: what is saved is applied`, { path })
    // It may have been saved between the first look at it and now.
    await watch.#look()
    return watch
  }

  close(): void {
    this.#closed = true
    this.#watch.close()
  }

  /** One look at a time, and one more for what happens meanwhile. */
  #look(): Promise<void> {
    this.#again = true
    this.#busy ??= this.#lookUntilStill().finally(() => {
      this.#busy = null
    })
    return this.#busy
  }

  async #lookUntilStill(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false
      const now = await this.#settled()
      if (this.#closed) return
      const sinceMs = Date.now()
      const isChanged = !isSame(now, this.#seen)
      if (isChanged) {
        this.#seen = now
        await this.#o.reload().catch(() => undefined)
      }
      // Links may lead elsewhere, and other files may be named: watched first, then read, so that nothing falls in between.
      await this.#watch.follow(this.#paths())
      if (isChanged) await this.#addNew(sinceMs)
    }
  }

  #paths(): string[] {
    return [...new Set([this.#o.path, ...this.#o.files()].map((path) => resolve(path)))]
  }

  /** As they are once they have been the same twice. */
  async #settled(): Promise<Map<string, string>> {
    const until = performance.now() + longestSettleMs
    let last = await this.#contents()
    for (;;) {
      await new Promise((done) => setTimeout(done, this.#o.settleMs ?? defaultSettleMs))
      const now = await this.#contents()
      if (isSame(now, last) || performance.now() > until || this.#closed) return now
      last = now
    }
  }

  /**
   * Files that are named since the last time; those known before keep what was seen of them. What was written to a new one
   * since it may have been read has not been seen, and what was written before it was watched may have told nobody.
   */
  async #addNew(sinceMs: number): Promise<void> {
    const now = await this.#contents()
    const seen = new Map<string, string>()
    for (const [path, digest] of now) {
      const known = this.#seen.get(path)
      const isLater = known === undefined && (await changedMs(path)) > sinceMs - clockGrainMs
      if (isLater || (known !== undefined && known !== digest)) this.#again = true
      seen.set(path, known ?? (isLater ? 'read before it was written' : digest))
    }
    this.#seen = seen
  }

  async #contents(): Promise<Map<string, string>> {
    const read = async (path: string): Promise<[string, string]> => [path, await contentOf(path)]
    return new Map(await Promise.all(this.#paths().map(read)))
  }
}

const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('base64')

/** A file that cannot be read is a state as any other. */
const contentOf = (path: string): Promise<string> =>
  readFile(path).then(digestOf, (error: NodeJS.ErrnoException) => `cannot be read: ${error.code ?? error.message}`)

const changedMs = (path: string): Promise<number> =>
  stat(path).then(
    ({ ctimeMs }) => ctimeMs,
    () => 0,
  )

const isSame = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([path, digest]) => b.get(path) === digest)
