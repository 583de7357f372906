// The `forward_auth` of a route: another server says of each request whether it may go on, and as whom.
import { errors } from '../../../core/errors.ts'
import type { Answer, FinishView, Middleware, RequestView, ResponseView } from '../../../core/plugin.ts'
import type { ForwardAuthSpec } from '../../../core/route-spec.ts'
import { framesOrRoutes } from '../../hygiene/field-changes.ts'
import { foldedName } from '../../hygiene/reserved-fields.ts'
import { refusal } from '../refusal.ts'
import { answerFrom, valuesOf } from './auth-answer.ts'
import { type AuthCall, AuthClient, type AuthClientOptions, AuthFailure, type AuthReply } from './auth-client.ts'
import { type AuthFieldRules, authFields } from './auth-fields.ts'

/** The client's own time limit comes first, so that running out of it is an error that says so. */
const LEEWAY_MS = 5_000

/** No request has this field: where it is to be copied, it goes to the client, whose session it renews. */
const SET_COOKIE = 'set-cookie'

export type ForwardAuthOptions = Omit<AuthClientOptions, 'url' | 'timeoutMs'>

export function forwardAuth(spec: ForwardAuthSpec, options: ForwardAuthOptions): Middleware {
  return new ForwardAuth(spec, options)
}

class ForwardAuth implements Middleware {
  readonly name = 'forward_auth'
  readonly timeoutMs: number
  /** Only where it has something to do. */
  readonly onResponse?: (response: ResponseView) => void
  readonly #client: AuthClient
  readonly #rules: AuthFieldRules
  readonly #copied: readonly string[]
  readonly #calls = new Map<RequestView, AuthCall>()
  readonly #renewals = new WeakMap<RequestView, readonly string[]>()

  constructor(spec: ForwardAuthSpec, options: ForwardAuthOptions) {
    this.timeoutMs = spec.timeoutMs + LEEWAY_MS
    this.#client = new AuthClient({ ...options, url: spec.url, timeoutMs: spec.timeoutMs })
    this.#copied = spec.copyHeaders.filter((name) => name !== SET_COOKIE)
    const framing = this.#copied.find(framesOrRoutes)
    if (framing !== undefined) throw new Error(`forward_auth cannot copy ${framing}: it frames or routes the message`)
    if (spec.copyHeaders.includes(SET_COOKIE)) this.onResponse = (response) => this.#renew(response)
    this.#rules = { requestHeaders: spec.requestHeaders, trusted: new Set(this.#copied.map(foldedName)) }
  }

  async onRequest(request: RequestView): Promise<Answer | undefined> {
    const fields = authFields(request, this.#rules)
    // Whatever the server will say, and if it says nothing: the client's own never get through (CVE-2026-30851).
    for (const name of this.#copied) request.removeHeader(name)
    const call = this.#client.ask(fields)
    if (call instanceof AuthFailure) return refusal(errors.auth_unavailable, {}, call.reason)
    this.#calls.set(request, call)
    const outcome = await call.outcome
    this.#calls.delete(request)
    if (outcome instanceof AuthFailure) return refusal(errors.auth_unavailable, {}, outcome.reason)
    if (outcome.status < 200 || outcome.status > 299) return answerFrom(outcome)
    this.#copy(outcome, request)
    return undefined
  }

  /** The client may have gone in the meantime. */
  onFinish({ request }: FinishView): void {
    this.#calls.get(request)?.cancel()
  }

  #copy({ fields }: AuthReply, request: RequestView): void {
    for (const name of this.#copied) {
      for (const value of valuesOf(fields, name)) request.addHeader(name, value)
    }
    if (this.onResponse !== undefined) this.#renewals.set(request, valuesOf(fields, SET_COOKIE))
  }

  /** Servers that renew a session while they are asked (oauth2-proxy) say so to the client, not to the backend. */
  #renew(response: ResponseView): void {
    for (const cookie of this.#renewals.get(response.request) ?? []) response.addHeader('Set-Cookie', cookie)
  }
}
