// What concerns the whole process: limits, logs, the admin API, workers, plug-ins.

import type { Config } from '../../config/config.ts'
import { longFormWithSecrets } from '../../config/long-form.ts'
import { formChanges, same } from './form-changes.ts'
import type { PlanStep } from './plan-types.ts'

/** Of these another process is needed: what is remembered under one name cannot be under another at the same time. */
const fixedKeys: readonly string[] = ['state_file']

export function settingSteps(before: Config, after: Config): PlanStep[] {
  const changes = formChanges(settingsForm(before), settingsForm(after))
  const steps = changes.map((change): PlanStep => {
    const kind = change.path === 'workers' ? 'workers' : 'setting'
    return { action: 'change', kind, name: change.path, changes: [{ ...change, path: '' }], connections: 0 }
  })
  if (same(before.plugins, after.plugins)) return steps
  return [
    ...steps,
    { action: 'change', kind: 'plugins', name: 'plugins', changes: [], connections: 0, note: 'read again' },
  ]
}

/** The keys that a running process cannot follow. */
export function keysThatNeedRestart(before: Config, after: Config): string[] {
  return before.stateFile === after.stateFile ? [] : [...fixedKeys]
}

function settingsForm(config: Config): Record<string, unknown> {
  const {
    listeners: _,
    pools: __,
    ...rest
  } = longFormWithSecrets({ ...config, listeners: [], pools: {}, routes: [], plugins: [] })
  return rest
}
