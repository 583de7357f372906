// `frontdesk backends drain`, `enable`, `disable` and `weight`: what one backend gets from now on.
import type { Command } from 'commander'
import type { BackendStatus } from '../../control/status-document.ts'
import { resolveAdminTarget } from '../admin-target.ts'
import {
  type BackendOptions,
  callFor,
  patchBackend,
  report,
  subcommand,
  unitOf,
  untilIdle,
} from '../backend-changes.ts'
import { act, type CliContext } from '../cli-context.ts'
import { option, parseWholeNumber, shared } from '../options.ts'
import { plural } from '../terminal.ts'

const urlArgument = ['<url>', 'as "backends list" shows it'] as const

export function defineDrain(group: Command, context: CliContext): void {
  const command = subcommand(group, 'drain', 'send one no new requests, but keep it; clients bound to it stay')
    .argument(...urlArgument)
    .addOption(
      option('--drain <duration>', 'after so long clients bound to it choose anew, and what is open is closed'),
    )
    .addOption(shared.wait('return when it has no request in flight'))
  act(context, command, async (url: string, o: BackendOptions & { drain?: string }) => {
    const target = await resolveAdminTarget(o)
    const body = await patchBackend(target, { url, pool: o.pool, state: 'drain', drain: o.drain })
    if (o.wait) await untilIdle(target, body)
    const open = plural(body.current_connections, unitOf(body.url))
    const end = body.drain_ends_at === undefined ? '' : `, cut ${clockTime(body.drain_ends_at)}`
    const state = o.wait ? `${body.url} is drained` : `${body.url} is draining, ${open} in flight${end}`
    const text = `${state}: ${callFor('enable', body)} brings it back`
    return report({ context, target, options: o, body, text })
  })
}

/** "at 15:04:05", local time. */
const clockTime = (iso: string): string => `at ${new Date(iso).toTimeString().slice(0, 8)}`

export function defineEnable(group: Command, context: CliContext): void {
  const command = subcommand(group, 'enable', 'put a drained or disabled one back into service').argument(
    ...urlArgument,
  )
  act(context, command, async (url: string, o: BackendOptions) => {
    const target = await resolveAdminTarget(o)
    const body = await patchBackend(target, { url, pool: o.pool, state: 'up' })
    const text = `${body.url} is in service again (${body.state}): "frontdesk backends list" shows its share grow`
    return report({ context, target, options: o, body, text })
  })
}

export function defineDisable(group: Command, context: CliContext): void {
  const command = subcommand(group, 'disable', 'send one nothing, not even from clients bound to it').argument(
    ...urlArgument,
  )
  act(context, command, async (url: string, o: BackendOptions) => {
    const target = await resolveAdminTarget(o)
    const body = await patchBackend(target, { url, pool: o.pool, state: 'disabled' })
    const open = plural(body.current_connections, unitOf(body.url))
    const text = `${body.url} is disabled, ${open} in flight may finish: ${callFor('enable', body)} brings it back`
    return report({ context, target, options: o, body, text })
  })
}

export function defineWeight(group: Command, context: CliContext): void {
  const command = subcommand(group, 'weight', 'change the weight of one')
    .argument(...urlArgument)
    .argument('<n>', 'new weight', parseWholeNumber)
    .addOption(shared.save())
  act(context, command, async (url: string, weight: number, o: BackendOptions) => {
    const target = await resolveAdminTarget(o)
    const body: BackendStatus = await patchBackend(target, { url, pool: o.pool, weight })
    const text = `${body.url} has weight ${body.weight} now, from the next ${unitOf(body.url)} on`
    return report({ context, target, options: o, body, text })
  })
}
