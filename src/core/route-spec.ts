// The compiled, immutable form of routes: which requests one takes, and what it does to them. Plain data, as spec.ts.
import type { CacheSpec } from './cache-spec.ts'
import type { RetriesSpec, StickySpec, TimeoutsSpec } from './spec.ts'

/** One condition on a header field or query parameter. */
export interface ValueCondition {
  /** Lower case for header fields; as written for query parameters. */
  readonly name: string
  /** Any of these; empty = it must be there, whatever it says. A `*` at either end stands for any characters. */
  readonly values: readonly string[]
}

/** Conditions of a route. All that are given must hold; within one, any of its values. Null or empty = not asked for. */
export interface MatchSpec {
  /** Normal form: lower case, no port, no trailing dot. `example.com`, or `*.example.com` for one or more further labels. */
  readonly hosts: readonly string[]
  /**
   * Canonical paths: `/exact`, `/prefix/*` (takes `/prefix` too), `/users/{id}`, `/users/{id}/*`. Empty = every path
   * (`/*` is compiled to that).
   */
  readonly paths: readonly string[]
  /** Source of a regular expression (RE2 syntax) that must match the whole canonical path; null = none. Never beside `paths`. */
  readonly pathRegex: string | null
  readonly methods: readonly string[]
  readonly headers: readonly ValueCondition[]
  readonly query: readonly ValueCondition[]
  /** CIDR blocks of client addresses; `unix` for those on a Unix socket. */
  readonly clients: readonly string[]
  /** Names of listeners. */
  readonly listeners: readonly string[]
  /** Names of TLS (SNI), as `hosts`. */
  readonly serverNames: readonly string[]
  /** Matcher of a plug-in; null = none. */
  readonly custom: PluginRef | null
}

/** No conditions: every request fulfils them. */
export const everyRequest: MatchSpec = Object.freeze({
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
})

/** Something that a plug-in brings, with the options that the configuration gives it. */
export interface PluginRef {
  /** Key under which each worker finds the value, see plugins/registry.ts. */
  readonly name: string
  /** Plain data. */
  readonly options: unknown
}

/** Text with variables, parsed: strings alternate with variables, e.g. ['/new/', {name: 'path'}]. */
export type TemplateSpec = readonly (string | VariableSpec)[]

export interface VariableSpec {
  /** As in docs/guide/routes.md: `client.ip`, `request.id`, `header.x-user`, `path`, a named part of the route's path … */
  readonly name: string
}

export interface FieldEditSpec {
  /** As written: the name that is sent. */
  readonly name: string
  readonly value: TemplateSpec
}

/** Changes of a header section, done in this order. */
export interface HeaderEditsSpec {
  /** Lower case. */
  readonly remove: readonly string[]
  /** Replaces every field of that name. */
  readonly set: readonly FieldEditSpec[]
  readonly add: readonly FieldEditSpec[]
}

export interface RewriteSpec {
  /** Taken from the front of the path, at a segment's end; '' = nothing. */
  readonly stripPrefix: string
  /** Put before it; '' = nothing. */
  readonly addPrefix: string
  /** Where the (RE2) pattern matches the path, it becomes `to`, with `$1` or `${name}` for captures; null = none. */
  readonly replace: { readonly pattern: string; readonly to: string } | null
}

export interface SplitSpec {
  readonly targets: readonly { readonly pool: string; readonly weight: number }[]
  /**
   * `request`: exactly by weight over all workers, by the ticket counter. A client stays at its pool by address,
   * header or cookie otherwise (a hash of the value; requests without it are split as by `request`).
   */
  readonly by: 'request' | 'client-ip' | { readonly kind: 'header' | 'cookie'; readonly name: string }
  /** Row of the ticket counter in shared memory (a pool cursor of its own). */
  readonly cursor: number
}

export interface MirrorSpec {
  readonly pool: string
  /** 0–1 of the requests. */
  readonly share: number
  /** Requests with larger bodies are not mirrored. */
  readonly maxBody: number
  /** Copies in flight at once, in each worker; more are dropped (and counted). */
  readonly maxActive: number
}

export interface RedirectSpec {
  readonly to: TemplateSpec
  /** The query of the request is kept where `to` has none of its own. */
  readonly keepQuery: boolean
  readonly status: 301 | 302 | 303 | 307 | 308
}

export interface RespondSpec {
  readonly status: number
  readonly headers: readonly FieldEditSpec[]
  /** latin1 bytes of the (UTF-8) body. */
  readonly body: TemplateSpec
}

/** Whose traffic is counted together. */
export type KeySpec = { readonly by: 'ip' | 'all' } | { readonly by: 'header' | 'cookie'; readonly name: string }

export interface RateLimitSpec {
  /** In RateLimit fields and in the metrics. */
  readonly name: string
  readonly key: KeySpec
  /** Requests per `periodMs`, spread evenly (GCRA) … */
  readonly count: number
  readonly periodMs: number
  /** … and so many at once. At least 1. */
  readonly burst: number
  /** Distinguishes limits in the shared table: two with the same id share their counts. u32. */
  readonly id: number
  /** RateLimit and RateLimit-Policy fields are sent. */
  readonly tell: boolean
}

export interface ConcurrencySpec {
  readonly key: KeySpec
  readonly max: number
  readonly id: number
}

export interface BasicAuthSpec {
  readonly realm: string
  /** scrypt or bcrypt hashes by user name, in PHC or modular crypt format. */
  readonly users: readonly { readonly name: string; readonly hash: string }[]
  /** Tells the backend who it is (lower-case name); '' = it is not told. */
  readonly userHeader: string
}

export interface ForwardAuthSpec {
  /** Asked for each request; http:// or https://, any host. */
  readonly url: string
  readonly timeoutMs: number
  /** Request fields that are passed on to it besides the X-Forwarded ones; lower case; empty = all end-to-end ones. */
  readonly requestHeaders: readonly string[]
  /** Fields of its answer that become request fields for the backend; lower case; always deleted from the client's message first. */
  readonly copyHeaders: readonly string[]
}

export interface CorsSpec {
  /** Exact origins, `https://*.example.com`, or `*`. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Request fields; `*` = whatever is asked for. */
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly credentials: boolean
  readonly maxAgeS: number
}

export interface CompressionSpec {
  /** In our order of preference. */
  readonly algorithms: readonly ('zstd' | 'br' | 'gzip')[]
  /** Media types; `text/*` or `application/*+json` for a family. Lower case. */
  readonly types: readonly string[]
  /** Smaller answers of known length stay as they are. */
  readonly minSize: number
}

export interface ErrorPageSpec {
  /** Statuses from … to, both included. */
  readonly from: number
  readonly to: number
  /** Answers of backends with these statuses are replaced too, not only our own. */
  readonly intercept: boolean
  readonly contentType: string
  /** latin1 bytes of the (UTF-8) body. */
  readonly body: TemplateSpec
}

export interface StepSpec {
  readonly ref: PluginRef
  /** For people: where it was named, e.g. `routes[2].use[0]`. */
  readonly place: string
}

export interface RouteSpec {
  /** Unique; label of metrics and value of `{route}`. */
  readonly name: string
  /** Rows of its counters in shared memory, by the position of a listener in `Snapshot.listeners`. */
  readonly rows: readonly number[]
  readonly match: MatchSpec
  readonly action:
    | { readonly kind: 'pool'; readonly pool: string }
    | ({ readonly kind: 'split' } & SplitSpec)
    | ({ readonly kind: 'redirect' } & RedirectSpec)
    | ({ readonly kind: 'respond' } & RespondSpec)
  readonly rewrite: RewriteSpec | null
  readonly mirror: MirrorSpec | null
  readonly requestHeaders: HeaderEditsSpec | null
  readonly responseHeaders: HeaderEditsSpec | null
  /** What differs from the pool's own. */
  readonly timeouts: Partial<TimeoutsSpec> | null
  readonly retries: Partial<RetriesSpec> | null
  /** null = as the pool; 'none' = off. */
  readonly sticky: StickySpec | 'none' | null
  /** null = as the pool; any other text is sent as Host. */
  readonly hostHeader: 'preserve' | 'backend' | (string & {}) | null
  /** null = as `limits`; 0 = none. */
  readonly bodySize: number | null
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly rateLimits: readonly RateLimitSpec[]
  readonly concurrency: ConcurrencySpec | null
  readonly cors: CorsSpec | null
  readonly basicAuth: BasicAuthSpec | null
  readonly forwardAuth: ForwardAuthSpec | null
  /** Own middleware, in this order. */
  readonly use: readonly StepSpec[]
  readonly compression: CompressionSpec | null
  /** null = it does not cache. Null where it answers by itself. */
  readonly cache: CacheSpec | null
  readonly errorPages: readonly ErrorPageSpec[]
  /** Its requests are in the access log, if there is one. */
  readonly accessLog: boolean
}

/** A module whose plug-ins each worker loads by itself: functions cannot be sent to threads. */
export interface PluginModuleSpec {
  /**
   * `plugin`: its default export brings middleware, strategies and matchers by name. `configuration`: its default export
   * is the configuration, whose functions are found by their places. `inline`: given to the main thread as an object.
   */
  readonly kind: 'plugin' | 'configuration' | 'inline'
  /** file: URL, with a query that changes with the file's content; a name of its own for `inline`. */
  readonly url: string
  /** As the configuration names it, for messages. */
  readonly label: string
}
