// A route: which requests it takes, and everything it does to them.
import { z } from 'zod'
import type { MirrorSpec, PluginRef } from '../../core/route-spec.ts'
import { oneOrMore } from './lists.ts'
import { ownRetries, ownTimeouts } from './patience.ts'
import { basicAuth, cors, forwardAuth } from './route/access.ts'
import {
  mirror,
  type RedirectConfig,
  type RespondConfig,
  redirect,
  respond,
  type SplitConfig,
  split,
} from './route/action.ts'
import { compression, errorPages } from './route/answers.ts'
import { cache } from './route/cache.ts'
import { headers, securityHeaders } from './route/headers.ts'
import { concurrency, rateLimit } from './route/limits.ts'
import { match } from './route/match.ts'
import { pluginRef } from './route/plugin-ref.ts'
import { rewrite, rewritePrefix } from './route/rewrite.ts'
import { byteSize, hostField, name, peers } from './scalars.ts'
import { type StickyConfig, sticky } from './sticky.ts'

export type ActionConfig =
  | { readonly kind: 'pool'; readonly pool: string }
  | ({ readonly kind: 'split' } & SplitConfig)
  | ({ readonly kind: 'redirect' } & RedirectConfig)
  | ({ readonly kind: 'respond' } & RespondConfig)

/** Keys of which a route has exactly one. */
export const actionKeys = ['pool', 'split', 'redirect', 'respond'] as const

export const routeShape = {
  name: name
    .optional()
    .meta({ description: 'Name in logs and metrics; without it `route-N`, by its place in the file.' }),
  match: match
    .prefault('*')
    .meta({ description: 'Which requests it takes: `"*"`, or conditions that must all hold; of a list, one.' }),
  pool: name.optional().meta({ description: 'The pool that serves it.' }),
  split: split.optional(),
  redirect: redirect.optional(),
  respond: respond.optional(),
  mirror: mirror.optional(),
  strip_prefix: rewritePrefix
    .optional()
    .meta({ title: 'path', description: 'Taken from the front of the path, whole segments only.' }),
  add_prefix: rewritePrefix.optional().meta({ title: 'path', description: 'Put before the path.' }),
  rewrite: rewrite.optional().meta({ description: 'Replaces a part of the path.' }),
  headers: headers.optional().meta({ description: 'Changes of header fields.' }),
  timeouts: ownTimeouts
    .optional()
    .meta({ description: "Deadlines towards the backends, in place of the pool's; `0s` = none." }),
  retries: ownRetries.optional().meta({ description: "When another attempt is made, in place of the pool's." }),
  body_size: byteSize(0, Number.MAX_SAFE_INTEGER, '0 or more')
    .optional()
    .meta({ description: 'Request body, in place of `limits.body_size`; 0 = no limit.' }),
  host_header: hostField.optional().meta({
    title: 'preserve | backend | host',
    description: "Host field that backends see, in place of the pool's; any other text is sent as it is.",
  }),
  sticky: z
    .union([z.literal(false), sticky], { error: 'false, or an object such as {"by": "cookie"}' })
    .optional()
    .meta({ description: "Keeps a client at one backend, in place of the pool's; false = off." }),
  allow: oneOrMore(peers)
    .optional()
    .meta({ description: 'Networks that may use it; all others get 403. `unix`: who comes by a Unix socket.' }),
  deny: oneOrMore(peers).optional().meta({ description: 'Networks that get 403, even if `allow` has them.' }),
  rate_limit: rateLimit.optional().meta({ description: 'Requests in a time; what is beyond gets 429.' }),
  concurrency: concurrency.optional().meta({ description: 'Requests at once; what is beyond gets 429.' }),
  cors: cors.optional().meta({ description: 'Lets pages of other origins use it; preflights are answered here.' }),
  basic_auth: basicAuth.optional().meta({ description: 'Asks for a user name and a password.' }),
  forward_auth: forwardAuth.optional().meta({ description: 'Asks a service whether a request may pass.' }),
  security_headers: securityHeaders
    .optional()
    .meta({ description: 'Header fields by which browsers protect their users.' }),
  compression: compression.optional().meta({ description: 'Compresses answers that are not yet.' }),
  cache: cache.optional().meta({
    description:
      'Answers are stored and served again. An object is laid over that of the top level key by key; false: off, whatever the top level says.',
  }),
  error_pages: errorPages.optional().meta({ description: 'What is sent in place of errors; the first that fits.' }),
  access_log: z
    .boolean()
    .prefault(true)
    .meta({ description: 'Its requests are in the access log, if there is one; false: none of them is.' }),
  use: z
    .union([pluginRef.transform((one) => [one]), z.array(pluginRef)])
    .optional()
    .meta({ description: 'Middleware of plug-ins, in this order.' }),
}

const routeObject = z.strictObject(routeShape)
type Raw = z.output<typeof routeObject>

export const route = routeObject.superRefine(oneAction).transform((r) => ({
  name: r.name ?? null,
  match: r.match,
  action: actionOf(r),
  rewrite: { stripPrefix: r.strip_prefix ?? '', addPrefix: r.add_prefix ?? '', replace: r.rewrite ?? null },
  mirror: (r.mirror as MirrorSpec | undefined) ?? null,
  requestHeaders: r.headers?.request ?? null,
  responseHeaders: r.headers?.response ?? null,
  timeouts: r.timeouts ?? null,
  retries: r.retries ?? null,
  bodySize: r.body_size ?? null,
  hostHeader: r.host_header ?? null,
  sticky: stickyOf(r.sticky),
  allow: r.allow ?? [],
  deny: r.deny ?? [],
  rateLimits: r.rate_limit ?? [],
  concurrency: r.concurrency ?? null,
  cors: r.cors ?? null,
  basicAuth: r.basic_auth ?? null,
  forwardAuth: r.forward_auth ?? null,
  securityHeaders: r.security_headers ?? null,
  compression: r.compression ?? null,
  cache: r.cache,
  errorPages: r.error_pages ?? [],
  accessLog: r.access_log,
  use: (r.use ?? []) as readonly PluginRef[],
}))

/** As written: the name may be left out, files are as they are named and not read yet. */
export type WrittenRoute = z.output<typeof route>

/** A route with every default but what is given; throws where that is wrong. */
export const writtenRoute = (given: z.input<typeof route>): WrittenRoute => route.parse(given)

function stickyOf(value: StickyConfig | false | undefined): StickyConfig | 'none' | null {
  return value === false ? 'none' : (value ?? null)
}

function oneAction(r: Raw, context: z.core.$RefinementCtx): void {
  const [first, ...others] = actionKeys.filter((key) => r[key] !== undefined)
  if (first === undefined) {
    const message = 'name what becomes of the requests: "pool", "split", "redirect" or "respond"'
    context.addIssue({ code: 'custom', path: ['pool'], message })
  }
  for (const key of others) {
    context.addIssue({ code: 'custom', path: [key], message: `cannot stand beside ${first}; keep one of the two` })
  }
}

function actionOf(r: Raw): ActionConfig {
  if (r.split !== undefined) return { kind: 'split', ...r.split }
  if (r.redirect !== undefined) return { kind: 'redirect', ...r.redirect }
  if (r.respond !== undefined) return { kind: 'respond', ...r.respond }
  return { kind: 'pool', pool: r.pool ?? '' }
}

export const routes = z.array(route).max(100_000, { error: 'has more than 100000 routes' })
