// The command line: arguments in, exit code out. The launcher calls `main` and exits with what it returns.
import { CommanderError } from 'commander'
import { ConfigError } from '../config/problem.ts'
import { readVersion } from '../supervisor/read-version.ts'
import { type CliContext, commandName } from './cli-context.ts'
import { CliError, ExitCode } from './exit-code.ts'
import { printableLines } from './printable.ts'
import { buildProgram, withDefaultCommand } from './program.ts'
import { plural, processTerminal, type Terminal } from './terminal.ts'
import { usageHint } from './usage-hint.ts'

/** Runs one command to its end. `launched`: another process started this one and waits for it. */
export async function main(argv: readonly string[], o: { launched: boolean }): Promise<number> {
  const terminal = processTerminal()
  const context: CliContext = {
    terminal,
    version: readVersion(),
    command: commandName(),
    launched: o.launched,
    exitCode: ExitCode.done,
  }
  const program = buildProgram(context)
  try {
    await program.parseAsync(withDefaultCommand(argv), { from: 'user' })
    // A server that was told to stop does, whoever does not read what it says.
    if (!context.hasServed) await terminal.flushed?.()
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) terminal.err(usageHint(error, argv, program, context.command))
    return report(error, terminal)
  }
}

/** Says what went wrong and how to mend it, in the words of whoever threw; returns the exit code. */
function report(error: unknown, terminal: Terminal): number {
  // Help and the version are thrown too; commander has already printed whatever there is to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage
  if (error instanceof CliError) {
    // What the other side has answered may be in it.
    terminal.err(`frontdesk: ${printableLines(error.message)}\n`)
    if (error.hint !== '') terminal.err(`${printableLines(error.hint).replace(/^/gm, '  ')}\n`)
    return error.exitCode
  }
  if (error instanceof ConfigError) {
    const inFile = error.problems.find(({ line }) => line > 0)
    const check = `frontdesk check ${error.inFiles ? '--connect ' : ''}-c`
    const next = inFile === undefined ? '' : `; mend it, then "${check} ${inFile.file}"`
    const count = plural(error.problems.length, 'problem')
    terminal.err(`${error.format()}\n\nfrontdesk: ${count} in the configuration${next}\n`)
    return ExitCode.invalidConfig
  }
  const known = error instanceof Error ? (error.stack ?? error.message) : String(error)
  terminal.err(`frontdesk: an error that should not happen; please report it with these lines:\n${known}\n`)
  return ExitCode.failed
}
