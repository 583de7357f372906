// `frontdesk status`: one screen about a running Frontdesk.
import type { Command } from 'commander'
import { formatDuration } from '../../control/format-duration.ts'
import type { StatusDocument } from '../../control/status.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { backendTable } from '../backend-table.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'
import { plural, type Terminal } from '../terminal.ts'

export function defineStatus(program: Command, context: CliContext): void {
  const command = addAdminOptions(
    program.command('status').description('show how a running Frontdesk and its backends are'),
  )
  command.addOption(shared.json())
  command.addHelpText('after', '\nExamples:\n  frontdesk status\n  frontdesk status --json | jq .active_backends')
  act(context, command, async (o: AdminOptions & { json?: true }) => {
    const target = await resolveAdminTarget(o)
    const { body } = await callAdmin(target, { path: '/status' })
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else print(body as StatusDocument, target.base, context.terminal)
    return ExitCode.done
  })
}

function print(status: StatusDocument, base: URL, terminal: Terminal): void {
  const head = [
    `frontdesk ${status.version}`,
    `up ${formatDuration(status.uptime_seconds * 1000)}`,
    plural(status.workers.filter(({ state }) => state === 'running').length, 'worker'),
    ...(status.draining ? [terminal.paint('yellow', 'draining')] : []),
    `revision ${status.revision}`,
    base.origin,
  ]
  terminal.out(`  ${head.join(' · ')}\n\n`)
  terminal.out(backendTable(status.backends, terminal, Date.now()))
  const good = status.active_backends === status.total_backends
  const summary = `${status.active_backends} of ${plural(status.total_backends, 'backend')} take requests`
  terminal.out(`\n  ${terminal.paint(good ? 'green' : 'yellow', summary)}\n`)
  terminal.out(nextSteps(status))
}

function nextSteps({ backends }: StatusDocument): string {
  const out = backends.some(({ state }) => state === 'draining' || state === 'disabled')
  const ill = backends.some(({ state }) => state === 'down' || state === 'ejected')
  return [
    ill ? '  next  mend what the last check says, or take it out: frontdesk backends remove URL\n' : '',
    out ? '  next  back into service: frontdesk backends enable URL\n' : '',
  ].join('')
}
