// A plan in words for people: one line for each thing that changes, as logs, history and `frontdesk reload` show it.

import type { Json } from '../../config/document/types.ts'
import type { PlannedChange, PlanStep } from './plan-types.ts'

/** Of very many changes of routes, so many are told one by one. */
const toldRoutes = 20
/** A longer value is only said to have changed. */
const longestValue = 60

export function planWords(steps: readonly PlanStep[]): string[] {
  const lines: string[] = []
  const routes: string[] = []
  for (const step of steps) (step.kind === 'route' ? routes : lines).push(...stepWords(step))
  const more = routes.length - toldRoutes
  const told = more > 1 ? [...routes.slice(0, toldRoutes), `routes: ${more} more changes`] : routes
  const at = lines.indexOf('plugins: read again')
  return at < 0 ? [...lines, ...told] : [...lines.slice(0, at), ...told, ...lines.slice(at)]
}

function stepWords(step: PlanStep): string[] {
  const { kind, name, action, changes } = step
  switch (kind) {
    case 'backend':
      return backendWords(step)
    case 'pool':
      if (action !== 'change') return [`pool ${name}: ${pastOf[action]}${bracketed(step.note)}`]
      return [...changes.map((change) => `pool ${name}: ${valueWords(change)}`), ...noted(`pool ${name}`, step.note)]
    case 'listener':
      return [listenerWords(step)]
    case 'route':
      if (action === 'move') return ['routes: another order']
      return [`route ${name}: ${action === 'change' ? (step.note ?? 'changed') : pastOf[action]}`]
    case 'plugins':
      return ['plugins: read again']
    case 'certificate':
      return [`${name} changed`]
    default:
      return [...changes.map((change) => valueWords({ ...change, path: name })), ...noted(name, step.note)]
  }
}

const pastOf = { add: 'added', change: 'changed', move: 'moved', remove: 'removed', drain: 'drained' } as const

const bracketed = (note: string | undefined): string => (note === undefined ? '' : ` (${note})`)

const noted = (what: string, note: string | undefined): string[] => (note === undefined ? [] : [`${what}: ${note}`])

function backendWords({ action, name, pool, changes, note }: PlanStep): string[] {
  if (action === 'add' || action === 'remove') return [`pool ${pool}: ${pastOf[action]} ${name}`]
  if (changes.length === 0) return [`pool ${pool}: ${name} ${note ?? 'changed'}`]
  return changes.map((change) => `pool ${pool}: ${name} ${valueWords(change)}`)
}

function listenerWords({ action, name, changes, note }: PlanStep): string {
  if (action === 'add') return `listener ${name}: added${bracketed(note)}`
  if (action === 'remove') return `listener ${name}: removed`
  const moved = changes.find(({ path }) => path === 'listen')
  const others = changes.filter(({ path }) => path !== 'listen').map(({ path }) => path)
  const rest = others.length === 0 ? '' : `${others.join(', ')} changed`
  if (moved === undefined) return `listener ${name}: ${rest}`
  const from = `moved ${text(moved.from)} → ${text(moved.to)}`
  return `listener ${name}: ${from}${rest === '' ? '' : `; ${rest}`}`
}

/** `weight 1 → 3`, or `hide_headers changed` where the values are long. */
export function valueWords({ path, from, to }: PlannedChange): string {
  const words = `${path} ${text(from)} → ${text(to)}`
  return isShort(from) && isShort(to) ? words : `${path} changed`
}

const isShort = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value !== 'object' && String(value).length <= longestValue)

const text = (value: Json | undefined): string => {
  if (value === undefined) return '(none)'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
