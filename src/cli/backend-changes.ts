// What the commands that change backends share: their options, the calls they make, and how they report.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { kindOfUrl } from '../config/pool-kind.ts'
import type { BackendStatus } from '../control/status-document.ts'
import { type AdminTarget, callAdmin } from './admin-client.ts'
import { type AdminOptions, addAdminOptions } from './admin-target.ts'
import type { CliContext } from './cli-context.ts'
import { CliError, ExitCode } from './exit-code.ts'
import { shared } from './options.ts'
import { saveConfig } from './save-config.ts'

const POLL_MS = 200

export interface BackendOptions extends AdminOptions {
  readonly pool?: string
  readonly json?: true
  readonly wait?: true
  readonly save?: true
}

/** A subcommand of `backends`. */
export function subcommand(group: Command, name: string, description: string): Command {
  return addAdminOptions(group.command(name).description(description)).addOption(shared.pool()).addOption(shared.json())
}

/** What a backend is given, by its URL. */
export const unitOf = (url: string): string => (kindOfUrl(url) === 'tcp' ? 'connection' : 'request')

/** `frontdesk backends VERB URL`, with the pool where it is needed to say which. */
export function callFor(verb: string, { url, pool }: Pick<BackendStatus, 'url' | 'pool'>): string {
  // Of several pools `default` is meant where none is named.
  return `"frontdesk backends ${verb} ${url}${pool === 'default' ? '' : ` --pool ${pool}`}"`
}

export async function listBackends(target: AdminTarget, signal?: AbortSignal): Promise<readonly BackendStatus[]> {
  const { body } = await callAdmin(target, { path: '/backends', signal, expects: 'a list' })
  return body as readonly BackendStatus[]
}

export async function patchBackend(target: AdminTarget, body: Record<string, unknown>): Promise<BackendStatus> {
  const answer = await callAdmin(target, { method: 'PATCH', path: '/backends', body })
  return answer.body as BackendStatus
}

/** Resolves when nothing is open there any more. */
export async function untilIdle(target: AdminTarget, { url, pool }: BackendStatus): Promise<void> {
  for (;;) {
    const found = (await listBackends(target)).find((backend) => backend.url === url && backend.pool === pool)
    if (found === undefined) throw new CliError(`${url} was removed while it drained`)
    if (found.current_connections === 0) return
    await sleep(POLL_MS)
  }
}

export interface Report {
  readonly context: CliContext
  readonly target: AdminTarget
  readonly options: BackendOptions
  /** What the API answered. */
  readonly body: unknown
  readonly text: string
}

/** The end of a change: saved if that was asked for, and told. */
export async function report({ context, target, options, body, text }: Report): Promise<number> {
  const saved = options.save === true ? await saveConfig(target) : null
  if (options.json) {
    const whole = saved === null ? body : { ...(body as object), saved }
    context.terminal.out(`${JSON.stringify(whole, null, 2)}\n`)
  } else {
    context.terminal.out(`${text}\n`)
    if (saved !== null) context.terminal.out(`saved in ${saved.file}\n`)
  }
  return ExitCode.done
}
