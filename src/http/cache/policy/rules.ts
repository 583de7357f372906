// Why an answer is stored or not, and reused or not: every rule with where it is written and what it says in a few words.

export interface Rule {
  /** Where it is written; `own` = a decision of ours where the RFCs leave a choice. */
  readonly section: string
  /** What it says, for people: explain, and the log. */
  readonly words: string
}

const rule = (section: string, words: string): Rule => ({ section, words })

/** All of them by id. The ids are tokens: they stand as `detail` in Cache-Status. */
export const rules = {
  // Storing: refused.
  method: rule('RFC 9111 §3', 'only answers to GET are stored'),
  interim: rule('RFC 9111 §3', 'the answer is not a final one'),
  partial: rule('RFC 9111 §3.3', 'a part of an answer is not stored'),
  'not-understood': rule('RFC 9111 §3', 'what its status means for caching is not known'),
  'status-not-cacheable': rule('RFC 9111 §3', 'answers of this status are stored only where they say so'),
  'request-no-store': rule('RFC 9111 §5.2.1.5', 'the client asked for it not to be stored'),
  'no-store': rule('RFC 9111 §5.2.2.5', 'the backend says no-store'),
  private: rule('RFC 9111 §5.2.2.7', 'the backend says that it is for one client'),
  authorization: rule(
    'RFC 9111 §3.5',
    'the client is authenticated, and the answer does not say public, s-maxage or must-revalidate',
  ),
  cookie: rule('own', 'the request had a cookie, and the answer says nothing of how long it is fresh'),
  'set-cookie': rule('RFC 9111 §7.3', 'the answer sets a cookie'),
  'vary-any': rule('RFC 9111 §4.1', 'it varies by more than the request says (Vary: *)'),
  'vary-unknown': rule('RFC 9111 §4.1', 'it varies by a field that the proxy itself writes for each request'),
  'vary-too-much': rule('own', 'it varies by more fields than are kept apart'),
  'too-many-tags': rule('own', 'it has more tags than are kept, so it could not be purged by all of them'),
  'nothing-said': rule('RFC 9111 §3', 'the answer says neither how long it is fresh nor what it can be validated with'),
  useless: rule('own', 'it would be stale at once, with nothing to validate it by'),
  'ttl-zero': rule('own', 'the route says that answers of this status are not stored'),
  'no-store-condition': rule('own', 'the route does not store answers to such requests'),
  // Storing: what its freshness comes from.
  'ttl-by-status': rule('own', 'the route says how long answers of this status are fresh'),
  ttl: rule('own', 'the route says how long its answers are fresh'),
  's-maxage': rule('RFC 9111 §5.2.2.10', 'the backend says s-maxage'),
  'max-age': rule('RFC 9111 §5.2.2.1', 'the backend says max-age'),
  targeted: rule('RFC 9213 §2.2', 'the backend says it in a field for this cache'),
  expires: rule('RFC 9111 §5.3', 'the backend says Expires'),
  heuristic: rule('RFC 9111 §4.2.2', 'a share of the time since it was last modified'),
  'default-ttl': rule('own', 'the route says how long answers are fresh that say nothing of it'),
  'validator-only': rule('RFC 9111 §4.3', 'it is kept to be validated each time'),
  'stale-only': rule('RFC 5861', 'it is stale at once, and kept for as long as it may be served stale'),
  // Reusing.
  fresh: rule('RFC 9111 §4.2', 'it is fresh'),
  stale: rule('RFC 9111 §4.2', 'it is stale'),
  purged: rule('own', 'it was marked stale by a purge'),
  'no-cache': rule('RFC 9111 §5.2.2.4', 'the backend wants it validated each time'),
  'must-revalidate': rule('RFC 9111 §5.2.2.2', 'it is stale, and the backend wants it validated then'),
  'heuristic-client': rule(
    'own',
    'the backend did not say how long it is fresh, and this client has a cookie or is authenticated',
  ),
  'request-no-cache': rule('RFC 9111 §5.2.1.4', 'the client wants it validated'),
  'request-max-age': rule('RFC 9111 §5.2.1.1', 'it is older than the client wants it'),
  'request-min-fresh': rule('RFC 9111 §5.2.1.3', 'it is not fresh for as long as the client wants it'),
  'request-max-stale': rule('RFC 9111 §5.2.1.2', 'it is stale, and the client takes it so'),
  'only-if-cached': rule('RFC 9111 §5.2.1.7', 'the client wants only what is stored, and nothing is'),
  'stale-while-revalidate': rule('RFC 5861 §3', 'it is stale, and served while it is validated'),
  'stale-if-error': rule('RFC 5861 §4', 'it is stale, and served because the backend failed'),
  'stale-when-down': rule('RFC 9111 §4.2.4', 'it is stale, and served because no backend can be reached'),
  // Not asked at all.
  'bypass-condition': rule('own', 'the route does not answer such requests from the cache'),
  'origin-condition': rule('RFC 9111 §4.3.2', 'what If-Match and If-Unmodified-Since ask is for the backend to decide'),
} as const satisfies Record<string, Rule>

export type RuleId = keyof typeof rules
