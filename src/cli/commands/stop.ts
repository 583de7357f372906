// `frontdesk stop`: asks a running Frontdesk to drain and end.
import type { Command } from 'commander'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'

export function defineStop(program: Command, context: CliContext): void {
  const command = addAdminOptions(program.command('stop').description('let a running Frontdesk drain and end'))
  command.addHelpText(
    'after',
    '\nThe same as sending it TERM. Example:\n  frontdesk stop --admin http://127.0.0.1:8081',
  )
  act(context, command, async (o: AdminOptions) => {
    const target = await resolveAdminTarget(o)
    await callAdmin(target, { method: 'POST', path: '/stop' })
    context.terminal.out(
      `Frontdesk at ${target.base.origin} is draining: it takes no new connections and ends when those open are done.\n` +
        'It has ended when "frontdesk status" can no longer reach it.\n',
    )
    return ExitCode.done
  })
}
