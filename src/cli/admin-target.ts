// Which admin API a command talks to: --admin, FRONTDESK_ADMIN, the configuration file's own, or the usual port; and with
// which token and certificates.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { ConfigError } from '../config/problem.ts'
import { type AdminTarget, parseAdminUrl } from './admin-client.ts'
import type { AdminOfFile } from './admin-of-file.ts'
import { type AdminTlsOptions, readAdminTls } from './admin-tls.ts'
import { findConfigFile } from './config-file.ts'
import { CliError, ExitCode } from './exit-code.ts'
import { shared } from './options.ts'

const DEFAULT_ADMIN_PORT = 8081
/** As files often name the variable of `admin.token`. */
const ANOTHER_TOKEN_VARIABLE = 'FRONTDESK_ADMIN_TOKEN'

export interface AdminOptions extends AdminTlsOptions {
  readonly config?: string
  readonly admin?: string
  readonly token?: string
  readonly tokenFile?: string
}

/** Adds the options that say which admin API is meant. */
export function addAdminOptions(command: Command): Command {
  command.addOption(shared.admin()).addOption(shared.adminCa()).addOption(shared.adminCert())
  command.addOption(shared.adminKey()).addOption(shared.token()).addOption(shared.tokenFile())
  // The command line wins over the environment, also where they name different options.
  command.hook('preAction', () => {
    const isWritten = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
    if (isWritten('tokenFile') && !isWritten('token')) command.setOptionValue('token', undefined)
  })
  return command.addOption(shared.config())
}

/** Reads the configuration file only when no address was given; its token serves unless another was given. */
export async function resolveAdminTarget(o: AdminOptions): Promise<AdminTarget> {
  const token = givenToken(o)
  if (o.admin !== undefined) return { base: parseAdminUrl(o.admin), token, tls: readAdminTls(o) }
  const path = o.config ?? findConfigFile()
  if (path === undefined) {
    return { base: new URL(`http://127.0.0.1:${DEFAULT_ADMIN_PORT}`), token, tls: readAdminTls(o) }
  }
  const { adminOfFile } = await import('./admin-of-file.ts')
  const admin = await adminOfFile(path).catch(unreadable)
  if (admin === null) {
    throw new CliError(`${path} configures no admin API`, {
      hint: 'add "admin_port": 8081 and restart, or name another address with --admin',
    })
  }
  const scheme = admin.certificate === undefined ? 'http' : 'https'
  return {
    base: new URL(`${scheme}://${hostToDial(admin.host)}:${admin.port}`),
    token: token ?? tokenOf(admin),
    tls: readAdminTls(o, admin.certificate),
  }
}

/** The file says wrongly where the admin API is; that Frontdesk runs all the same, and can be named. */
function unreadable(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error
  throw new CliError(`the configuration file does not say where the admin API is\n${error.format()}`, {
    exitCode: ExitCode.invalidConfig,
    hint: 'mend it ("frontdesk check"), or name the running Frontdesk with --admin, and its token with --token',
  })
}

function givenToken({ token, tokenFile }: AdminOptions): string | undefined {
  if (token !== undefined) return token
  if (tokenFile !== undefined) return readToken(tokenFile, '--token-file')
  return process.env[ANOTHER_TOKEN_VARIABLE] || undefined
}

function tokenOf({ token, tokenFile }: AdminOfFile): string | undefined {
  return token ?? (tokenFile === undefined ? undefined : readToken(tokenFile, 'admin.token_file'))
}

/** A token is one line. */
function readToken(file: string, what: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new CliError(`${what}: cannot read ${file} (${(error as NodeJS.ErrnoException).code})`, {
      exitCode: what.startsWith('--') ? ExitCode.usage : ExitCode.failed,
      hint: 'read it as a user who may, or give the token with --token or FRONTDESK_TOKEN',
    })
  }
  if (text !== '' && !/[\r\n]/.test(text)) return text
  throw new CliError(`${what}: ${file} ${text === '' ? 'is empty' : 'has more than one line'}`, {
    exitCode: what.startsWith('--') ? ExitCode.usage : ExitCode.failed,
    hint: 'the file holds the token alone',
  })
}

/** A server that listens on all interfaces is reached over loopback. */
function hostToDial(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
