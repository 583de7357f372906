// `frontdesk backends …`: looks at and changes the backends of a running Frontdesk, over its admin API.
import type { Command } from 'commander'
import type { BackendStatus } from '../../control/status-document.ts'
import { callAdmin } from '../admin-client.ts'
import { resolveAdminTarget } from '../admin-target.ts'
import { type BackendOptions, callFor, listBackends, report, subcommand, unitOf } from '../backend-changes.ts'
import { backendTable } from '../backend-table.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { option, parseWholeNumber, shared } from '../options.ts'
import { plural } from '../terminal.ts'
import { defineDisable, defineDrain, defineEnable, defineWeight } from './backends-state.ts'
import { defineSwap } from './backends-swap.ts'

interface RemovalStatus {
  readonly pool: string
  readonly drained_connections?: number
  readonly cut_connections?: number
}

interface AddOptions extends BackendOptions {
  readonly weight?: number
  readonly maxConnections?: number
  readonly backup?: true
  readonly timeout?: string
}

export function defineBackends(program: Command, context: CliContext): void {
  const group = program.command('backends').description('list and change the backends of a running Frontdesk')
  group.addHelpText('after', examples)
  defineList(group, context)
  defineAdd(group, context)
  defineRemove(group, context)
  defineDrain(group, context)
  defineEnable(group, context)
  defineDisable(group, context)
  defineWeight(group, context)
  defineSwap(group, context)
}

const examples = `
Changes are applied by all workers and on disk when the command returns; they survive a restart. With --save
they are also written into the configuration file.

Examples:
  frontdesk backends list
  frontdesk backends add http://localhost:8085 --weight 2
  frontdesk backends drain http://localhost:8082 --wait     no new requests; returns when the last one is done
  frontdesk backends enable http://localhost:8082           back into service
  frontdesk backends swap http://localhost:8082 http://localhost:8085
  frontdesk backends remove http://localhost:8082 --wait`

function defineList(group: Command, context: CliContext): void {
  act(context, subcommand(group, 'list', 'list them'), async (o: BackendOptions) => {
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
    .addOption(shared.wait('return when its first health check has passed; else it is left out again'))
    .addOption(option('--timeout <duration>', 'longest that --wait waits (default: 60s)'))
    .addOption(shared.save())
  act(context, command, async (url: string, o: AddOptions) => {
    const body = { url, pool: o.pool, weight: o.weight, max_connections: o.maxConnections, backup: o.backup }
    const bare = /^[a-z0-9.-]+(?::\d+)?$/i.test(url)
    const scheme = { 400: `write http://${url}, or tcp://${url} for a TCP pool` }
    const hints = {
      ...(bare && scheme),
      409: `frontdesk backends weight ${url} N changes its weight`,
      504: 'see what its health check says, then add it again',
    }
    const target = await resolveAdminTarget(o)
    const wait = o.wait ? { path: `/backends?wait=${encodeURIComponent(o.timeout ?? '60s')}`, timeoutMs: 0 } : {}
    const answer = await callAdmin(target, { method: 'POST', path: '/backends', body, hints, expects: 'url', ...wait })
    const added = answer.body as BackendStatus
    const seen = o.wait ? `it is ${added.state}` : '"frontdesk backends list" shows its first check'
    const text = `added ${added.url} to pool ${added.pool}, weight ${added.weight}: ${seen}`
    return report({ context, target, options: o, body: added, text })
  })
}

function defineRemove(group: Command, context: CliContext): void {
  const command = subcommand(group, 'remove', 'take one out for good; requests in flight finish first')
    .argument('<url>', 'as "backends list" shows it')
    .addOption(option('--drain <duration>', 'longest that requests in flight may take to finish (default: 30s)'))
    .addOption(shared.wait('return when the last request is done'))
    .addOption(shared.save())
  act(context, command, async (url: string, o: BackendOptions & { drain?: string }) => {
    const target = await resolveAdminTarget(o)
    const answer = await callAdmin(target, {
      method: 'DELETE',
      path: o.wait ? '/backends?wait=1' : '/backends',
      body: { url, pool: o.pool, drain: o.drain },
      expects: 'url',
      ...(o.wait ? { timeoutMs: 0 } : {}),
    })
    const draining = answer.status === 202
    const { drained_connections: open = 0, cut_connections: cut = 0, pool } = answer.body as RemovalStatus
    const lost = cut === 0 ? '' : ` (${plural(cut, unitOf(url))} cut)`
    const text = draining
      ? `${url} gets no new ${unitOf(url)}s; ${plural(open, unitOf(url))} in flight may finish: "frontdesk backends list" shows when it is gone`
      : `removed ${url}${lost}: ${callFor('add', { url, pool })} brings it back`
    return report({ context, target, options: o, body: answer.body, text })
  })
}
