// `frontdesk check`: is a configuration right, what does it mean, and with --connect: are its certificates good, and can
// its backends be reached?
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { Config, ListenerConfig } from '../../config/config.ts'
import { formatListenAddress } from '../../config/listen-address.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { poolsNamed } from '../../config/pool-kind.ts'
import type { CertificateStatus } from '../../control/certificates/certificate-status.ts'
import { silentLog } from '../../core/log.ts'
import { act, type CliContext } from '../cli-context.ts'
import type { Reached } from '../connect-check.ts'
import { ExitCode } from '../exit-code.ts'
import { schemeOf } from '../listener-url.ts'
import { DEFAULT_CONFIG_FILE, option, shared } from '../options.ts'
import { plural, table } from '../terminal.ts'

interface Options {
  readonly config?: string
  readonly expanded?: true
  readonly connect?: true
  readonly json?: true
}

const examples = `
Exit codes: 0 valid, 78 invalid; with --connect also 78 when a certificate cannot be used, 1 when a backend cannot be
reached.

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
    .addOption(option('--connect', 'also load the certificates and connect to every backend'))
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
  const found = o.connect ? await tryOut(loaded) : null
  if (o.json) terminal.out(`${JSON.stringify({ valid: true, warnings: loaded.warnings, ...found })}\n`)
  else print(loaded, found, context)
  return found === null || found.backends.every(({ ok }) => ok) ? ExitCode.done : ExitCode.failed
}

interface Found {
  readonly certificates: readonly CertificateStatus[]
  readonly backends: readonly Reached[]
}

/** Throws `ConfigError` with every certificate that cannot be used. */
async function tryOut(loaded: LoadedConfig): Promise<Found> {
  const { tryBackends } = await import('../connect-check.ts')
  const { CertificateStore } = await import('../../control/certificates/certificate-store.ts')
  const { config, path } = loaded
  try {
    const store = await CertificateStore.load({ config, configPath: path, log: silentLog })
    const backends = await tryBackends(config, store.material)
    const certificates = store.list()
    store.close()
    return { certificates, backends }
  } catch (error) {
    throw loaded.locate(error)
  }
}

function print({ config, path, warnings }: LoadedConfig, found: Found | null, { terminal, command }: CliContext): void {
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`)
  terminal.out(`${path} is ${terminal.paint('green', 'valid')}\n\n${table(listenerRows(config))}`)
  const { certificates = [], backends = [] } = found ?? {}
  if (certificates.length > 0)
    terminal.out(`\n${table(certificates.map((one) => certificateRow(one, terminal.paint)))}`)
  if (backends.length > 0) terminal.out(`\n${table(backends.map((one) => reachedRow(one, terminal.paint)))}`)
  const unreached = backends.filter(({ ok }) => !ok).length
  if (unreached > 0)
    terminal.out(
      `\n${plural(unreached, 'backend')} cannot be reached from here; Frontdesk would start and leave them out.\n`,
    )
  else terminal.out(`\nrun it   ${command} -c ${path}\n`)
}

function listenerRows(config: Config): string[][] {
  const rows = config.listeners.map((listener) => [
    `  ${listener.name}`,
    formatListenAddress(listener),
    whatItDoes(listener, config),
  ])
  const { admin } = config
  return admin === null
    ? rows
    : [...rows, ['  admin', formatListenAddress(admin), admin.token === null ? 'no token' : 'with a token']]
}

/** "https: round-robin → 3 backends of pool web"; plain HTTP goes without saying. */
function whatItDoes(listener: ListenerConfig, { pools }: Config): string {
  if (listener.redirectHttpsPort > 0) return `redirects to https (port ${listener.redirectHttpsPort})`
  if (listener.protocol === 'tls-passthrough') {
    return `tls-passthrough: server name → ${plural(new Set(poolsNamed(listener)).size, 'pool')}`
  }
  const scheme = schemeOf(listener)
  const { strategy, backends } = pools[listener.pool]!
  const choice = `${strategy} → ${plural(backends.length, 'backend')} of pool ${listener.pool}`
  return scheme === 'http' ? choice : `${scheme}: ${choice}`
}

function certificateRow({ name, names, expires_at, days_left }: CertificateStatus, paint: Paint): string[] {
  const until = days_left < 0 ? `expired ${expires_at}` : `until ${expires_at} (${plural(days_left, 'day')})`
  return [`  ${basename(name)}`, names.join(', '), paint(days_left < 7 ? 'red' : 'green', until)]
}

type Paint = CliContext['terminal']['paint']

function reachedRow({ pool, url, ok, detail }: Reached, paint: Paint): string[] {
  return [`  ${pool}`, url, paint(ok ? 'green' : 'red', ok ? 'reached' : 'failed'), detail]
}
