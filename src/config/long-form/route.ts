// A route as the long form writes it: every key that it has a use for.
import type { MatchSpec, PluginRef, ValueCondition } from '../../core/route-spec.ts'
import type { RetriesSpec, TimeoutsSpec } from '../../core/spec.ts'
import { formatByteSize } from '../../util/byte-size.ts'
import { formatDuration } from '../../util/duration.ts'
import type { RouteConfig } from '../config.ts'
import { formatPercent } from '../schema/scalars.ts'
import { answersForm, bodyForm, fieldsForm, headersForm } from './route-answers.ts'
import { accessForm, limitsForm } from './route-gates.ts'
import { stickyForm } from './sticky.ts'

type Form = Record<string, unknown>

export function routeForm(route: RouteConfig): Form {
  const { action } = route
  const forwards = action.kind === 'pool' || action.kind === 'split'
  return {
    name: route.name,
    match: matchForm(route.match),
    ...actionForm(action),
    ...(forwards && forwardingForm(route)),
    ...headersForm(route),
    ...accessForm(route),
    ...limitsForm(route),
    ...answersForm(route),
    ...(!route.accessLog && { access_log: false }),
    ...(route.use.length > 0 && { use: route.use.map(refForm) }),
  }
}

/** "name", or {"name": options}. */
export function refForm({ name, options }: PluginRef): unknown {
  const isEmpty = typeof options === 'object' && options !== null && Object.keys(options).length === 0
  return isEmpty && !Array.isArray(options) ? name : { [name]: options }
}

function matchForm(match: MatchSpec): unknown {
  const lists = {
    host: match.hosts,
    path: match.paths,
    method: match.methods,
    client: match.clients,
    listener: match.listeners,
    server_name: match.serverNames,
  }
  const form: Form = {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(match.pathRegex !== null && { path_regex: match.pathRegex }),
    ...(match.headers.length > 0 && { header: conditionsForm(match.headers) }),
    ...(match.query.length > 0 && { query: conditionsForm(match.query) }),
    ...(match.custom !== null && { custom: refForm(match.custom) }),
  }
  return Object.keys(form).length === 0 ? '*' : form
}

const conditionsForm = (conditions: readonly ValueCondition[]): Form =>
  Object.fromEntries(conditions.map(({ name, values }) => [name, values.length === 0 ? true : values]))

function actionForm(action: RouteConfig['action']): Form {
  switch (action.kind) {
    case 'pool':
      return { pool: action.pool }
    case 'split':
      return { split: { to: action.targets, by: splitKeyForm(action.by) } }
    case 'redirect':
      return { redirect: { to: action.to, status: action.status, keep_query: action.keepQuery } }
    case 'respond': {
      const { status, headers, body, contentType } = action
      const typed = contentType !== null && { content_type: contentType }
      return { respond: { status, headers: fieldsForm(headers), ...bodyForm(body), ...typed } }
    }
  }
}

function splitKeyForm(by: Extract<RouteConfig['action'], { kind: 'split' }>['by']): string {
  if (by === 'request') return by
  return by === 'client-ip' ? 'ip' : `${by.kind}:${by.name}`
}

function forwardingForm(route: RouteConfig): Form {
  const { mirror, rewrite, timeouts, retries, bodySize, hostHeader, sticky } = route
  return {
    ...(mirror !== null && {
      mirror: {
        pool: mirror.pool,
        share: formatPercent(mirror.share),
        max_body: formatByteSize(mirror.maxBody),
        max_active: mirror.maxActive,
      },
    }),
    ...(rewrite.stripPrefix !== '' && { strip_prefix: rewrite.stripPrefix }),
    ...(rewrite.addPrefix !== '' && { add_prefix: rewrite.addPrefix }),
    ...(rewrite.replace !== null && { rewrite: rewrite.replace }),
    ...(timeouts !== null && { timeouts: timeoutsForm(timeouts) }),
    ...(retries !== null && { retries: retriesForm(retries) }),
    ...(bodySize !== null && { body_size: formatByteSize(bodySize) }),
    ...(hostHeader !== null && { host_header: hostHeader }),
    ...(sticky !== null && { sticky: sticky === 'none' ? false : stickyForm(sticky) }),
  }
}

const timeoutKeys = [
  ['connect', 'connectMs'],
  ['first_byte', 'firstByteMs'],
  ['idle', 'idleMs'],
  ['total', 'totalMs'],
  ['tunnel', 'tunnelMs'],
] as const

/** Of a pool all of them, of a route those that it has. */
export function timeoutsForm(timeouts: Partial<TimeoutsSpec>): Form {
  return Object.fromEntries(
    timeoutKeys.flatMap(([key, own]) => {
      const ms = timeouts[own]
      return ms === undefined ? [] : [[key, formatDuration(ms)]]
    }),
  )
}

export function retriesForm(retries: Partial<RetriesSpec>): Form {
  const { attempts, onConnect, onReset, onStatus, budgetRatio } = retries
  const causes = [
    ...(onConnect === true ? ['connect'] : []),
    ...(onReset === true ? ['reset'] : []),
    ...(onStatus ?? []).map(String),
  ]
  return {
    ...(attempts !== undefined && { attempts }),
    ...(onStatus !== undefined && { on: causes }),
    ...(budgetRatio !== undefined && { budget: formatPercent(budgetRatio) }),
  }
}
