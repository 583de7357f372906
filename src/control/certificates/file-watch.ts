// Says that files may have changed. It watches folders, as files are replaced by renaming; those of every symbolic link on
// the way too, as that is how Kubernetes and ACME clients replace them.
import { type FSWatcher, watch } from 'node:fs'
import { lstat, readlink, stat } from 'node:fs/promises'
import { join, parse, resolve } from 'node:path'

export interface FileWatchOptions {
  /** Something happened to one of the files, or may have: they are to be read again. */
  readonly onChange: () => void
  /** A folder cannot be watched; its files are still looked at from time to time. Said once for each. */
  readonly onProblem: (folder: string, code: string) => void
  /** From the first event to `onChange`; default 150 ms: a pair is mostly replaced within that. */
  readonly delayMs?: number
  /** Between two looks where no event came; default 60 s. */
  readonly pollMs?: number
  /** Another way to watch a folder, for tests. */
  readonly watchFolder?: (folder: string) => FSWatcher
}

/** What matters in one folder. */
type Names = Set<string>

interface Watched {
  readonly watcher: FSWatcher
  /** The folder itself, not its name: another may have taken its place. */
  readonly identity: string
  names: Names
}

/** As many symbolic links are followed as Linux does. */
const MAX_LINKS = 40

export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #watched = new Map<string, Watched>()
  readonly #unwatchable = new Set<string>()
  #paths: readonly string[] = []
  #delay: NodeJS.Timeout | null = null
  #poll: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: FileWatchOptions) {
    this.#options = options
  }

  /** Folders that are watched now. */
  get folders(): readonly string[] {
    return [...this.#watched.keys()]
  }

  /**
   * Watches what these files depend on now, and nothing else. Has to be called before they are read, and again after
   * each change: links may lead elsewhere.
   */
  async follow(paths: readonly string[]): Promise<void> {
    this.#paths = paths
    const wanted = new Map<string, Names>()
    for (const path of new Set(paths)) await addFolders(path, wanted)
    if (this.#closed) return
    for (const [folder, { watcher }] of this.#watched) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#watched.delete(folder)
    }
    for (const [folder, names] of wanted) await this.#watch(folder, names)
    this.#schedulePoll()
  }

  close(): void {
    this.#closed = true
    for (const { watcher } of this.#watched.values()) watcher.close()
    this.#watched.clear()
    if (this.#delay !== null) clearTimeout(this.#delay)
    if (this.#poll !== null) clearTimeout(this.#poll)
  }

  async #watch(folder: string, names: Names): Promise<void> {
    const identity = await stat(folder).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      (error: NodeJS.ErrnoException) => {
        this.#failed(folder, error.code ?? error.message)
        return null
      },
    )
    const known = this.#watched.get(folder)
    if (known !== undefined && known.identity === identity) {
      known.names = names
      return
    }
    known?.watcher.close()
    this.#watched.delete(folder)
    if (this.#closed || identity === null) return
    try {
      const { watchFolder = watchedByNode } = this.#options
      const watcher = watchFolder(folder)
      const watched: Watched = { watcher, identity, names }
      watcher.on('change', (_event, name) => {
        // Its own end is told with its own name.
        if (name === null || watched.names.has(String(name)) || String(name) === parse(folder).base) this.#changed()
      })
      watcher.on('error', (error: NodeJS.ErrnoException) => {
        watcher.close()
        if (this.#watched.get(folder) === watched) this.#watched.delete(folder)
        this.#failed(folder, error.code ?? error.message)
      })
      this.#watched.set(folder, watched)
      this.#unwatchable.delete(folder)
    } catch (error) {
      this.#failed(folder, (error as NodeJS.ErrnoException).code ?? (error as Error).message)
    }
  }

  #failed(folder: string, code: string): void {
    // It went away just now: what is above it is watched at the next look, and says when it is back.
    if (code === 'ENOENT') this.#changed()
    else if (!this.#unwatchable.has(folder)) {
      this.#unwatchable.add(folder)
      this.#options.onProblem(folder, code)
    }
  }

  /** From the first event on, so that a folder that never rests is looked at too. */
  #changed(): void {
    if (this.#delay !== null || this.#closed) return
    this.#delay = setTimeout(() => {
      this.#delay = null
      this.#options.onChange()
    }, this.#options.delayMs ?? 150).unref()
  }

  #schedulePoll(): void {
    if (this.#poll !== null) clearTimeout(this.#poll)
    this.#poll = null
    if (this.#paths.length === 0 || this.#closed) return
    this.#poll = setTimeout(() => {
      this.#schedulePoll()
      this.#options.onChange()
    }, this.#options.pollMs ?? 60_000).unref()
  }
}

const watchedByNode = (folder: string): FSWatcher => watch(folder, { persistent: false })

/** Adds each folder in which a change could make `path` mean another file, with the names that matter in it. */
async function addFolders(path: string, wanted: Map<string, Names>): Promise<void> {
  const add = (folder: string, name: string): void => {
    const names = wanted.get(folder) ?? new Set()
    wanted.set(folder, names.add(name))
  }
  let rest = parts(resolve(path))
  let folder = parse(resolve(path)).root
  for (let links = 0; rest.length > 0; ) {
    const [name, ...after] = rest as [string, ...string[]]
    const found = await kindOf(join(folder, name))
    // The last one that is there says when the next one comes. The file itself is replaced in its folder.
    if (found === null || after.length === 0 || found.isLink) add(folder, name)
    if (found === null) return
    if (!found.isLink) {
      folder = join(folder, name)
      rest = after
    } else {
      if ((links += 1) > MAX_LINKS) return
      const target = resolve(folder, found.target)
      rest = [...parts(target), ...after]
      folder = parse(target).root
    }
  }
}

const parts = (path: string): string[] => path.slice(parse(path).root.length).split(/[/\\]/).filter(Boolean)

async function kindOf(path: string): Promise<{ isLink: true; target: string } | { isLink: false } | null> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { isLink: false }
    return { isLink: true, target: await readlink(path) }
  } catch {
    return null
  }
}
