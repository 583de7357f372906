// Listeners: what another configuration opens, changes, moves and closes.

import type { ListenerConfig } from '../../config/config.ts'
import { formatListenAddress } from '../../config/listen-address.ts'
import { listenerForm } from '../../config/long-form/listener.ts'
import { formChanges } from './form-changes.ts'
import type { LiveCounts, PlanStep } from './plan-types.ts'

export function listenerSteps(
  before: readonly ListenerConfig[],
  after: readonly ListenerConfig[],
  live: LiveCounts,
): PlanStep[] {
  const old = new Map(before.map((listener) => [listener.name, listener]))
  const steps: PlanStep[] = []
  for (const listener of after) {
    const known = old.get(listener.name)
    old.delete(listener.name)
    if (known === undefined) steps.push({ ...of(listener), action: 'add', note: formatListenAddress(listener) })
    else steps.push(...changed(known, listener))
  }
  for (const gone of old.values()) {
    steps.push({ ...of(gone), action: 'remove', connections: live.listener(gone.name) })
  }
  return steps
}

const of = ({ name }: ListenerConfig): Omit<PlanStep, 'action'> => ({
  kind: 'listener',
  name,
  changes: [],
  connections: 0,
})

function changed(before: ListenerConfig, after: ListenerConfig): PlanStep[] {
  const at = ['listeners', after.name]
  const changes = formChanges(listenerForm(before), listenerForm(after), { at })
  if (changes.length === 0) return []
  const moves = changes.some(({ path }) => path === 'listen')
  const note = moves ? { note: 'connections of the old address go on' } : {}
  return [{ ...of(after), action: moves ? 'move' : 'change', changes, ...note }]
}
