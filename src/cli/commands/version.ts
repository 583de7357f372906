// `frontdesk version`.
import type { Command } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'

export function defineVersion(program: Command, context: CliContext): void {
  const command = program
    .command('version')
    .description('print the version of Frontdesk and of Node')
    .addOption(shared.json())
  act(context, command, async (o: { json?: true }) => {
    const version = {
      version: context.version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    }
    const text = `frontdesk ${version.version} · node ${version.node} · ${version.platform}`
    context.terminal.out(`${o.json ? JSON.stringify(version) : text}\n`)
    return ExitCode.done
  })
}
