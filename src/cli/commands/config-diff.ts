// `frontdesk config diff`: how what runs differs from its file, in both directions.
import type { Command } from 'commander'
import { callAdmin } from '../admin-client.ts'
import { RefusedError } from '../admin-refusal.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import type { ChangeAnswer, OriginEntry } from '../config-documents.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'
import { originTable } from '../origin-table.ts'
import { changeText, isEmpty } from '../plan-table.ts'
import { plural } from '../terminal.ts'

export function defineDiff(group: Command, context: CliContext): void {
  const command = addAdminOptions(
    group.command('diff').description('what was changed while it ran, and what the file says that does not run yet'),
  ).addOption(shared.json())
  act(context, command, (o: AdminOptions & { json?: true }) => diff(o, context))
}

async function diff(o: AdminOptions & { json?: true }, { terminal }: CliContext): Promise<number> {
  const target = await resolveAdminTarget(o)
  const { body: origins } = await callAdmin(target, { path: '/config?origin=1', expects: 'values' })
  const changed = (origins as { values: OriginEntry[] }).values.filter(({ origin }) => origin === 'api')
  const pending = await callAdmin(target, { method: 'POST', path: '/reload?dry_run=1' }).then(
    ({ body }) => body as ChangeAnswer,
    (error: unknown) => {
      if (error instanceof RefusedError && [409, 422].includes(error.status)) return error
      throw error
    },
  )
  if (o.json) {
    const file = pending instanceof CliError ? { error: pending.body } : pending
    terminal.out(`${JSON.stringify({ changed, file }, null, 2)}\n`)
    return pending instanceof CliError ? pending.exitCode : ExitCode.done
  }
  if (changed.length > 0) {
    terminal.out(`Changed while it ran, not in the file (${plural(changed.length, 'value')}):\n\n`)
    terminal.out(`${originTable(changed, terminal)}\n  "frontdesk config save" writes it into the file\n\n`)
  }
  if (pending instanceof CliError) throw pending
  if (!isEmpty(pending)) {
    terminal.out(`In the file, not applied:\n\n${changeText(pending, terminal)}\n  "frontdesk reload" applies it\n`)
  } else if (changed.length === 0) terminal.out('no difference: what runs is what the file says\n')
  return ExitCode.done
}
