// What concerns the whole process: limits, logs, the admin API, workers, plug-ins.

import type { Config } from '../../config/config.ts'
import { longFormWithSecrets } from '../../config/long-form.ts'
import { formChanges, same } from './form-changes.ts'
import type { PlanStep } from './plan-types.ts'

/** Of these another process is needed: what is remembered under one name cannot be under another at the same time. */
const fixedKeys: readonly string[] = ['state_file']

/** With these there is another memory for what is cached. */
const emptying: ReadonlySet<string> = new Set(['cache_store', 'cache_store.memory', 'cache_store.max_object'])

export function settingSteps(before: Config, after: Config): PlanStep[] {
  const changes = formChanges(settingsForm(before), settingsForm(after))
  const steps = changes.map((change): PlanStep => {
    const kind = change.path === 'workers' ? 'workers' : 'setting'
    const note = emptying.has(change.path) && before.cacheStore !== null ? { note: 'the memory begins empty' } : {}
    return { action: 'change', kind, name: change.path, changes: [{ ...change, path: '' }], connections: 0, ...note }
  })
  const tokens = tokenFileSteps(before.admin, after.admin)
  if (same(before.plugins, after.plugins)) return [...steps, ...tokens]
  return [
    ...steps,
    ...tokens,
    { action: 'change', kind: 'plugins', name: 'plugins', changes: [], connections: 0, note: 'read again' },
  ]
}

/** The name of the file is the same, what is in it is not. */
function tokenFileSteps(before: Config['admin'], after: Config['admin']): PlanStep[] {
  if (before === null || after === null) return []
  const isNew = (file: 'tokenFile' | 'readTokenFile', token: 'token' | 'readToken'): boolean =>
    after[file] !== null && after[file] === before[file] && after[token] !== before[token]
  const step = (key: string): PlanStep => {
    return { action: 'change', kind: 'setting', name: `admin.${key}`, changes: [], connections: 0, note: 'read again' }
  }
  return [
    ...(isNew('tokenFile', 'token') ? [step('token_file')] : []),
    ...(isNew('readTokenFile', 'readToken') ? [step('read_token_file')] : []),
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
