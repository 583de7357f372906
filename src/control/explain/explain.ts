// What would become of a request that came now: by the routes, the pools and the counters that the workers use, and without
// leaving a trace there. Plug-in code is named, never called.
import { type ErrorSpec, errors } from '../../core/errors.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { ListenerSpec, PoolSpec, Snapshot, StickySpec } from '../../core/spec.ts'
import { fieldValue } from '../../http/http1/grammar.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import { hashOf } from '../../http/hygiene/hash-key.ts'
import { hasDotSegments } from '../../http/hygiene/target.ts'
import { redirectAnswer, respondAnswer } from '../../http/route/own-action.ts'
import { SplitChoice } from '../../http/route/split-choice.ts'
import { RequestRecord } from '../../http/steps/request-record.ts'
import { noPlugins } from '../../plugins/registry.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import { normalHost } from '../../routing/host-name.ts'
import { actionWords, matchWords } from '../../routing/route-words.ts'
import { Router } from '../../routing/router.ts'
import { implicitRoute } from '../../state/names.ts'
import type { OwnerState } from '../../state/owner-state.ts'
import { routeHello } from '../../tcp/sni-route.ts'
import { hash32 } from '../../util/hash32.ts'
import { refusalsOf } from '../cache/refusals.ts'
import type { Health } from '../health/health.ts'
import { strategyWords } from '../lists/pool-list.ts'
import { type Asked, type ExplainInput, listenerFor, readAsked } from './asked.ts'
import type { ExplainedBackend } from './backend-rows.ts'
import { type ExplainedCache, explainCached } from './cached.ts'
import { type Choice, Choices } from './choice.ts'
import { type Considered, consideredRoutes } from './considered.ts'
import { changeWords, hostWords, type OwnAnswerView, passageOf } from './gates.ts'
import { readTarget, targetOf, withBase } from './target.ts'

export type { ExplainInput } from './asked.ts'

export interface Explanation {
  readonly listener: string
  readonly route: {
    readonly name: string
    readonly match: string
    readonly action: string
    readonly implicit: boolean
  } | null
  readonly considered: readonly Considered[]
  /** What it passes, in order, in words. */
  readonly steps: readonly string[]
  readonly action: 'pool' | 'split' | 'redirect' | 'respond' | 'none'
  readonly pool: string | null
  readonly strategy: string | null
  /** As the backend gets it; null where none gets anything, or it is TCP. */
  readonly target: string | null
  readonly sticky: Choice['sticky']
  readonly backends: readonly ExplainedBackend[]
  /** The answer of our own; null = that of a backend. */
  readonly answer: OwnAnswerView | null
  /** What the cache would do; null = nobody gets to a backend, or it is TCP. */
  readonly cache: ExplainedCache | null
}

export interface ExplainerOptions {
  readonly state: OwnerState
  readonly health: Pick<Health, 'checks' | 'outage'>
  /** What is in force. */
  readonly snapshot: () => Snapshot
  /** What answers are cached in; undefined = no route caches. */
  readonly cache?: () => CachePlane | undefined
}

type Base = Pick<Explanation, 'listener' | 'route' | 'considered' | 'action'>

/** A request that has found its way to a route, or to the pool of its listener. */
interface Routed extends Base {
  readonly snapshot: Snapshot
  readonly spec: ListenerSpec
  readonly chosen: RouteSpec | null
  readonly head: RequestHead
  readonly record: RequestRecord
  readonly address: string
}

export class Explainer {
  readonly #o: ExplainerOptions
  readonly #choices: Choices
  /** By the routes of a snapshot, then by listener. */
  readonly #routers = new WeakMap<readonly RouteSpec[], Map<string, Router>>()

  constructor(options: ExplainerOptions) {
    this.#o = options
    this.#choices = new Choices(options)
  }

  /** @throws ControlError invalid, not-found. */
  async explain(input: ExplainInput): Promise<Explanation> {
    const snapshot = this.#o.snapshot()
    const listener = listenerFor(input, snapshot)
    if (listener.protocol !== 'http') return this.#explainTcp(input, listener, snapshot)
    const asked = readAsked(input, listener, snapshot)
    const base = { listener: listener.name, route: null, considered: [], action: 'none' } as const
    const { head } = asked
    if ('retry' in head) return answered(base, refusalOf(head))
    if (listener.redirectHttpsPort !== 0) {
      const why = `the listener redirects everything to https, port ${listener.redirectHttpsPort}`
      return answered({ ...base, action: 'redirect' }, { status: 308, why })
    }
    if (head.fields.looped) return answered(base, refusalOf(errors.loop_detected))
    if (head.method === 'OPTIONS' && head.fields.maxForwards === 0) {
      return answered(base, { status: 204, why: 'Max-Forwards is 0: this proxy is asked itself' })
    }
    return this.#explainRoute(listener, snapshot, { ...asked, head })
  }

  async #explainRoute(
    listener: ListenerSpec,
    snapshot: Snapshot,
    { head, client }: Asked & { readonly head: RequestHead },
  ): Promise<Explanation> {
    const { name } = listener
    const address = head.fields.clientAddress || client.address
    const target = readTarget(head.target, snapshot)
    if (target === null) {
      return answered({ listener: name, route: null, considered: [], action: 'none' }, refusalOf(errors.bad_target))
    }
    const host = normalHost(head.host)
    const serverName = client.tls?.serverName ?? ''
    const question = {
      ...target,
      method: head.method,
      host,
      fields: head.fields.lookup,
      address,
      serverName,
      view: noView,
    }
    const router = this.#routerOf(snapshot.routes, name)
    const taken = router.match(question)
    const chosen = taken < 0 ? null : snapshot.routes[taken]!
    const considered = await consideredRoutes(snapshot.routes, { question, listener: name, taken })
    const base: Base = { listener: name, considered, ...routeOf(chosen, listener) }
    if (base.route === null) return answered(base, refusalOf(errors.no_route))
    const { params, rest } = router
    const ids = { id: '', route: base.route.name, listener: name, trafficRow: 0 }
    const record = new RequestRecord({ head, client, host, ...target, params, rest, ...ids })
    return this.#explainPassage({ ...base, snapshot, spec: listener, chosen, head, record, address })
  }

  async #explainPassage(routed: Routed): Promise<Explanation> {
    const { chosen, head, address, snapshot, record } = routed
    const bodySize = chosen?.bodySize ?? snapshot.limits.bodySize
    const passage = passageOf({ route: chosen, head, address, bodySize })
    if (passage.answer !== null) return { ...answered(routed, passage.answer), steps: passage.steps }
    const { steps } = passage
    if (chosen?.action.kind === 'redirect') {
      const { status, fields, refusal } = redirectAnswer(chosen.action, record)
      const location = /^Location: (.*)\r\n/.exec(fields)?.[1] ?? ''
      const why = refusal === undefined ? `redirects to ${location}` : refusal.error.summary
      return { ...answered(routed, { status, why }), steps }
    }
    if (chosen?.action.kind === 'respond') {
      const { status } = respondAnswer(chosen.action, record)
      return { ...answered(routed, { status, why: `route ${chosen.name} answers itself` }), steps }
    }
    return this.#explainPool(routed, steps)
  }

  async #explainPool(routed: Routed, steps: readonly string[]): Promise<Explanation> {
    const { chosen, head, address, snapshot, spec, record } = routed
    const target = targetOf(chosen, record)
    if (target === null) {
      return { ...answered(routed, refusalOf(errors.bad_target)), steps: [...steps, 'the path is rewritten to none'] }
    }
    const rewritten = target === record.path + record.query ? [] : [`the target becomes ${target}`]
    const place = this.#poolOf(chosen, spec, head, address)
    const pool = poolNamed(snapshot, place.pool)
    const hostHeader = chosen?.hostHeader ?? pool.hostHeader
    const changes =
      chosen === null ? (hostHeader === 'preserve' ? [] : [hostWords(hostHeader)]) : changeWords(chosen, hostHeader)
    const all = [...steps, ...rewritten, ...place.steps, ...changes]
    if (pool.backends.some(({ basePath }) => basePath !== '') && hasDotSegments(target)) {
      return { ...answered(routed, refusalOf(errors.bad_target)), steps: all }
    }
    const sticky = stickyOf(chosen, pool)
    const header = sticky?.by === 'header' ? fieldValue(head.fields.lookup, sticky.name.toLowerCase()) : ''
    const key = { cookie: head.fields.cookie, address, header }
    const choice = this.#choices.explain({ pool, sticky, key, hash: hashOf(pool, head, address) })
    const cache = await this.#cachedBy(routed, pool.name, choice.failure)
    const parts = { steps: all, target: withBase(target, pool, choice), cache }
    // What is stored is served whether a backend is there or not.
    const served = cache.would_hit ? { answer: null } : {}
    return { ...answered(routed, null), ...pooled(pool, choice), ...parts, ...served }
  }

  #cachedBy(
    { chosen, head, record, snapshot }: Routed,
    pool: string,
    failure: Choice['failure'],
  ): Promise<ExplainedCache> {
    return explainCached({
      route: chosen,
      plane: this.#o.cache?.(),
      head,
      target: record.path + record.query,
      pool,
      failure,
      refusals: chosen === null ? {} : refusalsOf(chosen, snapshot, this.#o.state),
    })
  }

  /** The pool that requests of a route go to now. */
  #poolOf(
    route: RouteSpec | null,
    listener: ListenerSpec,
    head: RequestHead,
    address: string,
  ): { readonly pool: string; readonly steps: string[] } {
    if (route === null) return { pool: listener.pool, steps: [] }
    const { action } = route
    if (action.kind === 'pool') return { pool: action.pool, steps: [] }
    if (action.kind !== 'split') throw new Error(`route ${route.name} has no pool`)
    const choice = new SplitChoice(action)
    const key = choice.keyOf(head, address)
    const place = key === '' ? choice.ofTicket(this.#o.state.nextTicket(action.cursor)) : choice.ofKey(key)
    const by = typeof action.by === 'string' ? action.by : `${action.by.kind} ${action.by.name}`
    const { pool } = action.targets[place]!
    const why = key === '' ? 'it is its turn' : `by ${by}, as always for this client`
    return { pool, steps: [`of the split pool ${pool} takes it: ${why}`] }
  }

  #explainTcp(input: ExplainInput, listener: ListenerSpec, snapshot: Snapshot): Explanation {
    const { name, protocol, sni } = listener
    const serverName = input.serverName?.toLowerCase() ?? ''
    const poolName = protocol === 'tcp' ? listener.pool : routeHello({ serverName, alpn: input.alpn }, sni)
    const considered = sni.map((one): Considered => {
      const taken = one.pool === poolName && matchesName(one.name, serverName)
      return { route: one.name, taken, why: taken ? `takes it: pool ${one.pool}` : `is for ${one.name}` }
    })
    const base: Base = { listener: name, route: null, considered: considered.slice(0, 10), action: 'pool' }
    if (poolName === null) {
      const why = serverName === '' ? 'no server name is asked for' : `nobody serves ${serverName}`
      return answered({ ...base, action: 'none' }, { status: 0, why: `${why}: the connection is closed` })
    }
    const pool = poolNamed(snapshot, poolName)
    const key = { cookie: '', address: input.client, header: '' }
    const choice = this.#choices.explain({ pool, sticky: pool.sticky, key, hash: hash32(input.client) })
    return { ...answered(base, null), ...pooled(pool, choice) }
  }

  #routerOf(routes: readonly RouteSpec[], listener: string): Router {
    const routers = this.#routers.get(routes) ?? new Map<string, Router>()
    this.#routers.set(routes, routers)
    const known = routers.get(listener)
    if (known !== undefined) return known
    const router = new Router(routes, listener, { ...noPlugins, matcher: () => () => () => false })
    routers.set(listener, router)
    return router
  }
}

/** Matchers of plug-ins are not asked. */
const noView = (): never => {
  throw new Error('nobody looks at it')
}

const matchesName = (name: string, serverName: string): boolean =>
  name === '*' || name === serverName || (name.startsWith('*.') && serverName.endsWith(name.slice(1)))

const refusalOf = ({ status, summary }: ErrorSpec): OwnAnswerView => ({ status, why: summary })

function answered({ listener, route, considered, action }: Base, answer: OwnAnswerView | null): Explanation {
  const nothing = { steps: [], pool: null, strategy: null, target: null, sticky: null, backends: [], cache: null }
  return { listener, route, considered, action, ...nothing, answer }
}

function pooled(pool: PoolSpec, { sticky, backends, failure }: Choice): Partial<Explanation> {
  const { full, none } = {
    full: { status: errors.backends_full.status, why: errors.backends_full.summary },
    none: { status: errors.no_backend.status, why: errors.no_backend.summary },
  }
  const answer = failure === null ? null : failure === 'full' ? full : none
  return { pool: pool.name, strategy: strategyWords(pool), sticky, backends, answer }
}

function routeOf(chosen: RouteSpec | null, listener: ListenerSpec): Pick<Base, 'route' | 'action'> {
  if (chosen !== null) {
    const { name, match, action, mirror } = chosen
    const words = { name, match: matchWords(match), action: actionWords(action, mirror), implicit: false }
    return { route: words, action: action.kind }
  }
  if (listener.pool === '') return { route: null, action: 'none' }
  const action = `pool ${listener.pool}`
  return { route: { name: implicitRoute, match: 'everything else', action, implicit: true }, action: 'pool' }
}

function stickyOf(route: RouteSpec | null, pool: PoolSpec): StickySpec | null {
  if (route === null || route.sticky === null) return pool.sticky
  return route.sticky === 'none' ? null : route.sticky
}

function poolNamed({ pools }: Snapshot, name: string): PoolSpec {
  const pool = pools.find((one) => one.name === name)
  if (pool === undefined) throw new Error(`there is no pool ${name}`)
  return pool
}
