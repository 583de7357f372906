// `frontdesk check`: is a configuration right, what does it mean, and can its backends be reached?
import type { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { act, type CliContext } from '../cli-context.ts'
import { type Reached, tryBackends } from '../connect-check.ts'
import { ExitCode } from '../exit-code.ts'
import { DEFAULT_CONFIG_FILE, option, shared } from '../options.ts'
import { plural, table } from '../terminal.ts'

interface Options {
  readonly config?: string
  readonly expanded?: true
  readonly connect?: true
  readonly json?: true
}

const examples = `
Exit codes: 0 valid, 78 invalid; with --connect 1 when a backend cannot be reached.

Examples:
  frontdesk check
  frontdesk check -c config.json --connect
  frontdesk check --expanded > long.json           short forms written out, every default filled in`

export function defineCheck(program: Command, context: CliContext): void {
  const command = program
    .command('check')
    .description('check a configuration file without running it')
    .addOption(shared.config())
    .addOption(option('--expanded', 'print the long form, with every default'))
    .addOption(option('--connect', 'also connect to every backend'))
    .addOption(shared.json())
    .addHelpText('after', examples)
  act(context, command, (o: Options) => check(o, context))
}

async function check(o: Options, context: CliContext): Promise<number> {
  const { loadConfig } = await import('../../config/load.ts')
  const loaded = loadConfig({ path: o.config ?? DEFAULT_CONFIG_FILE, env: process.env })
  const { terminal } = context
  if (o.expanded) {
    const { longFormOf } = await import('../../config/long-form.ts')
    terminal.out(`${JSON.stringify(longFormOf(loaded.config), null, 2)}\n`)
    return ExitCode.done
  }
  const reached = o.connect ? await tryBackends(loaded.config.pools) : []
  if (o.json)
    terminal.out(
      `${JSON.stringify({ valid: true, warnings: loaded.warnings, ...(o.connect ? { backends: reached } : {}) })}\n`,
    )
  else print(loaded, reached, context)
  return reached.every(({ ok }) => ok) ? ExitCode.done : ExitCode.failed
}

function print(
  { config, path, warnings }: LoadedConfig,
  reached: readonly Reached[],
  { terminal, command }: CliContext,
): void {
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`)
  terminal.out(`${path} is ${terminal.paint('green', 'valid')}\n\n${table(listenerRows(config))}`)
  if (reached.length > 0) terminal.out(`\n${table(reached.map((one) => reachedRow(one, terminal.paint)))}`)
  const unreached = reached.filter(({ ok }) => !ok).length
  if (unreached > 0)
    terminal.out(
      `\n${plural(unreached, 'backend')} cannot be reached from here; Frontdesk would start and leave them out.\n`,
    )
  else terminal.out(`\nrun it   ${command} -c ${path}\n`)
}

function listenerRows(config: Config): string[][] {
  const rows = config.listeners.map(({ name, host, port, pool }) => {
    const used = config.pools[pool]
    return [
      `  ${name}`,
      `${host.includes(':') ? `[${host}]` : host}:${port}`,
      `${used?.strategy} → ${plural(used?.backends.length ?? 0, 'backend')} of pool ${pool}`,
    ]
  })
  const { admin } = config
  return admin === null
    ? rows
    : [...rows, ['  admin', `${admin.host}:${admin.port}`, admin.token === null ? 'no token' : 'with a token']]
}

function reachedRow({ pool, url, ok, detail }: Reached, paint: CliContext['terminal']['paint']): string[] {
  return [`  ${pool}`, url, paint(ok ? 'green' : 'red', ok ? 'reached' : 'failed'), detail]
}
