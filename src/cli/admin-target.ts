// Which admin API a command talks to: --admin, FRONTDESK_ADMIN, the configuration file's own, or the usual port.
import type { Command } from 'commander'
import { type AdminTarget, parseAdminUrl } from './admin-client.ts'
import { findConfigFile } from './config-file.ts'
import { CliError } from './exit-code.ts'
import { shared } from './options.ts'

const DEFAULT_ADMIN_PORT = 8081

export interface AdminOptions {
  readonly config?: string
  readonly admin?: string
  readonly token?: string
}

/** Adds the options that say which admin API is meant. */
export function addAdminOptions(command: Command): Command {
  return command.addOption(shared.admin()).addOption(shared.token()).addOption(shared.config())
}

/** Reads the configuration file only when no address was given; its token serves unless another was given. */
export async function resolveAdminTarget(o: AdminOptions): Promise<AdminTarget> {
  if (o.admin !== undefined) return { base: parseAdminUrl(o.admin), token: o.token }
  const path = o.config ?? findConfigFile()
  if (path === undefined) return { base: new URL(`http://127.0.0.1:${DEFAULT_ADMIN_PORT}`), token: o.token }
  const { loadWithPlugins } = await import('../config/load-with-plugins.ts')
  const { admin } = (await loadWithPlugins({ path, env: process.env })).config
  if (admin === null) {
    throw new CliError(`${path} configures no admin API`, {
      hint: 'add "admin_port": 8081 and restart, or name another address with --admin',
    })
  }
  return { base: new URL(`http://${hostToDial(admin.host)}:${admin.port}`), token: o.token ?? admin.token ?? undefined }
}

/** A server that listens on all interfaces is reached over loopback. */
function hostToDial(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
