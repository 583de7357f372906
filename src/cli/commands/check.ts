// `frontdesk check`: is a configuration right, what does it mean, and with --connect: are its certificates good, and can
// its backends be reached?
import { dirname, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config, ListenerConfig } from '../../config/config.ts'
import { formatListenAddress } from '../../config/listen-address.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { ConfigError } from '../../config/problem.ts'
import type { MaterialStatus } from '../../control/certificates/certificate-status.ts'
import type { FieldProblem } from '../../control/control-error.ts'
import { endOf, isEarly, isOver, namesOf, usersOf } from '../certificate-words.ts'
import { act, type CliContext } from '../cli-context.ts'
import { configFileNames, findConfigFile, othersBeside } from '../config-file.ts'
import type { Reached } from '../connect-check.ts'
import { ExitCode } from '../exit-code.ts'
import { schemeOf } from '../listener-url.ts'
import { choiceWords, poolsOfListener } from '../listener-words.ts'
import { option, shared } from '../options.ts'
import { precedenceComment, routeRows } from '../route-words.ts'
import { plural, table } from '../terminal.ts'

/** Of very many routes, so many are printed. */
const shownRoutes = 40

interface Options {
  readonly config?: string
  readonly expanded?: true
  readonly connect?: true
  readonly json?: true
}

const examples = `
Exit codes: 0 valid, 78 invalid; with --connect also 78 when a certificate cannot be used, 1 when a certificate or a
revocation list has expired, or a backend cannot be reached or fails its health check.

Examples:
  frontdesk check
  frontdesk check -c config.json --connect
  frontdesk check --expanded > long.json           short forms written out, every default filled in`

export function defineCheck(program: Command, context: CliContext): void {
  const command = program
    .command('check')
    .description('check a configuration file without running it')
    .addOption(shared.config())
    .addOption(
      option(
        '--expanded',
        'print the long form, with every default and the order of routes (with --json without comments)',
      ),
    )
    .addOption(option('--connect', 'also load the certificates and check every backend as its pool does'))
    .addOption(shared.json())
    .addHelpText('after', examples)
  act(context, command, (o: Options) => check(o, context))
}

async function check(o: Options, context: CliContext): Promise<number> {
  try {
    return await judge(o, context)
  } catch (error) {
    if (!o.json || !(error instanceof ConfigError)) throw error
    const { fieldProblem } = await import('../../control/control-error.ts')
    context.terminal.out(`${JSON.stringify({ valid: false, errors: error.problems.map(fieldProblem) })}\n`)
    return ExitCode.invalidConfig
  }
}

async function judge(o: Options, context: CliContext): Promise<number> {
  const loaded = await load(o.config)
  const { terminal } = context
  if (o.expanded) {
    const { longFormOf } = await import('../../config/long-form.ts')
    const comment = o.json ? '' : precedenceComment(loaded.config)
    terminal.out(`${comment}${JSON.stringify(longFormOf(loaded.config), null, 2)}\n`)
    return ExitCode.done
  }
  const found = o.connect ? await tryOut(loaded) : { ...nothing, warnings: loaded.warnings }
  const { warnings, errors, certificates, backends } = found
  const tried = o.connect ? { errors: errors.map(({ problem }) => problem), certificates, backends } : {}
  if (o.json) terminal.out(`${JSON.stringify({ valid: true, warnings, ...tried })}\n`)
  else print(loaded, found, context)
  return errors.length === 0 && backends.every(({ ok }) => ok) ? ExitCode.done : ExitCode.failed
}

async function load(named: string | undefined): Promise<LoadedConfig> {
  const { loadWithPlugins } = await import('../../config/load-with-plugins.ts')
  const path = named ?? findConfigFile() ?? configFileNames[0]
  const loaded = await loadWithPlugins({ path, env: process.env })
  return named === undefined ? { ...loaded, warnings: [...loaded.warnings, ...othersBeside(path)] } : loaded
}

interface Found {
  readonly warnings: readonly string[]
  /** What a start would log as an error, and go on. */
  readonly errors: readonly { readonly line: string; readonly problem: FieldProblem }[]
  readonly certificates: readonly MaterialStatus[]
  readonly backends: readonly Reached[]
}

const nothing: Omit<Found, 'warnings'> = { errors: [], certificates: [], backends: [] }

/** Throws `ConfigError` with every certificate that cannot be used. */
async function tryOut(loaded: LoadedConfig): Promise<Found> {
  const { doubtsOf, tryBackends } = await import('../connect-check.ts')
  const { inspectCertificates } = await import('../../control/certificates/certificate-store.ts')
  const { fieldProblem } = await import('../../control/control-error.ts')
  const { config, path } = loaded
  try {
    const { material, list, told } = await inspectCertificates({ config, configPath: path })
    const warnings = told.filter(({ level }) => level === 'warn').map(({ message }) => message)
    const errors = told
      .filter(({ level }) => level === 'error')
      .map(({ message, path: at, file }) => {
        const place = { file: path ?? '', line: 0, column: 0, path: at }
        const located = loaded.locate(new ConfigError([{ ...place, message, hint: null, value: file }])) as ConfigError
        return { line: located.format(), problem: fieldProblem(located.problems[0]!) }
      })
    return {
      warnings: [...loaded.warnings, ...warnings, ...doubtsOf(config, material)],
      errors,
      certificates: list,
      backends: await tryBackends(config, material),
    }
  } catch (error) {
    throw loaded.locate(error)
  }
}

function print({ config, path }: LoadedConfig, found: Found, { terminal, command }: CliContext): void {
  const { warnings, errors, certificates, backends } = found
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`)
  for (const { line } of errors) terminal.err(`error: ${line}\n`)
  terminal.out(`${path} is ${terminal.paint('green', 'valid')}\n\n${table(listenerRows(config))}`)
  const routes = routeRows(config, shownRoutes)
  if (routes.length > 0) terminal.out(`\nRoutes, the first one that takes a request:\n${table(routes)}`)
  const folder = dirname(resolve(path ?? ''))
  if (certificates.length > 0)
    terminal.out(`\n${table(certificates.map((one) => certificateRow(one, folder, terminal.paint)))}`)
  if (backends.length > 0) terminal.out(`\n${table(backends.map((one) => reachedRow(one, terminal.paint)))}`)
  const unreached = backends.filter(({ ok }) => !ok).length
  if (unreached > 0) {
    const them = unreached === 1 ? 'it' : 'them'
    terminal.out(`\n${plural(unreached, 'backend')} failed from here; Frontdesk would start and leave ${them} out.\n`)
  } else if (errors.length > 0) terminal.out('\nFrontdesk would start; what has expired is refused.\n')
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
function whatItDoes(listener: ListenerConfig, config: Config): string {
  if (listener.redirectHttpsPort > 0) return `redirects to https (port ${listener.redirectHttpsPort})`
  const how = choiceWords(listener, config)
  if (listener.protocol === 'tls-passthrough') return `tls-passthrough: ${how}`
  const scheme = schemeOf(listener)
  const [pool, ...others] = poolsOfListener(listener, config)
  const backends = pool === undefined ? 0 : config.pools[pool]!.backends.length
  const isOne = pool !== undefined && others.length === 0
  const choice = isOne ? `${how} → ${plural(backends, 'backend')} of pool ${pool}` : how
  return scheme === 'http' ? choice : `${scheme}: ${choice}`
}

function certificateRow(one: MaterialStatus, folder: string, paint: Paint): string[] {
  const end = endOf(one)
  const days = one.days_left ?? Number.POSITIVE_INFINITY
  const early = isEarly(one) && one.kind === 'certificate'
  const when = early
    ? `not valid before ${one.not_before}`
    : isOver(one)
      ? `expired ${end}`
      : `until ${end ?? 'replaced'}${end === null ? '' : ` (${plural(days, 'day')})`}`
  return [`  ${named(one.name, folder)}`, usersOf(one), namesOf(one), paint(days < 7 || early ? 'red' : 'green', when)]
}

/** As the configuration most likely names it: from its folder on, where it lies there. */
function named(file: string, folder: string): string {
  const name = relative(folder, file)
  return name.startsWith('..') ? file : name
}

type Paint = CliContext['terminal']['paint']

function reachedRow({ pool, url, ok, detail }: Reached, paint: Paint): string[] {
  return [`  ${pool}`, url, paint(ok ? 'green' : 'red', ok ? 'reached' : 'failed'), detail]
}
