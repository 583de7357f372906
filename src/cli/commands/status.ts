// `frontdesk status`: one screen about a running Frontdesk.
import type { Command } from 'commander'
import type { MaterialStatus } from '../../control/certificates/certificate-status.ts'
import { formatDuration } from '../../control/format-duration.ts'
import { type StatusDocument, speaksTcp } from '../../control/status.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { backendTable } from '../backend-table.ts'
import { expiredLines, refusedLines } from '../certificate-words.ts'
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
    const { body } = await callAdmin(target, { path: '/status', expects: 'total_backends' })
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else {
      const { body: certificates } = await callAdmin(target, { path: '/certificates' })
      print(body as StatusDocument, target.base, context.terminal)
      const all = certificates as MaterialStatus[]
      for (const line of [...expiredLines(all, context.terminal), ...refusedLines(all, context.terminal)]) {
        context.terminal.out(line)
      }
    }
    return ExitCode.done
  })
}

function print(status: StatusDocument, base: URL, terminal: Terminal): void {
  const head = [
    `frontdesk ${status.version}`,
    `up ${formatDuration(status.uptime_seconds * 1000)}`,
    planes(status.workers),
    ...(status.draining ? [terminal.paint('yellow', 'draining')] : []),
    `revision ${status.revision}`,
    base.origin,
  ]
  terminal.out(`  ${head.join(' · ')}\n\n`)
  if (status.total_backends === 0) {
    terminal.out('  no backends\n')
    return
  }
  terminal.out(backendTable(status.backends, terminal, Date.now()))
  const good = status.active_backends === status.total_backends
  const { active_backends: active, total_backends: total } = status
  const summary = `${active} of ${plural(total, 'backend')} ${active === 1 ? 'takes' : 'take'} ${taken(status)}`
  terminal.out(`\n  ${terminal.paint(good ? 'green' : 'yellow', summary)}\n`)
  terminal.out(nextSteps(status))
}

/** "2 workers and the main thread", which serves what cannot be handed to a worker. */
function planes(workers: StatusDocument['workers']): string {
  const running = workers.filter(({ state }) => state === 'running')
  const threads = running.filter(({ main }) => main !== true).length
  if (threads === running.length) return plural(threads, 'worker')
  return threads === 0 ? 'no worker threads' : `${plural(threads, 'worker')} and the main thread`
}

/** What backends get: requests, connections over TCP, or one and the other. */
function taken({ backends }: StatusDocument): string {
  const tcp = backends.filter(speaksTcp).length
  if (tcp === 0) return 'requests'
  return tcp === backends.length ? 'connections' : 'requests and connections'
}

function nextSteps({ backends }: StatusDocument): string {
  const out = backends.some(({ state }) => state === 'draining' || state === 'disabled')
  const ill = backends.some(({ state }) => state === 'down' || state === 'ejected')
  if (!ill && !out) return '  live  frontdesk top\n'
  return [
    ill ? '  next  mend what the last check says, or take it out: frontdesk backends remove URL\n' : '',
    out ? '  next  back into service: frontdesk backends enable URL\n' : '',
  ].join('')
}
