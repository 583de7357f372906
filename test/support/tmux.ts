// A terminal that a test can type into and look at: tmux, with a server of its own.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { findProgram, skipWithout } from './peers.ts'

const run = promisify(execFile)

/** Starting Node takes a while on a busy machine. */
const DEADLINE_MS = 20_000

/** Why tests of the terminal are skipped, or false. */
export const skipTmux = skipWithout('tmux')

export interface TmuxOptions {
  readonly width?: number
  readonly height?: number
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** What runs in it; default a bare bash. Its end ends the terminal. */
  readonly command?: readonly string[]
}

export class Tmux {
  readonly #socket: string
  readonly #env: Readonly<Record<string, string>>

  static async start(t: TestContext, { width = 100, height = 24, cwd, env = {}, command }: TmuxOptions): Promise<Tmux> {
    const folder = mkdtempSync(join(tmpdir(), 'frontdesk-tmux-'))
    const tmux = new Tmux(join(folder, 'socket'), env)
    t.after(async () => {
      await tmux.#call('kill-server').catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    })
    const variables = Object.entries({ PS1: '$ ', NO_COLOR: '1', ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ])
    const shell = command ?? [findProgram('bash') ?? 'bash', '--norc', '--noprofile', '-i']
    const size = ['-x', String(width), '-y', String(height)]
    // bash takes what ~/.inputrc says for its keys otherwise.
    await tmux.#call(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-c',
      cwd,
      '-e',
      'INPUTRC=/dev/null',
      ...variables,
      ...shell,
    )
    return tmux
  }

  private constructor(socket: string, env: Readonly<Record<string, string>>) {
    this.#socket = socket
    this.#env = env
  }

  /** What stands on the screen, without blanks at the ends of lines. */
  async screen(): Promise<string> {
    return this.#call('capture-pane', '-p')
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#call('send-keys', '-l', text)
  }

  /** Presses keys by tmux's names: `Enter`, `Up`, `C-z`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#call('send-keys', ...keys)
  }

  /** Types a line. */
  async enter(line: string): Promise<void> {
    await this.type(line)
    await this.press('Enter')
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#call('resize-window', '-x', String(width), '-y', String(height))
  }

  /** Resolves with the screen once it shows this; looks again and again until a deadline. */
  async shows(pattern: RegExp): Promise<string> {
    const giveUpAt = performance.now() + DEADLINE_MS
    for (;;) {
      const screen = await this.screen()
      if (pattern.test(screen)) return screen
      if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${pattern} on the screen:\n${screen}`)
    }
  }

  async #call(...args: readonly string[]): Promise<string> {
    const { TMUX: _, ...outer } = process.env
    // What runs in it gets the PATH of whoever calls, whatever -e says.
    const env = { ...outer, ...this.#env, LC_ALL: 'C.UTF-8' }
    const { stdout } = await run('tmux', ['-u', '-S', this.#socket, ...args], { env })
    return stdout
  }
}
