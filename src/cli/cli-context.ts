// What every command is given: where it writes, the version, whether a launcher watches over it.
import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

export interface CliContext {
  readonly terminal: Terminal
  readonly version: string
  /** True when an older Node started this process and waits for it. */
  readonly launched: boolean
  /** The exit code, set by the command that ran. */
  exitCode: number
}

/** Makes `run` the action of a command; what it returns is the exit code. */
export function act<A extends unknown[]>(context: CliContext, command: Command, run: (...args: A) => Promise<number>): void {
  command.action(async (...args: unknown[]) => {
    context.exitCode = await run(...(args as A))
  })
}
