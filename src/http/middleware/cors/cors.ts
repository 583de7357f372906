// The `cors` of a route: preflights are answered here, and answers say which origins may read them. Fetch standard, §3.3.
import type { Answer, Middleware, RequestView, ResponseView } from '../../../core/plugin.ts'
import type { CorsSpec } from '../../../core/route-spec.ts'
import { listMembers, TOKEN } from '../../http1/grammar.ts'
import { compileOrigins, type OriginTest } from './origins.ts'

/** What backends say of it themselves: there is one policy, that of the route. */
const REPLACED = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
] as const

/** More names than any page asks for. */
const MAX_REQUESTED = 1024

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

export function cors(spec: CorsSpec): Middleware {
  return new Cors(spec)
}

class Cors implements Middleware {
  readonly name = 'cors'
  readonly #spec: CorsSpec
  /** Everybody may read, so that answers are the same for all of them. */
  readonly #open: boolean
  readonly #allows: OriginTest
  /** Never together with any origin: every page on the net could act as the user who visits it. */
  readonly #credentials: boolean

  constructor(spec: CorsSpec) {
    this.#spec = spec
    this.#open = spec.origins.includes('*')
    this.#allows = compileOrigins(spec.origins)
    this.#credentials = spec.credentials && !this.#open
  }

  /** A preflight is no request for the resource: it is answered whatever origin it names, and goes no further. */
  onRequest(request: RequestView): Answer | undefined {
    return isPreflight(request) ? { status: 204, headers: this.#preflight(request) } : undefined
  }

  /** Own answers pass here too: a page may read why it was refused. */
  onResponse(response: ResponseView): void {
    const { request } = response
    if (isPreflight(request)) return
    for (const name of REPLACED) response.removeHeader(name)
    if (!this.#open) addVary(response)
    const allowed = this.#allowed(request)
    if (allowed === null) return
    response.setHeader('Access-Control-Allow-Origin', allowed)
    if (this.#credentials) response.setHeader('Access-Control-Allow-Credentials', 'true')
    const { expose } = this.#spec
    if (expose.length > 0) response.setHeader('Access-Control-Expose-Headers', expose.join(', '))
  }

  /** Value of Access-Control-Allow-Origin; null = this origin may not read. */
  #allowed(request: RequestView): string | null {
    if (this.#open) return '*'
    const origins = request.headers('origin')
    const [origin = ''] = origins
    return origins.length === 1 && this.#allows(origin) ? origin : null
  }

  #preflight(request: RequestView): Record<string, string> {
    const headers: Record<string, string> = { Vary: PREFLIGHT_VARY }
    const allowed = this.#allowed(request)
    if (allowed === null) return headers
    const { methods, headers: names, maxAgeS } = this.#spec
    headers['Access-Control-Allow-Origin'] = allowed
    if (this.#credentials) headers['Access-Control-Allow-Credentials'] = 'true'
    const allowedMethods = listOrAsked(methods, request.header('access-control-request-method'))
    if (allowedMethods !== '') headers['Access-Control-Allow-Methods'] = allowedMethods
    const allowedNames = listOrAsked(names, request.header('access-control-request-headers'))
    if (allowedNames !== '') headers['Access-Control-Allow-Headers'] = allowedNames
    headers['Access-Control-Max-Age'] = String(maxAgeS)
    return headers
  }
}

function isPreflight(request: RequestView): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.header('access-control-request-method') !== undefined &&
    request.header('origin') !== undefined
  )
}

/** With `*` in the list, whatever is asked for: a literal `*` would leave out Authorization, and mean nothing with credentials. */
function listOrAsked(list: readonly string[], asked: string | undefined): string {
  if (!list.includes('*')) return list.join(', ')
  if (asked === undefined || asked.length > MAX_REQUESTED) return ''
  const names = asked.split(',').map((name) => name.trim())
  return names.every((name) => TOKEN.test(name)) ? names.join(', ') : ''
}

/** What caches have to know, also of answers that nobody may read. */
function addVary(response: ResponseView): void {
  const named = response.headers('vary').flatMap(listMembers)
  if (!named.includes('origin') && !named.includes('*')) response.addHeader('Vary', 'Origin')
}
