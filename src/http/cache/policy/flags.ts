// What `flags` of an entry mean: one bit each. They are kept with entries on disk: a bit never changes its meaning.

export const flags = {
  /** must-revalidate: never served stale (RFC 9111 §5.2.2.2). */
  mustRevalidate: 1,
  /** proxy-revalidate, or s-maxage which implies it (§5.2.2.8, §5.2.2.10): for a shared cache the same. */
  proxyRevalidate: 2,
  /** no-cache: validated each time (§5.2.2.4). */
  noCache: 4,
  /** RFC 8246. Known, and of no effect here: who asks with max-age=0 or no-cache gets what he asks for. */
  immutable: 8,
  /** Its lifetime is a guess (§4.2.2), or that of the route for answers that say nothing: not for clients with cookies or credentials. */
  heuristic: 16,
  /** It can be validated by ETag: it has one, and is a 200. */
  hasEtag: 32,
  /** The same, by Last-Modified. */
  hasLastModified: 64,
  /** The answer itself says stale-while-revalidate: what the route says does not count. */
  saysWhileRevalidate: 128,
  /** The answer itself says stale-if-error. */
  saysIfError: 256,
  /** Its body was compressed here, and its tag made weak: set by whoever does so. */
  codedHere: 512,
  /** The request was authenticated, and the answer may be shared all the same (§3.5). */
  authenticated: 1024,
  /** no-transform (§5.2.2.6). */
  noTransform: 2048,
  /** The route said how long it is fresh, not the answer. */
  manual: 4096,
} as const

/** Any of these forbids serving it stale (§4.2.4). */
export const neverStale = flags.mustRevalidate | flags.proxyRevalidate | flags.noCache
/** It can be validated. */
export const hasValidator = flags.hasEtag | flags.hasLastModified
