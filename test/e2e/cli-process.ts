// Runs the command line as a user does: a real process, its output gathered, its end awaited.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { until, within } from '../support/wait.ts'

export const root = join(import.meta.dirname, '..', '..')
export const launcher = join(root, 'bin', 'frontdesk.js')

/** Starting Node, twice under an old one, takes a while on a busy machine. */
const START_DEADLINE_MS = 20_000

/** A Node below 24 from the machine itself, or undefined. */
export const oldNode: string | undefined = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !dir.includes('node_modules'))
  .map((dir) => join(dir, 'node'))
  .filter((path) => existsSync(path))
  .find(
    (path) => Number.parseInt(spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout, 10) < 24,
  )

export interface CliOptions {
  /** Default: the Node that runs the tests. */
  readonly node?: string
  readonly script?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** File descriptors that it gets as 3, 4, … */
  readonly descriptors?: readonly number[]
  /** In a process group of its own, as a shell starts it. */
  readonly detached?: boolean
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A started command. */
export class CliProcess {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess
  /** When the process has ended and nobody holds its output any more (its own child, say). */
  readonly closed: Promise<Ended>
  readonly #hasGroup: boolean
  #isClosed = false

  constructor(t: TestContext, args: readonly string[], o: CliOptions = {}) {
    this.#hasGroup = o.detached ?? false
    const { FORCE_COLOR: _, NODE_TEST_CONTEXT: __, ...env } = process.env
    this.child = spawn(o.node ?? process.execPath, [o.script ?? launcher, ...args], {
      cwd: o.cwd ?? root,
      // What is compiled for one start serves all others.
      env: { ...env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), NO_COLOR: '1', ...o.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(o.descriptors ?? [])],
      detached: this.#hasGroup,
    })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.closed = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.#isClosed = true
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
    t.after(() => {
      this.signal('SIGKILL')
      return this.closed
    })
  }

  /** Sends a signal to the process, or to its whole group where it has one; nothing once all of them have ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#isClosed || this.child.pid === undefined) return
    try {
      process.kill(this.#hasGroup ? -this.child.pid : this.child.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  ended(): Promise<Ended> {
    return within(`the end of the process; it said:\n${this.stdout}${this.stderr}`, this.closed, START_DEADLINE_MS)
  }

  /** Resolves with the match when stdout or stderr shows it. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null
    const shown = (): boolean => {
      match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      return match !== null || this.child.exitCode !== null
    }
    await until(`the process says ${pattern}`, shown, START_DEADLINE_MS)
    if (match === null) throw new Error(`ended without saying ${pattern}:\n${this.stdout}${this.stderr}`)
    return match
  }
}

/** Runs a command that ends by itself. */
export function cli(t: TestContext, args: readonly string[], o: CliOptions = {}): Promise<Ended> {
  return new CliProcess(t, args, o).ended()
}
