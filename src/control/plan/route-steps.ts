// Routes: what another configuration adds, changes and removes.

import type { RouteConfig } from '../../config/config.ts'
import { routeForm } from '../../config/long-form/route.ts'
import { formChanges, same } from './form-changes.ts'
import type { PlanStep } from './plan-types.ts'

export function routeSteps(before: readonly RouteConfig[], after: readonly RouteConfig[]): PlanStep[] {
  if (before === after) return []
  const old = new Map(before.map((route) => [route.name, route]))
  const steps: PlanStep[] = []
  for (const route of after) {
    const known = old.get(route.name)
    old.delete(route.name)
    if (known === undefined) steps.push({ ...of(route.name), action: 'add' })
    else if (!same(known, route)) steps.push({ ...of(route.name), action: 'change', ...changesOf(known, route) })
  }
  for (const name of old.keys()) steps.push({ ...of(name), action: 'remove' })
  const isMoved = steps.length === 0 && !same(before.map(nameOf), after.map(nameOf))
  return isMoved ? [{ ...of(''), action: 'move', note: 'another order' }] : steps
}

const nameOf = ({ name }: RouteConfig): string => name

const of = (name: string): Omit<PlanStep, 'action'> => ({ kind: 'route', name, changes: [], connections: 0 })

function changesOf(before: RouteConfig, after: RouteConfig): Pick<PlanStep, 'changes' | 'note'> {
  const changes = formChanges(routeForm(before), routeForm(after), { at: ['routes', after.name] })
  const keys = (Object.keys(after) as (keyof RouteConfig)[]).filter((key) => !same(before[key], after[key]))
  return { changes, note: `${keys.map((key) => words[key]).join(', ')} changed` }
}

/** As the file has it. */
const words: Readonly<Record<keyof RouteConfig, string>> = {
  name: 'name',
  match: 'match',
  action: 'what it does',
  rewrite: 'rewrite',
  mirror: 'mirror',
  requestHeaders: 'headers.request',
  responseHeaders: 'headers.response',
  timeouts: 'timeouts',
  retries: 'retries',
  bodySize: 'body_size',
  hostHeader: 'host_header',
  sticky: 'sticky',
  allow: 'allow',
  deny: 'deny',
  rateLimits: 'rate_limit',
  concurrency: 'concurrency',
  cors: 'cors',
  basicAuth: 'basic_auth',
  forwardAuth: 'forward_auth',
  securityHeaders: 'security_headers',
  compression: 'compression',
  cache: 'cache',
  errorPages: 'error_pages',
  accessLog: 'access_log',
  use: 'use',
}
