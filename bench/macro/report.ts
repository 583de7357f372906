// Turns results into text tables, a Markdown page and JSON.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import { median, type Results, ratio } from './results.ts'
import type { Metric, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { judge } from './targets.ts'

export interface Run {
  /** ISO date, YYYY-MM-DD. */
  readonly date: string
  readonly name: string
  readonly machine: Machine
  /** By proxy, also those of the tools. */
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly seconds: number
  readonly results: Results
  /** What was skipped or went wrong, one line each. */
  readonly remarks: readonly string[]
}

type Table = readonly (readonly string[])[]

/** The whole run as text for a terminal. */
export function formatText(run: Run): string {
  const parts = measured(run).map((s) => `${s.name} · ${s.title}\n${align(scenarioTable(run, s))}`)
  const targets = targetTable(run)
  if (targets.length > 1) parts.push(`targets\n${align(targets)}`)
  if (run.remarks.length > 0) parts.push(`remarks\n${run.remarks.map((r) => `  ${r}`).join('\n')}`)
  return `${parts.join('\n\n')}\n`
}

/** The same as a page for bench/results. */
export function formatMarkdown(run: Run): string {
  const { machine } = run
  const lines = [
    `# Macro benchmark, ${run.date}: ${run.name}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}. Rounds: ${run.rounds}, of ${run.seconds} s; medians,`,
    'in parentheses the ratio to nginx, paired within each round. How it is measured: [bench/README.md](../README.md).',
    '',
    ...Object.entries(run.versions).map(([name, version]) => `- ${name}: ${version}`),
  ]
  for (const scenario of measured(run)) {
    lines.push('', `## ${scenario.name}`, '', `${scenario.title}.`, '', ...markdownTable(scenarioTable(run, scenario)))
  }
  const targets = targetTable(run)
  if (targets.length > 1) lines.push('', '## Targets', '', ...markdownTable(targets))
  if (run.remarks.length > 0) lines.push('', '## Remarks', '', ...run.remarks.map((r) => `- ${r}`))
  return `${lines.join('\n')}\n`
}

/** Writes `<date>-<name>.md` and `.json` into bench/results; returns the file name without its ending. */
export function save(run: Run): string {
  const stem = `${run.date}-${run.name}`
  const path = (ending: string) => fileURLToPath(new URL(`../results/${stem}${ending}`, import.meta.url))
  writeFileSync(path('.md'), formatMarkdown(run))
  writeFileSync(
    path('.json'),
    `${JSON.stringify({ ...run, results: byRound(run.results), remarks: run.remarks.join('; ') }, null, 2)}\n`,
  )
  return stem
}

/** "small/nginx/1": { … }: objects only, rounded to what is significant. */
function byRound(results: Results): Record<string, Record<string, number>> {
  return Object.fromEntries(
    results.map(({ scenario, rival, round, values }) => [
      `${scenario} ${rival} ${round}`,
      Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value.toPrecision(6))])),
    ]),
  )
}

function measured(run: Run): Scenario[] {
  return scenarios.filter((s) => run.results.some((sample) => sample.scenario === s.name))
}

function scenarioTable(run: Run, scenario: Scenario): Table {
  const names = new Set(run.results.filter((s) => s.scenario === scenario.name).map((s) => s.rival))
  const header = ['proxy', ...scenario.metrics.map((m) => m.title)]
  const rows = [...names].map((rival) => [rival, ...scenario.metrics.map((m) => cell(run, scenario.name, rival, m))])
  return [header, ...rows]
}

function cell(run: Run, scenario: string, rival: string, metric: Metric): string {
  const value = median(run.results, scenario, rival, metric.key)
  if (value === null) return '–'
  const text = value.toFixed(metric.digits)
  const relative = metric.ratio ? ratio(run.results, scenario, rival, metric.key, 'nginx') : null
  return relative === null ? text : `${text} (${relative.toFixed(2)})`
}

function targetTable(run: Run): Table {
  const rows = judge(run.results).map((v) => [
    v.text,
    v.value.toFixed(2),
    `≤ ${v.limit}`,
    v.reached ? 'reached' : 'MISSED',
  ])
  return [['frontdesk', 'value', 'target', ''], ...rows]
}

function align(table: Table): string {
  return padded(table)
    .map((row) => `  ${row.join('  ')}`.trimEnd())
    .join('\n')
}

/** In the form that the formatter leaves alone. */
function markdownTable(table: Table): string[] {
  const [header, ...rows] = padded(table)
  const rule = header!.map((text, i) => (i === 0 ? '-'.repeat(text.length) : `${'-'.repeat(text.length - 1)}:`))
  return [header!, rule, ...rows].map((row) => `| ${row.join(' | ')} |`)
}

/** All cells of a column equally wide (at least 3, which Markdown's rule needs): the first to the left, numbers to the right. */
function padded(table: Table): string[][] {
  const widths = table[0]!.map((_, column) => Math.max(3, ...table.map((row) => row[column]!.length)))
  return table.map((row) => row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))))
}
