// `frontdesk backends …`: looks at and changes the backends of a running Frontdesk, over its admin API.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { kindOfUrl } from '../../config/pool-kind.ts'
import type { BackendStatus } from '../../control/status.ts'
import { type AdminTarget, callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { backendTable } from '../backend-table.ts'
import { act, type CliContext } from '../cli-context.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { option, parseWholeNumber, shared } from '../options.ts'
import { plural } from '../terminal.ts'

const POLL_MS = 200

interface Options extends AdminOptions {
  readonly pool?: string
  readonly json?: true
  readonly wait?: true
}

interface RemovalStatus {
  readonly pool: string
  readonly drained_connections?: number
  readonly cut_connections?: number
}

interface AddOptions extends Options {
  readonly weight?: number
  readonly maxConnections?: number
  readonly backup?: true
}

export function defineBackends(program: Command, context: CliContext): void {
  const group = program.command('backends').description('list and change the backends of a running Frontdesk')
  group.addHelpText('after', examples)
  defineList(group, context)
  defineAdd(group, context)
  defineRemove(group, context)
  defineDrain(group, context)
  defineEnable(group, context)
  defineWeight(group, context)
}

const examples = `
Changes are applied by all workers and on disk when the command returns; they survive a restart.

Examples:
  frontdesk backends list
  frontdesk backends add http://localhost:8085 --weight 2
  frontdesk backends drain http://localhost:8082 --wait     no new requests; returns when the last one is done
  frontdesk backends enable http://localhost:8082           back into service
  frontdesk backends remove http://localhost:8082 --wait`

function subcommand(group: Command, name: string, description: string): Command {
  return addAdminOptions(group.command(name).description(description)).addOption(shared.pool()).addOption(shared.json())
}

function waitOption(description: string): ReturnType<typeof option> {
  return option('--wait', description)
}

function defineList(group: Command, context: CliContext): void {
  act(context, subcommand(group, 'list', 'list them'), async (o: Options) => {
    const all = await listBackends(await resolveAdminTarget(o))
    const backends = o.pool === undefined ? all : all.filter((backend) => backend.pool === o.pool)
    if (o.json) context.terminal.out(`${JSON.stringify(backends, null, 2)}\n`)
    else if (backends.length > 0) context.terminal.out(backendTable(backends, context.terminal, Date.now()))
    else context.terminal.out('no backends: frontdesk backends add URL adds one\n')
    return ExitCode.done
  })
}

function defineAdd(group: Command, context: CliContext): void {
  const command = subcommand(group, 'add', 'add one; its first health check runs at once')
    .argument('<url>', 'such as http://localhost:8085')
    .addOption(option('--weight <n>', 'share of the requests, against the others', { parse: parseWholeNumber }))
    .addOption(option('--max-connections <n>', 'most requests at once, 0 for no limit', { parse: parseWholeNumber }))
    .addOption(option('--backup', 'use it only when no other backend is available'))
  act(context, command, async (url: string, o: AddOptions) => {
    const body = { url, pool: o.pool, weight: o.weight, max_connections: o.maxConnections, backup: o.backup }
    const bare = /^[a-z0-9.-]+(?::\d+)?$/i.test(url)
    const scheme = { 400: `write http://${url}, or tcp://${url} for a TCP pool` }
    const hints = { ...(bare && scheme), 409: `frontdesk backends weight ${url} N changes its weight` }
    const answer = await callAdmin(await resolveAdminTarget(o), { method: 'POST', path: '/backends', body, hints })
    const added = answer.body as BackendStatus
    const text = `added ${added.url} to pool ${added.pool}, weight ${added.weight}: "frontdesk backends list" shows its first check`
    return say(context, o, answer.body, text)
  })
}

function defineRemove(group: Command, context: CliContext): void {
  const command = subcommand(group, 'remove', 'take one out for good; requests in flight finish first')
    .argument('<url>', 'as "backends list" shows it')
    .addOption(option('--drain <duration>', 'longest that requests in flight may take to finish (default: 30s)'))
    .addOption(waitOption('return when the last request is done'))
  act(context, command, async (url: string, o: Options & { drain?: string }) => {
    const path = o.wait ? '/backends?wait=1' : '/backends'
    const body = { url, pool: o.pool, drain: o.drain }
    const answer = await callAdmin(await resolveAdminTarget(o), {
      method: 'DELETE',
      path,
      body,
      ...(o.wait ? { timeoutMs: 0 } : {}),
    })
    const draining = answer.status === 202
    const { drained_connections: open = 0, cut_connections: cut = 0, pool } = answer.body as RemovalStatus
    // Of several pools `default` is meant where none is named.
    const where = pool === 'default' ? '' : ` --pool ${pool}`
    const lost = cut === 0 ? '' : ` (${plural(cut, unitOf(url))} cut)`
    const text = draining
      ? `${url} gets no new ${unitOf(url)}s; ${plural(open, unitOf(url))} in flight may finish: "frontdesk backends list" shows when it is gone`
      : `removed ${url}${lost}: "frontdesk backends add ${url}${where}" brings it back`
    return say(context, o, answer.body, text)
  })
}

function defineDrain(group: Command, context: CliContext): void {
  const command = subcommand(group, 'drain', 'send one no new requests, but keep it; clients bound to it stay')
    .argument('<url>', 'as "backends list" shows it')
    .addOption(waitOption('return when it has no request in flight'))
  act(context, command, async (url: string, o: Options) => {
    const target = await resolveAdminTarget(o)
    const body = await patch(target, { url, pool: o.pool, state: 'drain' })
    if (o.wait) await untilIdle(target, body)
    const text = o.wait
      ? `${body.url} is drained`
      : `${body.url} is draining, ${plural(body.current_connections, unitOf(body.url))} in flight`
    return say(context, o, body, `${text}: "frontdesk backends enable ${body.url}" brings it back`)
  })
}

function defineEnable(group: Command, context: CliContext): void {
  const command = subcommand(group, 'enable', 'put a drained or disabled one back into service').argument(
    '<url>',
    'as "backends list" shows it',
  )
  act(context, command, async (url: string, o: Options) => {
    const body = await patch(await resolveAdminTarget(o), { url, pool: o.pool, state: 'up' })
    return say(
      context,
      o,
      body,
      `${body.url} is in service again (${body.state}): "frontdesk backends list" shows its share grow`,
    )
  })
}

function defineWeight(group: Command, context: CliContext): void {
  const command = subcommand(group, 'weight', 'change the weight of one')
    .argument('<url>', 'as "backends list" shows it')
    .argument('<n>', 'new weight', parseWholeNumber)
  act(context, command, async (url: string, weight: number, o: Options) => {
    const body = await patch(await resolveAdminTarget(o), { url, pool: o.pool, weight })
    return say(context, o, body, `${body.url} has weight ${body.weight} now, from the next ${unitOf(body.url)} on`)
  })
}

/** What a backend is given, by its URL. */
const unitOf = (url: string): string => (kindOfUrl(url) === 'tcp' ? 'connection' : 'request')

async function listBackends(target: AdminTarget): Promise<readonly BackendStatus[]> {
  const { body } = await callAdmin(target, { path: '/backends' })
  return body as readonly BackendStatus[]
}

async function patch(target: AdminTarget, body: Record<string, unknown>): Promise<BackendStatus> {
  const answer = await callAdmin(target, { method: 'PATCH', path: '/backends', body })
  return answer.body as BackendStatus
}

async function untilIdle(target: AdminTarget, { url, pool }: BackendStatus): Promise<void> {
  for (;;) {
    const found = (await listBackends(target)).find((backend) => backend.url === url && backend.pool === pool)
    if (found === undefined) throw new CliError(`${url} was removed while it drained`)
    if (found.current_connections === 0) return
    await sleep(POLL_MS)
  }
}

function say(context: CliContext, o: Options, body: unknown, text: string): number {
  context.terminal.out(o.json ? `${JSON.stringify(body, null, 2)}\n` : `${text}\n`)
  return ExitCode.done
}
