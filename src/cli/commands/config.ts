// `frontdesk config …`: the configuration of a running Frontdesk, where it comes from, its history, and the way back.
import type { Command } from 'commander'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import type { ChangeAnswer, HistoryEntry, OriginEntry } from '../config-documents.ts'
import { ExitCode } from '../exit-code.ts'
import { age } from '../figures.ts'
import { option, parsePositive, shared } from '../options.ts'
import { originTable } from '../origin-table.ts'
import { changeText, isEmpty, planSummary } from '../plan-table.ts'
import { printable } from '../printable.ts'
import type { SavedConfig } from '../save-config.ts'
import { plural, table } from '../terminal.ts'
import { defineDiff } from './config-diff.ts'

interface Options extends AdminOptions {
  readonly json?: true
}

const examples = `
Secrets are shown as ***.

Examples:
  frontdesk config show                            as it runs, changes made while it ran included
  frontdesk config show --expanded                 with every default
  frontdesk config show --origin                   where does each value come from?
  frontdesk config diff                            what runs and what the file says
  frontdesk config history
  frontdesk config rollback --dry-run              what would going back change?
  frontdesk config rollback 12
  frontdesk config save                            changes made while it ran, into the file`

export function defineConfig(program: Command, context: CliContext): void {
  const group = program.command('config').description('look at the configuration that runs, save it, go back')
  group.addHelpText('after', examples)
  defineShow(group, context)
  defineDiff(group, context)
  defineHistory(group, context)
  defineRollback(group, context)
  defineSave(group, context)
}

function subcommand(group: Command, name: string, description: string): Command {
  return addAdminOptions(group.command(name).description(description)).addOption(shared.json())
}

function defineShow(group: Command, context: CliContext): void {
  const command = subcommand(group, 'show', 'print the configuration that runs')
    .addOption(option('--expanded', 'short forms written out, every default filled in'))
    .addOption(option('--origin', 'a line for each value: where it was written, by whom it was changed'))
  act(context, command, async (o: Options & { expanded?: true; origin?: true }) => {
    const target = await resolveAdminTarget(o)
    const query = o.origin ? '?origin=1' : o.expanded ? '?expanded=1' : ''
    const { body } = await callAdmin(target, { path: `/config${query}`, ...(o.origin && { expects: 'values' }) })
    if (!o.origin || o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else {
      const { values } = body as { values: OriginEntry[] }
      // Defaults are what nobody has written: thousands of lines, shown when everything is asked for.
      const shown = o.expanded ? values : values.filter(({ origin }) => origin !== 'default')
      context.terminal.out(originTable(shown, context.terminal))
      const rest = values.length - shown.length
      if (rest > 0) context.terminal.out(`\n  ${plural(rest, 'default')} not shown: --expanded shows them\n`)
    }
    return ExitCode.done
  })
}

function defineHistory(group: Command, context: CliContext): void {
  const command = subcommand(group, 'history', 'the last changes: what, when, by whom')
  act(context, command, async (o: Options) => {
    const { body } = await callAdmin(await resolveAdminTarget(o), { path: '/config/history', expects: 'history' })
    const { revision, history } = body as { revision: number; history: HistoryEntry[] }
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else if (history.length === 0) context.terminal.out(`revision ${revision}: nothing was changed so far\n`)
    else {
      const head = ['  REVISION', 'WHEN', 'WHAT', 'BY'].map((cell) => context.terminal.paint('dim', cell))
      const rows = history.map((entry) => historyRow(entry, revision, context))
      context.terminal.out(
        table([head, ...rows.map(({ row }) => row)].flatMap((row, i) => [row, ...(rows[i - 1]?.more ?? [])])),
      )
      const before = history.find((entry) => entry.revision < revision)
      if (before !== undefined) {
        context.terminal.out(`\n  back   frontdesk config rollback ${before.revision} --dry-run\n`)
      }
    }
    return ExitCode.done
  })
}

function historyRow(
  { revision, at, by, cause, changes }: HistoryEntry,
  running: number,
  { terminal }: CliContext,
): { row: string[]; more: string[][] } {
  const number = `  ${revision}${revision === running ? ' *' : ''}`
  const isStart = cause === 'start'
  const [first = isStart ? 'started' : 'nothing', ...rest] = changes.map(printable)
  const row = [
    number,
    `${age(Date.now() - Date.parse(at))} ago`,
    first,
    terminal.paint('dim', printable(isStart ? '' : `${by}, ${cause}`)),
  ]
  return { row, more: rest.map((line) => ['', '', line, '']) }
}

function defineRollback(group: Command, context: CliContext): void {
  const command = subcommand(
    group,
    'rollback',
    'go back to an earlier revision; what happened since stays in the history',
  )
    .argument('[revision]', 'as "config history" lists it (default: the one before)', parsePositive)
    .addOption(shared.dryRun())
  act(context, command, async (revision: number | undefined, o: Options & { dryRun?: true }) => {
    const target = await resolveAdminTarget(o)
    const path = o.dryRun ? '/config/rollback?dry_run=1' : '/config/rollback'
    const hints = { 404: '"frontdesk config history" lists the revisions that are kept' }
    const { body } = await callAdmin(target, { method: 'POST', path, body: { revision }, hints, expects: 'plan' })
    const answer = body as ChangeAnswer
    if (o.json) context.terminal.out(`${JSON.stringify(answer, null, 2)}\n`)
    else
      context.terminal.out(
        `${changeText(answer, context.terminal)}${rollbackWords(answer, revision, o.dryRun === true)}\n`,
      )
    return ExitCode.done
  })
}

function rollbackWords(answer: ChangeAnswer, to: number | undefined, isDry: boolean): string {
  const { revision, plan } = answer
  if (isEmpty(answer)) return `nothing changes: revision ${revision} stays`
  if (isDry) return `${planSummary(plan)}; "frontdesk config rollback${to === undefined ? '' : ` ${to}`}" does it`
  // Whether a backend drains is none of the file's.
  const isOfFile = plan.steps.some(
    ({ changes }) => changes.length === 0 || changes.some(({ path }) => path !== 'state'),
  )
  const save = isOfFile ? '; "frontdesk config save" puts it into the file' : ''
  return `went back, as revision ${revision}: ${planSummary(plan)}${save}`
}

function defineSave(group: Command, context: CliContext): void {
  const command = subcommand(group, 'save', 'write what was changed while it ran into the file, keeping comments')
  act(context, command, async (o: Options) => {
    const call = { method: 'POST', path: '/config/save', expects: 'changes' } as const
    const { body } = await callAdmin(await resolveAdminTarget(o), call)
    const { file, changes } = body as SavedConfig
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else if (changes.length === 0) context.terminal.out(`nothing to save: ${file} says what runs\n`)
    else {
      for (const line of changes) context.terminal.out(`  ${printable(line)}\n`)
      context.terminal.out(`${plural(changes.length, 'change')} saved in ${file}: commit it, or look with "git diff"\n`)
    }
    return ExitCode.done
  })
}
