// What every command is given: where it writes, the version, whether a launcher watches over it.
import { basename, relative } from 'node:path'
import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

export interface CliContext {
  readonly terminal: Terminal
  readonly version: string
  /** How the user called the program: "frontdesk", or "node bin/frontdesk.js" in a checkout. */
  readonly command: string
  /** True when an older Node started this process and waits for it. */
  readonly launched: boolean
  /** The exit code, set by the command that ran. */
  exitCode: number
  /** It was a server, until it was told to stop. */
  hasServed?: boolean
}

/** The words with which this process was started, for hints that can be copied. */
export function commandName(script: string | undefined = process.argv[1]): string {
  if (script === undefined || basename(script) !== 'frontdesk.js') return 'frontdesk'
  const path = relative(process.cwd(), script)
  return `node ${path.startsWith('..') ? script : path}`
}

/** Makes `run` the action of a command; what it returns is the exit code. */
export function act<A extends unknown[]>(
  context: CliContext,
  command: Command,
  run: (...args: A) => Promise<number>,
): void {
  command.action(async (...args: unknown[]) => {
    context.exitCode = await run(...(args as A))
  })
}
