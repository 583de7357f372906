// The written routes as one listener sees them: which of them takes a request, and with what.
import type { MatchView } from '../../core/plugin.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { PluginRegistry } from '../../plugins/registry.ts'
import { canonicalTarget } from '../../routing/canonical-target.ts'
import { normalHost } from '../../routing/host-name.ts'
import { type RouteQuestion, Router } from '../../routing/router.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { type ClientFactsOfStep, RequestRecord } from '../steps/request-record.ts'
import type { Route } from './route.ts'

/** What a request was found to ask for. Valid until the next one is looked at. */
export class Found implements RouteQuestion {
  method = ''
  host = ''
  path = ''
  query = ''
  fields = ''
  address = ''
  serverName = ''
  #head: RequestHead | null = null
  #client: ClientFactsOfStep | null = null
  readonly #listener: string
  readonly #router: Router

  constructor(listener: string, router: Router) {
    this.#listener = listener
    this.#router = router
  }

  /** False = its target is none. */
  read(head: RequestHead, client: ClientFactsOfStep): boolean {
    const canonical = head.target === '*' ? asterisk : canonicalTarget(head.target)
    if (canonical === null) return false
    this.method = head.method
    this.host = normalHost(head.host)
    this.path = canonical.path
    this.query = canonical.query
    this.fields = head.fields.lookup
    this.address = head.fields.clientAddress || client.address
    this.serverName = client.tls?.serverName ?? ''
    this.#head = head
    this.#client = client
    return true
  }

  view(): MatchView {
    return this.record('', '', 0)
  }

  /** The request for steps and templates. */
  record(id: string, route: string, trafficRow: number): RequestRecord {
    return new RequestRecord({
      head: this.#head!,
      client: this.#client!,
      id,
      route,
      trafficRow,
      listener: this.#listener,
      host: this.host,
      path: this.path,
      query: this.query,
      params: this.#router.params,
      rest: this.#router.rest,
    })
  }
}

/** OPTIONS asks about the server itself: only routes without a path take it. */
const asterisk = { path: '*', query: '' }

export class RouteTable {
  readonly found: Found
  readonly #routes: readonly Route[]
  readonly #router: Router

  /** `routes` as `specs`, one for one. Throws where a route needs a matcher that nobody brings. */
  constructor(
    specs: readonly RouteSpec[],
    routes: readonly Route[],
    { listener, plugins }: { listener: string; plugins: PluginRegistry },
  ) {
    this.#routes = routes
    this.#router = new Router(specs, listener, plugins)
    this.found = new Found(listener, this.#router)
  }

  /** The route that takes the request; undefined = none does, null = the target is none. */
  match(head: RequestHead, client: ClientFactsOfStep): Route | undefined | null {
    const { found } = this
    if (!found.read(head, client)) return null
    const at = this.#router.match(found)
    return at < 0 ? undefined : this.#routes[at]
  }
}
