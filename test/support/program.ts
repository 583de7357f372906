// The whole program as a process of its own, with its configuration in a folder of its own.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CliProcess, launcher } from '../e2e/cli-process.ts'

/** An event as the program logs it on a pipe: one JSON object a line. */
export interface ProgramEvent {
  readonly level: string
  readonly event: string
  readonly message: string
  readonly [field: string]: unknown
}

/** Starting the whole program takes a while on a busy machine. */
const START_DEADLINE_MS = 20_000

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function writeConfig(dir: string, config: Readonly<Record<string, unknown>>): void {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
}

export interface ProgramOptions {
  readonly workers?: number
  /** Limit on open files, hard and soft. */
  readonly descriptors?: number
}

/** `frontdesk run` in a folder with a config.json, on free ports. */
export class Program extends CliProcess {
  port = 0
  adminPort = 0

  static async start(t: TestContext, dir: string, o: ProgramOptions = {}): Promise<Program> {
    const program = new Program(t, dir, o)
    const started = await program.event('started')
    program.port = (started.listeners as { port: number }[])[0]!.port
    program.adminPort = Number(new URL(String(started.admin)).port)
    return program
  }

  private constructor(t: TestContext, dir: string, { workers = 2, descriptors }: ProgramOptions) {
    const args = ['--port', '0', '--admin-port', '0', '--workers', String(workers)]
    if (descriptors === undefined) super(t, args, { cwd: dir })
    else {
      const limited = `ulimit -n ${descriptors}; exec "$0" "$@"`
      super(t, [limited, process.execPath, launcher, ...args], { cwd: dir, node: 'bash', script: '-c' })
    }
  }

  events(name: string): ProgramEvent[] {
    const lines = `${this.stdout}${this.stderr}`
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
    return lines.map((line) => JSON.parse(line) as ProgramEvent).filter(({ event }) => event === name)
  }

  /** Resolves with the nth event of that name (from 1). */
  async event(name: string, nth = 1): Promise<ProgramEvent> {
    const giveUp = AbortSignal.timeout(START_DEADLINE_MS)
    const isOver = (): boolean => giveUp.aborted || this.child.exitCode !== null
    while (this.events(name).length < nth && !isOver()) await this.#output(giveUp)
    const found = this.events(name)[nth - 1]
    if (found === undefined) throw new Error(`no event ${name} no. ${nth}; it said:\n${this.stdout}${this.stderr}`)
    return found
  }

  /** Resolves when more output has come, or none will. */
  async #output(giveUp: AbortSignal): Promise<void> {
    const { stdout, stderr } = this.child
    const some = [stdout!, stderr!].map((stream) => once(stream, 'data', { signal: giveUp }))
    await Promise.race([...some, once(this.child, 'exit', { signal: giveUp })]).catch(() => undefined)
  }
}
