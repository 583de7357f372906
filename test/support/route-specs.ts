// Routes and requests for tests of routing: what is not said is not asked for.
import type { MatchView } from '../../src/core/plugin.ts'
import type { MatchSpec, RouteSpec } from '../../src/core/route-spec.ts'
import type { RouteQuestion } from '../../src/routing/router.ts'

const everything: MatchSpec = {
  hosts: [],
  paths: [],
  pathRegex: null,
  methods: [],
  headers: [],
  query: [],
  clients: [],
  listeners: [],
  serverNames: [],
  custom: null,
}

/** A route that only matches; it answers 204. */
export function routeSpec(match: Partial<MatchSpec>, name = 'r'): RouteSpec {
  return {
    name,
    rows: [],
    match: { ...everything, ...match },
    action: { kind: 'respond', status: 204, headers: [], body: [] },
    rewrite: null,
    mirror: null,
    requestHeaders: null,
    responseHeaders: null,
    timeouts: null,
    retries: null,
    sticky: null,
    hostHeader: null,
    bodySize: null,
    allow: [],
    deny: [],
    rateLimits: [],
    concurrency: null,
    cors: null,
    basicAuth: null,
    forwardAuth: null,
    use: [],
    compression: null,
    cache: null,
    errorPages: [],
    accessLog: true,
  }
}

/** Routes called r0, r1, … */
export function routeSpecs(...matches: Partial<MatchSpec>[]): RouteSpec[] {
  return matches.map((match, index) => routeSpec(match, `r${index}`))
}

/** A GET of `/` from 192.0.2.1, but for what is said. */
export function question(asked: Partial<RouteQuestion>): RouteQuestion {
  const {
    method = 'GET',
    host = '',
    path = '/',
    query = '',
    fields = '',
    address = '192.0.2.1',
    serverName = '',
  } = asked
  const view = asked.view ?? (() => ({ method, host, path, query }) as MatchView)
  return { method, host, path, query, fields, address, serverName, view }
}
