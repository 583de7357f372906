// What people write in TypeScript: middleware, strategies, matchers. Types only; the public entry exports them.
// Frontdesk's own middleware has the same shape, so that there is one pipeline and one set of rules.
import type { BackendSpec } from './spec.ts'

type MaybePromise<T> = T | Promise<T>
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is as good as one that returns undefined
type MaybeAnswer = Answer | undefined | void

/** An answer made by the proxy instead of a backend. */
export interface Answer {
  /** 200–599. */
  readonly status: number
  /** By name; a list for several fields of one name. Framing fields (Content-Length …) are refused. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Text is sent as UTF-8. Not sent for HEAD, 204 and 304. */
  readonly body?: string | Uint8Array
}

/** Who sent a request: as a believed proxy (`trusted_proxies`) tells of it by X-Forwarded-For, else the peer. */
export interface ClientView {
  /** IP address without IPv4-mapped prefix, of the connection or, from a PROXY header, of the client it tells of; `unix:` on a Unix socket. */
  readonly address: string
  readonly port: number
  /** Whether it is one of `trusted_proxies`. */
  readonly trusted: boolean
  /** Null without TLS. */
  readonly tls: { readonly version: string; readonly serverName: string } | null
}

/** A request as middleware sees it: what the client sent, and what is to go to the backend instead. */
export interface RequestView {
  readonly method: string
  /** Host as asked for, in normal form: lower case, without port and trailing dot; '' where there is none. */
  readonly host: string
  readonly scheme: 'http' | 'https'
  /** The canonical path that was matched; it does not change with `rewrite`. */
  readonly path: string
  /** With its `?`; '' without one. */
  readonly query: string
  /** X-Request-Id, of this exchange. */
  readonly id: string
  /** Name of the route. */
  readonly route: string
  /** Named parts of the route's path, percent-encoded as they came. */
  readonly params: Readonly<Record<string, string>>
  readonly client: ClientView
  /** For middleware to keep things in, from `onRequest` to `onFinish`. Made on first use, shared by all of the route. */
  readonly state: Map<string, unknown>
  /**
   * The first field of that name (any case): as the client sent it, or as earlier steps have changed it. Fields that it
   * may not send are not there. Undefined = none.
   */
  header(name: string): string | undefined
  /** Every field of that name, likewise. */
  headers(name: string): string[]
  /** Lower-case names of the fields that the client sent, each once, in the order of their first one. */
  headerNames(): string[]
  cookie(name: string): string | undefined
  /** Replaces every field of that name in what backends get. Throws TypeError for names that frame a message, and for values with line breaks. */
  setHeader(name: string, value: string): void
  addHeader(name: string, value: string): void
  removeHeader(name: string): void
  /** What backends get instead of path and query; made canonical again. Throws TypeError for anything but an origin-form target. */
  rewrite(target: string): void
}

/** One attempt at a backend: edits hold for this attempt alone. */
export interface BackendRequestView {
  readonly request: RequestView
  readonly pool: string
  /** URL in normal form. */
  readonly backend: string
  /** 1 for the first. */
  readonly attempt: number
  setHeader(name: string, value: string): void
  addHeader(name: string, value: string): void
  removeHeader(name: string): void
}

/** The head of a backend's final answer, before the client gets it. */
export interface ResponseView {
  readonly request: RequestView
  status: number
  /** URL in normal form; '' for an answer of the proxy's own. */
  readonly backend: string
  header(name: string): string | undefined
  headers(name: string): string[]
  setHeader(name: string, value: string): void
  addHeader(name: string, value: string): void
  removeHeader(name: string): void
}

/** How an exchange ended. */
export interface FinishView {
  readonly request: RequestView
  /** As the client saw it; 499 = it had gone, 0 = nothing was sent. */
  readonly status: number
  readonly durationMs: number
  /** URL of the last backend asked; '' = none. */
  readonly backend: string
  readonly attempts: number
  /** Name of the error (see the reference), '' for none. */
  readonly error: string
}

/** A step of a route. Every hook is optional; those that are not there cost nothing. */
export interface Middleware {
  readonly name?: string
  /** Time limit of each asynchronous hook, default 10000; then the request fails with 500 (504 is a backend's). */
  readonly timeoutMs?: number
  /** Before a backend is chosen. An answer ends the exchange. */
  onRequest?(request: RequestView): MaybePromise<MaybeAnswer>
  /** Before each attempt. */
  onBackendRequest?(request: BackendRequestView): MaybePromise<void>
  /** Before the head of the answer goes out, in reverse order of the steps. An answer takes its place. Own answers pass here too. */
  onResponse?(response: ResponseView): MaybePromise<MaybeAnswer>
  /** Always, once, when all is over; its result is not waited for. */
  onFinish?(finish: FinishView): void
}

/** Makes a middleware out of the options that a route gives it. Called once per route, worker and snapshot. */
export type MiddlewareFactory<O = unknown> = (options: O) => Middleware

/** Whether a route takes a request; synchronous. What throws fails the request (500) and is logged. */
export type Matcher = (request: MatchView) => boolean
export type MatcherFactory<O = unknown> = (options: O) => Matcher

/** What a matcher may see. */
export type MatchView = Pick<
  RequestView,
  'method' | 'host' | 'scheme' | 'path' | 'query' | 'client' | 'header' | 'headers' | 'cookie'
>

/** A backend as a strategy sees it: what is configured, and live counters over all workers. */
export interface StrategyBackend extends Pick<BackendSpec, 'url' | 'weight' | 'maxConnections' | 'backup'> {
  /** Healthy, not drained, below its limit, and of a weight above 0. */
  readonly available: boolean
  /** Requests or connections in flight. */
  readonly active: number
  /** Moving average of the time to the first byte, milliseconds; 0 = not known yet. */
  readonly latencyMs: number
}

export interface StrategyInput<O = unknown> {
  readonly backends: readonly StrategyBackend[]
  readonly options: O
  readonly state: {
    /** The next number of a counter that all workers share, for one snapshot's pool: 0 … 2³²−1, then 0 again. */
    ticket(): number
  }
}

/** What a choice may depend on besides the backends. */
export interface StrategyRequest {
  /** u32 hash of the client's address. */
  readonly hash: number
  /** Whether a backend has failed or refused in this exchange: it is not asked again. */
  tried(backend: StrategyBackend): boolean
}

/** An own strategy: built once per pool, worker and snapshot. */
export interface CustomStrategy<O = unknown> {
  /** The function is called for every choice; undefined = none. A choice that is not available or was tried counts as none. */
  build(input: StrategyInput<O>): (request: StrategyRequest) => StrategyBackend | undefined
}

/** What a package or module brings, by the names that a configuration uses. */
export interface Plugin {
  // Each knows its own options: `never` lets every one of them in.
  readonly middleware?: Readonly<Record<string, Middleware | MiddlewareFactory<never>>>
  readonly strategies?: Readonly<Record<string, CustomStrategy<never>>>
  readonly matchers?: Readonly<Record<string, MatcherFactory<never>>>
}
