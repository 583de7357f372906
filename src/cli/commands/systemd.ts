// `frontdesk systemd`: prints a hardened unit for a configuration, with its sockets if asked for.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import { act, type CliContext } from '../cli-context.ts'
import { findConfigFile } from '../config-file.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { option, shared } from '../options.ts'
import { bindsLowPort, serviceUnit } from '../systemd/service-unit.ts'
import { socketUnits } from '../systemd/socket-units.ts'
import type { UnitFile } from '../systemd/unit-text.ts'

interface Options {
  readonly config?: string
  readonly socketActivation?: true
  readonly user?: true
  readonly runAs: string
  readonly name: string
  readonly write?: string
}

const examples = `
The unit is for this file, this Node and this Frontdesk: print it anew when one of them moves.

Examples:
  frontdesk systemd -c /etc/frontdesk/config.json
  frontdesk systemd -c /etc/frontdesk/config.json --write /etc/systemd/system
  frontdesk systemd --socket-activation            systemd opens the ports, and keeps them open over restarts
  frontdesk systemd --user                         for systemctl --user`

export function defineSystemd(program: Command, context: CliContext): void {
  const command = program
    .command('systemd')
    .description('print a hardened unit for systemd')
    .addOption(shared.config())
    .addOption(option('--socket-activation', 'socket units too: systemd opens what Frontdesk listens on'))
    .addOption(option('--user', 'for the service manager of a user (systemctl --user)'))
    .addOption(option('--run-as <user>', 'who runs the service').default('frontdesk'))
    .addOption(option('--name <name>', 'name of the units').default('frontdesk'))
    .addOption(option('--write <folder>', 'write the files there instead of printing them'))
    .addHelpText('after', examples)
  act(context, command, (o: Options) => systemd(o, context))
}

async function systemd(o: Options, { terminal }: CliContext): Promise<number> {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(o.name)) {
    throw new CliError(`"${o.name}" is no name for a unit`, {
      exitCode: ExitCode.usage,
      hint: 'use letters, digits, - and _',
    })
  }
  const path = o.config ?? findConfigFile()
  if (path === undefined) {
    throw new CliError('no configuration: there is no config.json or frontdesk.config.ts in this folder', {
      exitCode: ExitCode.invalidConfig,
      hint: 'name a file: frontdesk systemd -c /etc/frontdesk/config.json',
    })
  }
  const { loadWithPlugins } = await import('../../config/load-with-plugins.ts')
  const { config } = await loadWithPlugins({ path, env: process.env })
  const isSystem = o.user !== true
  const sockets = o.socketActivation === true ? socketUnits(config, o.name, isSystem) : { files: [], hints: [] }
  const service = serviceUnit({
    config: o.socketActivation === true ? withSockets(config) : config,
    node: realpathSync(process.execPath),
    script: realpathSync(process.argv[1] ?? 'frontdesk'),
    configPath: resolve(path),
    name: o.name,
    runAs: isSystem ? o.runAs : null,
    sockets: sockets.files.map(({ name }) => name),
    variables: variablesIn(path),
  })
  const files = [service, ...sockets.files]
  const hints = [...sockets.hints, ...stateHints(config, isSystem), ...portHints(config, o)]
  if (o.write === undefined) terminal.out(files.map(({ text }) => text).join('\n'))
  else terminal.out(writeAll(files, o.write))
  for (const hint of hints) terminal.err(`  next  ${hint}\n`)
  return ExitCode.done
}

/** As the configuration will be: what systemd opens, nobody binds. */
const withSockets = (config: Config): Config => ({
  ...config,
  listeners: config.listeners.map((one) => ({
    ...one,
    inherited: one.inherited ?? one.name,
    socketPath: null,
    port: 0,
  })),
})

function writeAll(files: readonly UnitFile[], folder: string): string {
  return files
    .map(({ name, text }) => {
      const path = join(folder, name)
      try {
        writeFileSync(path, text)
      } catch (error) {
        throw new CliError(`cannot write ${path}: ${(error as Error).message}`, {
          hint: 'without --write the units are printed',
        })
      }
      return `${path}\n`
    })
    .join('')
}

/** The folder of the configuration would have to be writable. */
function stateHints({ stateFile }: Config, isSystem: boolean): string[] {
  if (!isSystem || stateFile === null || stateFile.startsWith('/var/lib/')) return []
  return [
    `"state_file": "/var/lib/frontdesk/frontdesk.state.json" would let ${stateFile.slice(0, stateFile.lastIndexOf('/'))} stay read-only`,
  ]
}

/** A user's manager has no such right to give. */
function portHints(config: Config, { user, socketActivation }: Options): string[] {
  if (user !== true || !bindsLowPort({ config }) || socketActivation === true) return []
  return ["a port below 1024 is the system's: leave out --user, or lower net.ipv4.ip_unprivileged_port_start"]
}

/** Names in \${NAME} and \${NAME:-default}; a module reads its environment as it likes. */
function variablesIn(path: string): string[] {
  if (/\.[cm]?[jt]s$/.test(path)) return []
  const names = readFileSync(path, 'utf8').matchAll(/(?<!\$)\$\{([A-Za-z_]\w*)/g)
  return [...new Set([...names].map(([, name]) => name!))]
}
