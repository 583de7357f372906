// RFC 9213: fields for this cache in place of Cache-Control.
import { fetched, fresh, notReused, ok, reused, rule, says, section, stored, unchanged, validated } from '../case.ts'

const own = 'Frontdesk-Cache-Control'
const cdn = 'CDN-Cache-Control'

export const targeted = section('targeted', 'Targeted fields', [
  rule(
    '9213 §2.2',
    'When a cache that implements this specification receives a response with one or more of the header field names on its target list, the cache MUST select the first (in target-list order) field with a valid, non-empty value and use its value to determine the caching policy for the response, and it MUST ignore the Cache-Control and Expires header fields in that response, unless no valid, non-empty value is available from the listed header fields.',
    [
      {
        id: 'longer',
        name: 'CDN-Cache-Control with a longer lifetime than Cache-Control',
        origin: [ok('Cache-Control: max-age=10', `${cdn}: max-age=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'shorter',
        name: 'with a shorter one',
        origin: [ok('Cache-Control: max-age=60', `${cdn}: max-age=10`, 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'no-store-overridden',
        name: 'Cache-Control: no-store is ignored beside it',
        origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'private-overridden',
        name: 'private too',
        origin: [ok('Cache-Control: private', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'no-cache-overridden',
        name: 'and no-cache',
        origin: [ok('Cache-Control: no-cache', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'expires-ignored',
        name: 'Expires is ignored beside it',
        origin: [ok('Expires: {now-60}', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'expires-ignored-future',
        name: 'also where the targeted field has no lifetime',
        origin: [says(403, 'Expires: {now+60}', `${cdn}: must-revalidate`)],
        steps: notReused(),
      },
      {
        id: 's-maxage-of-cache-control',
        name: 'so is s-maxage of Cache-Control',
        origin: [ok('Cache-Control: s-maxage=60', `${cdn}: max-age=10`, 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'first-of-list',
        name: 'the field of Frontdesk goes before that of all CDNs',
        origin: [ok(`${cdn}: max-age=10`, `${own}: max-age=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'first-of-list-no-store',
        name: 'also where it says no-store',
        origin: [ok(`${cdn}: max-age=60`, `${own}: no-store`)],
        steps: notReused(),
      },
      {
        id: 'second-where-first-invalid',
        name: 'one that cannot be read gives way to the next',
        origin: [ok(`${own}: max-age=&`, `${cdn}: max-age=60`, 'Cache-Control: no-store')],
        steps: reused(),
      },
      {
        id: 'configured-list',
        name: '`target_fields` of a route',
        route: { cache: { target_fields: ['My-Cache-Control'] } },
        origin: [ok('Cache-Control: no-store', 'My-Cache-Control: max-age=60')],
        steps: reused(),
      },
      {
        id: 'pragma-and-heuristic',
        name: 'none but no lifetime: heuristics are still there',
        origin: [ok(`${cdn}: none`, 'Cache-Control: no-store', 'Last-Modified: {start-10000}')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.1',
    'If a targeted field in a given response is empty, or a parsing error is encountered, that field MUST be ignored by the cache (i.e., it behaves as if the field were not present, likely falling back to other cache-control mechanisms present).',
    [
      {
        id: 'empty',
        name: 'an empty one',
        origin: [ok('Cache-Control: no-store', `${cdn}:`)],
        steps: notReused(),
      },
      {
        id: 'empty-falls-back',
        name: 'an empty one beside a lifetime in Cache-Control',
        origin: [fresh(`${cdn}:`)],
        steps: reused(),
      },
      ...[
        ['unclosed', 'max-age="60'],
        ['semicolon', 'max-age=60;'],
        ['comma', 'max-age=60,'],
        ['at', '@max-age=60'],
        ['upper', 'Max-Age=60'],
        ['two-equals', 'max-age==60'],
        ['spaces', 'max-age = 60'],
      ].map(([id = '', value = '']) => ({
        id: `error-${id}`,
        name: `an error in it: ${value}`,
        origin: [ok('Cache-Control: no-store', `${cdn}: ${value}`)],
        steps: notReused(),
      })),
    ],
  ),
  rule('9213 §2.1', 'Implementations SHOULD NOT consume values that violate these inferred constraints.', [
    {
      id: 'decimal',
      name: 'max-age with a decimal fraction',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60.5`)],
      steps: notReused(),
    },
    {
      id: 'string',
      name: 'max-age as a string',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age="60"`)],
      steps: notReused(),
    },
    {
      id: 'token',
      name: 'max-age as a word',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age=soon`)],
      steps: notReused(),
    },
  ]),
  rule(
    '9213 §2.1',
    'Parameters received on cache directives are to be ignored, unless other handling is explicitly specified.',
    [
      {
        id: 'parameters',
        name: 'max-age=60;x=1',
        origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60;x=1`)],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    "Targeted fields that are not on a cache's target list MUST NOT change that cache's behavior and MUST be passed through.",
    [
      {
        id: 'not-in-list',
        name: 'a field of another CDN',
        origin: [ok('Cache-Control: no-store', 'Other-CDN-Cache-Control: max-age=60')],
        steps: [fetched(1, { has: ['Other-CDN-Cache-Control: max-age=60'] }), fetched(2)],
      },
      {
        id: 'surrogate-control',
        name: 'Surrogate-Control is none',
        origin: [ok('Cache-Control: no-store', 'Surrogate-Control: max-age=60')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'Caches that use a targeted field MUST implement the semantics of the following cache directives:',
    [
      {
        id: 'no-store',
        name: 'no-store',
        origin: [fresh(`${cdn}: no-store`)],
        steps: notReused(),
      },
      {
        id: 'private',
        name: 'private',
        origin: [fresh(`${cdn}: private, max-age=60`)],
        steps: notReused(),
      },
      {
        id: 'no-cache',
        name: 'no-cache',
        origin: [fresh(`${cdn}: no-cache, max-age=60`, 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1)],
      },
      {
        id: 'must-revalidate',
        name: 'must-revalidate',
        origin: [ok(`${cdn}: max-age=60, must-revalidate`, 'Cache-Control: stale-if-error=600', 'Age: 100'), says(500)],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: 'max-age-0',
        name: 'max-age=0',
        origin: [fresh(`${cdn}: max-age=0`)],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'In particular, no-store and no-cache make max-age inoperative, and unrecognized extension directives are ignored.',
    [
      {
        id: 'no-store-max-age',
        name: 'no-store beside max-age',
        origin: [ok(`${cdn}: max-age=60, no-store`)],
        steps: notReused(),
      },
      {
        id: 'unknown',
        name: 'an unknown one',
        origin: [ok(`${cdn}: max-age=60, x=y`)],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'Furthermore, they SHOULD implement other cache directives (including extension cache directives) that they support in the Cache-Control response header field.',
    [
      {
        id: 's-maxage',
        name: 's-maxage',
        origin: [ok(`${cdn}: max-age=10, s-maxage=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'swr',
        name: 'stale-while-revalidate',
        origin: [ok(`${cdn}: max-age=60, stale-while-revalidate=60`, 'Age: 100')],
        steps: [fetched(1), stored(1, { background: true })],
      },
      {
        id: 'public-authorization',
        name: 'public, for a request with credentials',
        origin: [ok(`${cdn}: max-age=60, public`)],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), stored(1)],
      },
      {
        id: 'authorization-alone',
        name: 'which max-age alone does not allow',
        origin: [ok(`${cdn}: max-age=60`, 'Cache-Control: public')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2)],
      },
    ],
  ),
  rule(
    '9213 §3',
    'CDN caches that use CDN-Cache-Control will typically forward this header so that downstream CDN caches can use it as well.',
    [
      {
        id: 'forwarded',
        name: 'it goes on to the client',
        origin: [ok(`${cdn}: max-age=60`)],
        steps: reused({ has: [`${cdn}: max-age=60`] }),
      },
    ],
  ),
])
