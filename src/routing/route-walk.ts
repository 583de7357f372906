// Examples of requests that a route takes, and which route takes an example: to judge routes before there is traffic.
import type { MatchView } from '../core/plugin.ts'
import type { MatchSpec, RouteSpec, ValueCondition } from '../core/route-spec.ts'
import { noPlugins } from '../plugins/registry.ts'
import { unixPeers } from '../util/cidr.ts'
import { canonicalTarget } from './canonical-target.ts'
import { pathShape } from './path-pattern.ts'
import { placesOf } from './rank.ts'
import { Router } from './router.ts'
import { valueText } from './value-pattern.ts'

export interface WalkedRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fields: string
  readonly address: string
  readonly serverName: string
}

/** The route that takes a request, with what its templates know then. */
export interface Hop {
  readonly route: number
  readonly params: Readonly<Record<string, string>>
  readonly rest: string
}

/** Of a route with very many hosts and paths, so many are tried. */
const maxExamples = 32

export class RouteWalk {
  readonly #router: Router
  /** A matcher of a plug-in was asked: nobody knows what it says. */
  #isUnknown = false

  constructor(routes: readonly Pick<RouteSpec, 'match'>[], listener: string) {
    const matcher = () => () => () => {
      this.#isUnknown = true
      return false
    }
    this.#router = new Router(routes, listener, { ...noPlugins, matcher })
  }

  /** Requests that meet the conditions, one for each host and path; none for a regular expression. */
  examples(match: MatchSpec): WalkedRequest[] {
    const [client = '192.0.2.1'] = match.clients
    const [serverName] = match.serverNames
    const fields = match.headers.map((condition) => `${condition.name}: ${exampleValue(condition)}\r\n`).join('')
    const pairs = match.query.map((one) => `${encodeURIComponent(one.name)}=${encodeURIComponent(exampleValue(one))}`)
    return placesOf(match, 0)
      .slice(0, maxExamples)
      .flatMap(({ host, path }) => {
        if (path === null) return []
        const name = exampleHost(host ?? serverName ?? 'host.example')
        return {
          method: match.methods[0] ?? 'GET',
          host: name,
          path: examplePath(path),
          query: pairs.length === 0 ? '' : `?${pairs.join('&')}`,
          fields,
          address: client === unixPeers ? `${unixPeers}:` : client.replace(/\/.*/, ''),
          serverName: serverName === undefined ? name : exampleHost(serverName),
        }
      })
  }

  /** Null = no route takes it, or nobody can know. */
  hop(request: WalkedRequest): Hop | null {
    const target = canonicalTarget(request.path)
    if (target === null) return null
    this.#isUnknown = false
    const route = this.#router.match({ ...request, path: target.path, view: noView })
    if (route === -1 || this.#isUnknown) return null
    return { route, params: this.#router.params, rest: this.#router.rest }
  }
}

/** Matchers that are asked look at nothing. */
const noView = (): MatchView => ({}) as MatchView

const exampleHost = (pattern: string): string => pattern.replace(/^\*/, 'host')

function examplePath(pattern: string): string {
  const { kind, segments } = pathShape(pattern)
  const begin = segments.map((segment) => `/${segment ?? 'example'}`).join('')
  return kind === 'prefix' || kind === 'any' ? `${begin}/example-page` : begin
}

function exampleValue({ values: [pattern] }: ValueCondition): string {
  return pattern === undefined ? 'example' : valueText(pattern) || 'example'
}
