// `frontdesk run`, and `frontdesk` without a command: serves what a configuration file says.
import type { Command } from 'commander'
import type { FlatOverrides, LoadedConfig } from '../../config/load.ts'
import { act, type CliContext } from '../cli-context.ts'
import { findConfigFile, othersBeside } from '../config-file.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { collect, option, parsePort, shared } from '../options.ts'

interface Options {
  readonly config?: string
  readonly port?: number
  readonly adminPort?: number
  readonly backend?: readonly string[]
  readonly workers?: number | 'auto'
  readonly watch?: boolean
}

const examples = `
What is given here wins over the environment, the environment over the file, the file over the defaults.

Signals: TERM, INT and QUIT drain and stop, a second Ctrl-C stops at once; HUP reads the file and all certificates
again and applies them, as "frontdesk reload" does; USR2 opens the access log anew (after a rotation).

Examples:
  frontdesk -c config.json
  frontdesk -c frontdesk.config.ts                 routes, middleware and strategies in TypeScript
  frontdesk run --port 9000 --backend http://localhost:3000 --backend http://localhost:3001
  FRONTDESK_PORT=9000 frontdesk -c config.json
  frontdesk -c config.json --watch                 what is saved is in force at once
  frontdesk check -c config.json                   look before running`

export function defineRun(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .description('serve what a configuration file says (meant when no command is named)')
    .addOption(shared.config())
    .addOption(option('--port <n>', 'port of the proxy', { parse: parsePort }))
    .addOption(option('--admin-port <n>', 'port of the admin API', { parse: parsePort }))
    .addOption(option('--backend <url>', 'a backend (repeatable); replaces those of the file', { parse: collect }))
    .addOption(shared.workers())
    .addOption(option('--watch', 'apply the file again whenever it changes, or a file that it names'))
    .addHelpText('after', examples)
  act(context, command, (o: Options) => run(o, context))
}

async function run(o: Options, context: CliContext): Promise<number> {
  const path = configPath(o)
  const { serve } = await import('../serve.ts')
  const { loadWithPlugins } = await import('../../config/load-with-plugins.ts')
  const load = async (): Promise<LoadedConfig> => {
    const loaded = await loadWithPlugins({ path, env: process.env, overrides: overridesOf(o) })
    if (o.config !== undefined || path === undefined) return loaded
    return { ...loaded, warnings: [...loaded.warnings, ...othersBeside(path)] }
  }
  return serve({
    context,
    loaded: await load(),
    source: path ?? '(command line)',
    reload: path === undefined ? null : load,
    watch: o.watch === true,
  })
}

/** The file named, else the one that lies here, else none: then the backends must come from the command line. */
function configPath(o: Options): string | undefined {
  if (o.config !== undefined) return o.config
  const found = findConfigFile()
  if (found !== undefined) return found
  if (o.backend !== undefined) return undefined
  throw new CliError(
    'no configuration: there is no config.json or frontdesk.config.ts in this folder, and no --backend was given',
    {
      exitCode: ExitCode.invalidConfig,
      hint: [
        'name a file           frontdesk -c /etc/frontdesk/config.json',
        'go without a file     frontdesk --backend http://localhost:3000',
        'look around first     frontdesk demo',
      ].join('\n'),
    },
  )
}

function overridesOf(o: Options): FlatOverrides {
  return {
    ...(o.port === undefined ? {} : { port: o.port }),
    ...(o.adminPort === undefined ? {} : { admin_port: o.adminPort }),
    ...(o.backend === undefined ? {} : { backends: o.backend }),
    ...(o.workers === undefined ? {} : { workers: o.workers }),
  }
}
