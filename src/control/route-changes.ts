// What a new configuration changes in routes and plug-ins, in words for people.

import type { Config } from '../config/config.ts'

type Parts = Pick<Config, 'routes' | 'plugins'>

/** Of very many changes, so many are told one by one. */
const toldLines = 20

/** Both sides come out of the same schema: keys have one order. */
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** One line each. */
export function routeChanges(before: Parts, after: Parts): string[] {
  const old = new Map(before.routes.map((route) => [route.name, route]))
  const changes: string[] = []
  for (const route of after.routes) {
    const known = old.get(route.name)
    old.delete(route.name)
    if (known === undefined) changes.push(`route ${route.name}: added`)
    else changes.push(...changesOf(known, route))
  }
  for (const name of old.keys()) changes.push(`route ${name}: removed`)
  if (changes.length === 0 && !same(namesOf(before), namesOf(after))) changes.push('routes: another order')
  const more = changes.length - toldLines
  const told = more > 1 ? [...changes.slice(0, toldLines), `routes: ${more} more changes`] : changes
  return same(before.plugins, after.plugins) ? told : [...told, 'plugins: read again']
}

const namesOf = ({ routes }: Parts): string[] => routes.map(({ name }) => name)

type Route = Config['routes'][number]

function changesOf(before: Route, after: Route): string[] {
  const keys = (Object.keys(after) as (keyof Route)[]).filter((key) => !same(before[key], after[key]))
  return keys.length === 0 ? [] : [`route ${after.name}: ${keys.map((key) => words[key]).join(', ')} changed`]
}

/** As the file has it. */
const words: Readonly<Record<keyof Route, string>> = {
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
  errorPages: 'error_pages',
  accessLog: 'access_log',
  use: 'use',
}
