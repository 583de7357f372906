// A plan for people: a line for each thing that comes (+), changes (~) or goes (-), and what that does to live connections.
import type { Json } from '../config/document/types.ts'
import type { ChangeAnswer, Plan, PlannedChange, PlanStep } from './config-documents.ts'
import { printable } from './printable.ts'
import { type Colour, plural, type Terminal, table } from './terminal.ts'

/** Of a plan with very many steps, so many are shown. */
const SHOWN_STEPS = 200
/** A longer value is only said to change. */
const LONGEST_VALUE = 60

const signs: Readonly<Record<PlanStep['action'], readonly [sign: string, colour: Colour]>> = {
  add: ['+', 'green'],
  change: ['~', 'yellow'],
  move: ['~', 'yellow'],
  remove: ['-', 'red'],
  drain: ['-', 'red'],
}

/** The steps, the conflicts and what they touch; '' where nothing changes. Each line is indented by two. */
export function planTable(plan: Plan, { paint }: Pick<Terminal, 'paint'>): string {
  const rows = plan.steps.slice(0, SHOWN_STEPS).flatMap((step) => stepRows(step, paint))
  const more = plan.steps.length - SHOWN_STEPS
  if (more > 0) rows.push([`  … and ${plural(more, 'more step')}`])
  const conflicts = plan.conflicts.map(
    ({ path, message }) =>
      `  ${paint('yellow', '!')} ${printable(message.includes(path) ? message : `${path}: ${message}`)}\n`,
  )
  const restart = plan.needs_restart.map((key) => `  ${paint('red', '!')} ${key} changes with a restart only\n`)
  return (rows.length === 0 ? '' : table(rows)) + [...conflicts, ...restart].join('')
}

function stepRows(step: PlanStep, paint: Terminal['paint']): string[][] {
  const { action, kind, name, pool, changes, connections, note } = step
  const [sign, colour] = signs[action]
  const what = pool === undefined || pool === name ? name : `${name} (pool ${pool})`
  const words = [
    ...(action === 'drain' ? ['drains'] : action === 'move' && changes.length === 0 ? ['moves'] : []),
    ...changes.map(changeWords),
    ...(note === undefined ? [] : [note]),
    ...(connections === 0 ? [] : [`${plural(connections, 'live connection')}`]),
  ].map(printable)
  const [first = '', ...rest] = words
  const head = [`  ${paint(colour, sign)}`, kind, printable(what), first]
  return [head, ...rest.map((word) => ['  ', '', '', word])]
}

function changeWords({ path, from, to }: PlannedChange): string {
  const name = path === '' ? '' : `${path} `
  if (!isShort(from) || !isShort(to)) return `${name}changes`
  if (from === undefined) return `${name}${shown(to)}`
  return `${name}${shown(from)} → ${to === undefined ? '(none)' : shown(to)}`
}

const isShort = (value: Json | undefined): boolean => shown(value).length <= LONGEST_VALUE

const shown = (value: Json | undefined): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/** "2 added, 1 changed, 1 removed; no live connection is touched". */
export function planSummary({ steps, touched_connections: touched }: Plan): string {
  const count = (...actions: readonly PlanStep['action'][]): number =>
    steps.filter(({ action }) => actions.includes(action)).length
  const parts = [
    [count('add'), 'added'],
    [count('change', 'move'), 'changed'],
    [count('remove', 'drain'), 'removed'],
  ] as const
  const words = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  const what = words.length === 0 ? 'nothing changes' : words.join(', ')
  const live = touched === 0 ? 'no live connection is touched' : `${plural(touched, 'live connection')} may finish`
  return `${what}; ${live}`
}

/** Whether it changes anything. */
export const isEmpty = ({ plan, changes }: ChangeAnswer): boolean => plan.steps.length === 0 && changes.length === 0

/** The answer of a change or its trial, without its last line: what comes next is for the command to say. */
export function changeText(answer: ChangeAnswer, terminal: Pick<Terminal, 'paint'>): string {
  const { paint } = terminal
  const told = planTable(answer.plan, terminal)
  // Where there are no steps, what is said in words.
  const words = answer.plan.steps.length > 0 ? '' : answer.changes.map((line) => `  ${printable(line)}\n`).join('')
  const refused = (answer.refused ?? []).map(
    ({ message, hint }) => `  ${paint('red', '!')} ${printable(message)}${hint ? `; ${printable(hint)}` : ''}\n`,
  )
  const warnings = (answer.warnings ?? []).map((text) => `  ${paint('yellow', '!')} ${printable(text)}\n`)
  return told + words + refused.join('') + warnings.join('')
}
