// Where the caches of others do not do as a case says, and why the case stands nevertheless. A cache that asks its origin more
// often than a case expects needs no excuse: nothing in the RFC obliges a cache to store.

export interface Deviation {
  readonly peer: string
  readonly why: string
  /** Ids; `*` at the end stands for any. */
  readonly cases: readonly string[]
}

const deviation = (peer: string, why: string, ...cases: readonly string[]): Deviation => ({ peer, why, cases })

export const deviations: readonly Deviation[] = [
  deviation(
    'nginx',
    'Age and Date of an answer are not looked at: what came stale is fresh for max-age from its receipt.',
    'freshness/age-*',
    'freshness/s-maxage-*',
    'freshness/max-age-*',
    'freshness/heuristic-not-max-age',
    'age/list-first-stale',
    'validation/*',
    'conditional/union-*',
    'updating/*',
    'vary/validates-own',
    'incomplete/keeps-old',
    'ranges/stale-range',
    'response/must-revalidate-*',
    'response/proxy-revalidate-stale',
    'response/s-maxage-swr',
    'response/immutable-stale',
    'request/max-*',
    'request/only-if-cached-stale',
    'targeted/*',
    'cache-status/*',
  ),
  deviation(
    'nginx',
    'Directives of requests count for nothing, by design.',
    'request/*',
    'response/immutable-no-cache',
    'cache-status/*',
  ),
  deviation('nginx', 'Requests with Authorization are treated as any.', 'authorization/*'),
  deviation('nginx', 'Unsafe methods invalidate nothing.', 'invalidation/*'),
  deviation(
    'nginx',
    'HEAD is forwarded as GET, and what comes is stored.',
    'reuse/get-not-from-head',
    'updating/head-*',
  ),
  deviation(
    'nginx',
    'max-age and s-maxage are not told apart by their order, nor is Expires equal to Date stale.',
    'freshness/expires-is-date',
  ),
  deviation('nginx', 'Dates are read without a look at what follows the time.', 'freshness/expires-*'),
  deviation('nginx', 'must-understand is not known.', 'response/must-understand-*'),
  deviation(
    'nginx',
    'Only Vary: * alone is that; an empty field counts as none; lines of Vary do not add up.',
    'vary/*',
  ),
  deviation(
    'nginx',
    'If-Modified-Since must be the very date, by default; two lines of a condition are refused.',
    'conditional/if-*',
    'conditional/precedence-same',
  ),
  deviation('nginx', 'Ranges are served only where the origin says Accept-Ranges.', 'ranges/*', 'cache-status/hit-206'),
  deviation('nginx', '206 is stored as any answer.', 'ranges/206-*', 'ranges/miss*', 'storing/206-not-as-200'),
  deviation('nginx', 'Targeted fields are not known.', 'targeted/*'),
  deviation(
    'nginx',
    'Conditions of a request that has to be fetched are not passed on.',
    'storing/304-not',
    'conditional/nothing-stored',
  ),
  deviation('Varnish', 'Which tag a 304 names is not looked at.', 'updating/other-etag'),
  deviation('Traffic Server', 'A 304 with no-store leaves what is stored there.', 'updating/no-store-again'),
  deviation('Traffic Server', 'Which tag a 304 names is not looked at.', 'updating/other-etag'),
  deviation(
    'Varnish',
    'Directives of requests count for nothing, by design.',
    'request/*',
    'response/immutable-no-cache',
    'updating/head-*',
    'cache-status/*',
  ),
  deviation('Varnish', 'Unsafe methods invalidate nothing.', 'invalidation/*'),
  deviation(
    'Varnish',
    'HEAD is forwarded as GET, and what comes is stored.',
    'reuse/get-not-from-head',
    'validation/head-validates',
  ),
  deviation(
    'Varnish',
    'Methods it does not know are piped: the connection is closed after them.',
    'storing/unknown-method-not',
    'reuse/unknown-*',
  ),
  deviation(
    'Varnish',
    'A 206 or a Content-Range that it has not asked for is an error.',
    'ranges/*',
    'storing/206-not-as-200',
    'incomplete/*',
  ),
  deviation(
    'Varnish',
    'Ranges are cut from whatever is served, also from what has just come.',
    'ranges/*',
    'vary/range',
    'incomplete/range-within',
  ),
  deviation('Varnish', 'Trailers are an error.', 'reuse/trailer*'),
  deviation(
    'Varnish',
    'Only the first line of a field is looked at.',
    'vary/second-line',
    'vary/star-*',
    'conditional/if-*',
  ),
  deviation('Varnish', 'A body that is said to be gzip and is none is an error.', 'vary/encoding*'),
  deviation('Varnish', 'Vary: X, * is not Vary: *.', 'vary/star-in-list'),
  deviation('Varnish', 'Lists of tags are compared as a text, and * is none.', 'conditional/if-none-match-*'),
  deviation('Varnish', 'Numbers are read as far as they go.', 'freshness/max-age-*'),
  deviation('Varnish', 'Targeted fields are not known.', 'targeted/*'),
  deviation(
    'Varnish',
    'Conditions of a request that has to be fetched are not passed on.',
    'storing/304-not',
    'conditional/nothing-stored',
  ),
  deviation('Traffic Server', 'max-age lets an answer to a request with Authorization be reused.', 'authorization/*'),
  deviation(
    'Traffic Server',
    'What a reload with Authorization brings takes the place of what is stored.',
    'authorization/does-not-replace',
  ),
  deviation(
    'Traffic Server',
    'PATCH and methods it does not know invalidate nothing, and of variants only the one that fits.',
    'invalidation/by-*',
    'invalidation/all-variants',
  ),
  deviation(
    'Traffic Server',
    'Only the first line of Vary is looked at, and values are compared without regard to capitals.',
    'vary/*',
  ),
  deviation(
    'Traffic Server',
    'Dates and numbers are read as far as they go.',
    'freshness/*',
    'request/max-stale-invalid',
  ),
  deviation('Traffic Server', 'must-understand is not known.', 'response/must-understand-*'),
  deviation(
    'Traffic Server',
    'A stored error or redirect with a tag is turned into a 304; unquoted tags match.',
    'conditional/*',
  ),
  deviation(
    'Traffic Server',
    'A stale answer is served in place of a 5xx.',
    'validation/50*',
    'targeted/must-revalidate',
  ),
  deviation('Traffic Server', 'max-stale overrides s-maxage.', 'request/max-stale-s-maxage'),
  deviation('Traffic Server', 'A 412 is sent without its body.', 'storing/max-age-412'),
  deviation('Traffic Server', 'Ranges that it cannot serve are passed on.', 'ranges/*'),
  deviation('Traffic Server', 'Targeted fields are not known.', 'targeted/*'),
  deviation(
    'Traffic Server',
    'Conditions of a request that has to be fetched are not passed on.',
    'storing/304-not',
    'conditional/nothing-stored',
  ),
]

/** Cases that none of the others confirms, and why they stand. */
export const alone: Readonly<Record<string, readonly string[]>> = {
  'All three take private and no-cache with field names for private and no-cache, as the RFC notes that many do.': [
    'storing/private-*',
  ],
  'They store fewer statuses by heuristics than RFC 9110 §15.1 names.': ['storing/heuristic-*'],
  'They know nothing of targeted fields (RFC 9213).': ['targeted/*'],
  'They know nothing of must-understand.': ['response/must-understand-*'],
  'They pass no condition of a client on to the origin where nothing is stored; RFC 9111 §4.3.2 says whom it is for.': [
    'storing/304-not',
    'conditional/nothing-stored',
  ],
  'They do not keep an answer that is stale from the beginning for requests with Authorization.': [
    'authorization/s-maxage-0',
  ],
  'They read dates by their letters, which RFC 9111 §4.2 advises against.': ['freshness/expires-lower-case'],
  'They serve stale for a while or do not validate at all, each in one of the steps.': [
    'validation/500-not-instead',
    'request/no-cache-error',
    'request/no-store-no-cache',
    'request/only-if-cached-*',
  ],
  'They do not combine the lines of a condition (RFC 9110 §5.3).': [
    'conditional/if-none-match-lines',
    'conditional/if-modified-since-twice',
  ],
  'They keep what a 304 says is not to be stored.': ['updating/no-store-again'],
  'They do not look at which tag a 304 names.': ['conditional/union-client-only', 'updating/other-etag'],
  'They do not pass on HEAD as HEAD, or drop what is stored whatever it says.': ['updating/head-*'],
  'They invalidate by fewer methods than §4.4 asks for ("including methods whose safety is unknown").': [
    'invalidation/by-patch',
    'invalidation/by-frobnicate',
    'invalidation/all-variants',
  ],
  'They do not read positions of thirty digits, which RFC 9110 §14.1.2 says are to be expected.': ['ranges/huge'],
}

/** Whether one of these patterns fits. */
export const fits = (patterns: readonly string[], id: string): boolean =>
  patterns.some((pattern) => (pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern))
