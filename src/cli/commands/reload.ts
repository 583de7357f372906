// `frontdesk reload`: a running Frontdesk reads its file and certificates again; `--dry-run` only says what that would do.
import type { Command } from 'commander'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import type { ChangeAnswer } from '../config-documents.ts'
import { ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'
import { changeText, isEmpty, planSummary } from '../plan-table.ts'

interface Options extends AdminOptions {
  readonly dryRun?: true
  readonly json?: true
}

const examples = `
The file is checked whole first, by the running Frontdesk itself, and every worker prepares the change before any of
them applies it: on an error the exit code is 78 (the file is wrong) or 1, and nothing has changed.

Examples:
  frontdesk reload --dry-run                       what would it change?
  frontdesk reload
  frontdesk config history                         what was changed, when and by whom`

export function defineReload(program: Command, context: CliContext): void {
  const command = addAdminOptions(
    program.command('reload').description('let a running Frontdesk apply its configuration file now'),
  )
  command.addOption(shared.dryRun()).addOption(shared.json())
  command.addHelpText('after', examples)
  act(context, command, (o: Options) => reload(o, context))
}

async function reload(o: Options, { terminal }: CliContext): Promise<number> {
  const target = await resolveAdminTarget(o)
  const path = o.dryRun ? '/reload?dry_run=1' : '/reload'
  const hints = { 409: 'restart it: "frontdesk stop", then "frontdesk run"; or take these changes out of the file' }
  const { body } = await callAdmin(target, { method: 'POST', path, hints, expects: 'plan' })
  const answer = body as ChangeAnswer
  if (o.json) terminal.out(`${JSON.stringify(answer, null, 2)}\n`)
  else {
    terminal.out(changeText(answer, terminal))
    terminal.out(`${lastLine(answer, o.dryRun === true)}\n`)
  }
  return (answer.refused ?? []).length === 0 ? ExitCode.done : ExitCode.invalidConfig
}

function lastLine(answer: ChangeAnswer, isDry: boolean): string {
  const { revision, plan } = answer
  if (isEmpty(answer)) return `nothing in the file has changed: revision ${revision} stays`
  const restart = plan.needs_restart.length > 0
  if (isDry && restart) return `${planSummary(plan)}; needs a restart, "frontdesk reload" would be refused`
  if (isDry) return `${planSummary(plan)}; "frontdesk reload" applies it`
  const back = plan.steps.length === 0 ? '' : '; "frontdesk config rollback" goes back'
  return `applied as revision ${revision}: ${planSummary(plan)}${back}`
}
