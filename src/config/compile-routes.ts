// Checked routes → their compiled form: texts with variables parsed, numbers in shared memory given.
import { createHash } from 'node:crypto'
import type {
  BasicAuthSpec,
  ConcurrencySpec,
  ErrorPageSpec,
  FieldEditSpec,
  HeaderEditsSpec,
  RateLimitSpec,
  RouteSpec,
  TemplateSpec,
} from '../core/route-spec.ts'
import type { Cursor, StickySpec } from '../core/spec.ts'
import { parseTemplate } from '../routing/template.ts'
import { hash32 } from '../util/hash32.ts'
import type { Config, RouteConfig, StickyConfig } from './config.ts'
import type { FieldConfig, HeaderEditsConfig, SecurityHeadersConfig } from './schema/route/headers.ts'

export interface CompileRoutesOptions {
  /** The ticket counter of a split, by its name: see `splitCursor`. */
  readonly cursorOf: (name: string) => Cursor
  /** Rows of the counters of a route, by the position of a listener. */
  readonly routeRowsOf: (route: string) => readonly number[]
  /** The affinity table of a route that is sticky by ip or header. */
  readonly tableOf: (name: string) => number
  /** Hex; for sticky cookies that have no secret of their own. */
  readonly stickySecret: string
}

/** Names of what routes have in shared memory, beside those of pools; pools have no ":" in theirs. */
export const splitCursor = (route: string): string => `split:${route}`
export const routeTable = (route: string): string => `route:${route}`

export function compileRoutes({ routes }: Pick<Config, 'routes'>, options: CompileRoutesOptions): RouteSpec[] {
  const ids = new LimitIds()
  return routes.map((route) => compileRoute(route, ids, options))
}

function compileRoute(route: RouteConfig, ids: LimitIds, options: CompileRoutesOptions): RouteSpec {
  const { name, basicAuth, concurrency, errorPages, rewrite, sticky, use } = route
  const { stripPrefix, addPrefix, replace } = rewrite
  return {
    name,
    rows: options.routeRowsOf(name),
    match: route.match,
    action: compileAction(route, options),
    rewrite: stripPrefix === '' && addPrefix === '' && replace === null ? null : rewrite,
    mirror: route.mirror,
    requestHeaders: route.requestHeaders && compileEdits(route.requestHeaders),
    responseHeaders: responseEdits(route),
    timeouts: route.timeouts,
    retries: route.retries,
    sticky: sticky === null || sticky === 'none' ? sticky : compileSticky(sticky, routeTable(name), options),
    hostHeader: route.hostHeader,
    bodySize: route.bodySize,
    allow: route.allow,
    deny: route.deny,
    rateLimits: route.rateLimits.map((limit, i) => compileLimit(limit, { name, i, of: route.rateLimits.length }, ids)),
    concurrency: concurrency && { ...concurrency, id: ids.idOf(`concurrency\n${name}`) },
    cors: route.cors,
    basicAuth: basicAuth && compileUsers(basicAuth),
    forwardAuth: route.forwardAuth,
    use: use.map((ref, i) => ({ ref, place: `route ${name}: use[${i}]` })),
    compression: route.compression,
    cache: route.cache,
    errorPages: errorPages.flatMap(compilePage),
    accessLog: route.accessLog,
  }
}

function compileAction({ name, action }: RouteConfig, options: CompileRoutesOptions): RouteSpec['action'] {
  switch (action.kind) {
    case 'pool':
      return action
    case 'split': {
      const targets = action.targets.filter(({ weight }) => weight > 0)
      return { kind: 'split', targets, by: action.by, cursor: options.cursorOf(splitCursor(name)) }
    }
    case 'redirect':
      return { ...action, to: headerTemplate(action.to) }
    case 'respond': {
      const { status, contentType } = action
      const typed = contentType === null ? [] : [{ name: 'Content-Type', value: contentType }]
      const headers = [...typed, ...action.headers].map(compileField)
      return { kind: 'respond', status, headers, body: bodyTemplate(action.body.text) }
    }
  }
}

/** latin1 bytes of UTF-8: what is put into messages is not encoded once more. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

function asBytes(template: TemplateSpec): TemplateSpec {
  return template.map((part) => (typeof part !== 'string' || isAscii(part) ? part : bytesOf(part)))
}

const headerTemplate = (text: string): TemplateSpec => asBytes(parseTemplate(text))
const bodyTemplate = (text: string): TemplateSpec => asBytes(parseTemplate(text, { loose: true }))

const compileField = ({ name, value }: FieldConfig): FieldEditSpec => ({ name, value: headerTemplate(value) })

function compileEdits({ remove, set, add }: HeaderEditsConfig): HeaderEditsSpec {
  return { remove, set: set.map(compileField), add: add.map(compileField) }
}

/** The fields for browsers, as far as the route's own edits say nothing about them. */
function responseEdits({ responseHeaders, securityHeaders }: RouteConfig): HeaderEditsSpec | null {
  const own = responseHeaders && compileEdits(responseHeaders)
  if (securityHeaders === null) return own
  const said = new Set([...(own?.remove ?? []), ...(own?.set ?? []).map(({ name }) => name.toLowerCase())])
  const more = securityFields(securityHeaders).filter(({ name }) => !said.has(name.toLowerCase()))
  return { remove: own?.remove ?? [], set: [...more.map(plainField), ...(own?.set ?? [])], add: own?.add ?? [] }
}

/** Policies have braces in them at most by accident: they are taken as they are. */
const plainField = ({ name, value }: FieldConfig): FieldEditSpec => ({ name, value: [bytesOf(value)] })

function securityFields(spec: SecurityHeadersConfig): FieldConfig[] {
  const fields: readonly (readonly [name: string, value: string | null])[] = [
    ['X-Content-Type-Options', spec.contentTypeOptions ? 'nosniff' : null],
    ['X-Frame-Options', spec.frameOptions],
    ['Referrer-Policy', spec.referrerPolicy],
    ['Cross-Origin-Opener-Policy', spec.crossOriginOpenerPolicy],
    ['Cross-Origin-Resource-Policy', spec.crossOriginResourcePolicy],
    ['Permissions-Policy', spec.permissionsPolicy],
    ['Content-Security-Policy', spec.contentSecurityPolicy],
  ]
  return fields.flatMap(([name, value]) => (value === null ? [] : [{ name, value }]))
}

/** Also of pools: their table is found by their name. */
export function compileSticky(
  { by, name, ttlMs, secret }: StickyConfig,
  owner: string,
  { tableOf, stickySecret }: Pick<CompileRoutesOptions, 'tableOf' | 'stickySecret'>,
): StickySpec {
  const own = secret === null ? null : createHash('sha256').update(secret).digest('hex')
  const table = by === 'cookie' ? -1 : tableOf(owner)
  return { by, name, ttlMs, table, secret: by === 'cookie' ? (own ?? stickySecret) : '' }
}

function compileLimit(
  limit: RouteConfig['rateLimits'][number],
  { name: route, i, of }: { readonly name: string; readonly i: number; readonly of: number },
  ids: LimitIds,
): RateLimitSpec {
  const { name, ...rest } = limit
  const own = of === 1 ? route : `${route}-${i + 1}`
  const id = name === null ? ids.idOf(`route\n${route}\n${i}`) : ids.idOf(`limit\n${name}`)
  return { ...rest, name: name ?? own, id }
}

/** Numbers of limits in the shared tables: the same after a reload, and in all processes; different for different limits. */
class LimitIds {
  readonly #idOf = new Map<string, ConcurrencySpec['id']>()
  readonly #taken = new Set<number>([0])

  idOf(limit: string): number {
    let id = this.#idOf.get(limit)
    if (id !== undefined) return id
    for (let seed = 0; id === undefined || this.#taken.has(id); seed++) id = hash32(limit, seed)
    this.#taken.add(id)
    this.#idOf.set(limit, id)
    return id
  }
}

function compileUsers(auth: NonNullable<RouteConfig['basicAuth']>): BasicAuthSpec {
  return { realm: auth.realm, users: [...auth.users, ...auth.fileUsers], userHeader: auth.userHeader }
}

function compilePage({ statuses, intercept, contentType, body }: RouteConfig['errorPages'][number]): ErrorPageSpec[] {
  const template = bodyTemplate(body.text)
  return statuses.map(({ from, to }) => ({ from, to, intercept, contentType, body: template }))
}
