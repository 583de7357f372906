// RFC 5861 and RFC 9111 §4.2.4: when an answer may be served stale.
import { failed, fetched, fresh, lost, ok, refused, rescued, rule, says, section, stored, unchanged } from '../case.ts'

const whileRevalidate = ok('Cache-Control: max-age=60, stale-while-revalidate=30')
const ifError = ok('Cache-Control: max-age=60, stale-if-error=120')
const late = { after: 70 }

export const staleness = section('stale', 'Serving stale answers', [
  rule(
    '5861 §3',
    'When present in an HTTP response, the stale-while-revalidate Cache-Control extension indicates that caches MAY serve the response in which it appears after it becomes stale, up to the indicated number of seconds.',
    [
      {
        id: 'swr-within',
        name: 'served stale while the origin is asked',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { ...late, background: true })],
      },
      {
        id: 'swr-renewed',
        name: 'the next one gets what came then',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { ...late, background: true }), stored(2), stored(2, { after: 59 })],
      },
      {
        id: 'swr-fresh',
        name: 'while fresh the origin is not asked',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { after: 59 })],
      },
      {
        id: 'swr-validates',
        name: 'it is asked with a condition',
        origin: [
          ok('Cache-Control: max-age=60, stale-while-revalidate=30', 'ETag: "a"'),
          unchanged('ETag: "a"', 'Cache-Control: max-age=60'),
        ],
        steps: [
          fetched(1),
          stored(1, { ...late, background: true, sent: ['If-None-Match: "a"'] }),
          stored(1, { after: 59, age: 59 }),
        ],
      },
      {
        id: 'swr-at-once',
        name: 'by the Age that it came with',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=60', 'Age: 100')],
        steps: [fetched(1), stored(1, { background: true })],
      },
      {
        id: 'swr-once',
        name: 'ten at once are one request in the background',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { ...late, background: true, clients: 10 })],
      },
      {
        id: 'swr-head',
        name: 'a HEAD may be served so too',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { ...late, method: 'HEAD', background: true }), stored(2)],
        choice: 'A HEAD that is served stale has the whole answer fetched again by GET.',
      },
      {
        id: 'swr-range',
        name: 'one that asks for a part has the whole fetched again',
        origin: [whileRevalidate],
        steps: [
          fetched(1),
          stored(1, {
            ...late,
            asks: ['Range: bytes=0-3'],
            status: 206,
            part: [0, 3],
            background: true,
            unsent: ['Range'],
          }),
          stored(2),
        ],
      },
      {
        id: 'swr-condition',
        name: 'one that has a condition too',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=30', 'ETag: "a"'), fresh('ETag: "b"')],
        steps: [
          fetched(1),
          stored(1, {
            ...late,
            asks: ['If-None-Match: "a", "c"'],
            status: 304,
            background: true,
            sent: ['If-None-Match: "a"'],
          }),
          stored(2),
        ],
      },
      {
        id: 'swr-error',
        name: 'an error in the background is given to nobody, and what is stored is served while it may be',
        origin: [whileRevalidate, says(500), ok('Cache-Control: max-age=60')],
        steps: [
          fetched(1),
          stored(1, { ...late, background: true }),
          stored(1, { after: 11, background: true }),
          stored(3),
        ],
      },
      {
        id: 'swr-no-store',
        name: 'an answer in the background that is not to be stored: what is stored is not served any more',
        origin: [whileRevalidate, ok('Cache-Control: no-store')],
        steps: [fetched(1), stored(1, { ...late, background: true }), fetched(3)],
      },
    ],
  ),
  rule(
    '5861 §3',
    'If delta-seconds passes without the cached entity being revalidated, it SHOULD NOT continue to be served stale, absent other information.',
    [
      {
        id: 'swr-beyond',
        name: 'later the client waits for the origin',
        origin: [whileRevalidate],
        steps: [fetched(1), fetched(2, { after: 91 })],
      },
      {
        id: 'swr-zero',
        name: 'stale-while-revalidate=0 permits nothing',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=0')],
        steps: [fetched(1), fetched(2, { after: 61 })],
      },
      {
        id: 'swr-invalid',
        name: 'nor does one that cannot be read',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=x')],
        steps: [fetched(1), fetched(2, { after: 61 })],
      },
    ],
  ),
  rule(
    '5861 §3',
    'Note that "stale" implies that the response will have a non-zero Age header and a warning header, as per HTTP\'s requirements.',
    [
      {
        id: 'swr-age',
        name: 'its Age says how old it is',
        origin: [whileRevalidate],
        steps: [fetched(1), stored(1, { ...late, background: true, age: 70 })],
      },
    ],
  ),
  rule(
    '5861 §4',
    'The stale-if-error Cache-Control extension indicates that when an error is encountered, a cached stale response MAY be used to satisfy the request, regardless of other freshness information.',
    [
      ...[500, 502, 503, 504].map((status) => ({
        id: `sie-${status}`,
        name: `the origin says ${status}`,
        origin: [ifError, says(status)],
        steps: [fetched(1), rescued(1, { ...late, age: 70 })],
      })),
      {
        id: 'sie-lost',
        name: 'it gives no answer',
        origin: [ifError, lost],
        steps: [fetched(1), rescued(1, late)],
      },
      {
        id: 'sie-down',
        name: 'it is down',
        origin: [ifError],
        steps: [fetched(1), stored(1, { ...late, down: true })],
      },
      {
        id: 'sie-recovers',
        name: 'when it works again its answer is used',
        origin: [ifError, says(503), ifError],
        steps: [fetched(1), rescued(1, late), fetched(3), stored(3)],
      },
      {
        id: 'sie-while-fresh',
        name: 'a reload that fails while it is fresh',
        origin: [ifError, says(503)],
        steps: [fetched(1), rescued(1, { after: 10, asks: ['Cache-Control: max-age=0'] })],
        choice: 'stale-if-error also answers a reload (max-age=0) that failed; no-cache is never answered so.',
      },
      {
        id: 'sie-no-cache',
        name: 'but one that insists on validation',
        origin: [ifError, says(503)],
        steps: [fetched(1), fetched(2, { after: 10, asks: ['Cache-Control: no-cache'] }), stored(1)],
        choice: 'stale-if-error also answers a reload (max-age=0) that failed; no-cache is never answered so.',
      },
    ],
  ),
  rule(
    '5861 §4',
    'In this context, an error is any situation that would result in a 500, 502, 503, or 504 HTTP response status code being returned.',
    [
      ...[404, 403, 410, 501].map((status) => ({
        id: `sie-not-${status}`,
        name: `${status} is no such error`,
        origin: [ifError, says(status)],
        steps: [fetched(1), fetched(2, late)],
      })),
    ],
  ),
  rule(
    '5861 §4',
    'Its value indicates the upper limit to staleness; when the cached response is more stale than the indicated amount, the cached response SHOULD NOT be used to satisfy the request, absent other information.',
    [
      {
        id: 'sie-beyond',
        name: 'stale for longer: the error is passed on',
        origin: [ifError, says(503)],
        steps: [fetched(1), fetched(2, { after: 181 })],
      },
      {
        id: 'sie-none',
        name: 'without it the error is passed on',
        origin: [fresh(), says(503)],
        steps: [fetched(1), fetched(2, { after: 61 })],
      },
      {
        id: 'sie-none-lost',
        name: 'without it, and no answer: ours is an error',
        route: { cache: { stale_when_down: '0s' } },
        origin: [fresh(), lost],
        steps: [fetched(1), failed({ after: 61 })],
      },
      {
        id: 'sie-invalid',
        name: 'one that cannot be read permits nothing',
        origin: [ok('Cache-Control: max-age=60, stale-if-error=x'), says(503)],
        steps: [fetched(1), fetched(2, { after: 61 })],
      },
    ],
  ),
  rule(
    '5861 §4',
    'When used as a request Cache-Control extension, its scope of application is the request it appears in;',
    [
      {
        id: 'sie-request',
        name: 'stale-if-error of a request',
        origin: [fresh(), says(503)],
        steps: [fetched(1), rescued(1, { after: 70, asks: ['Cache-Control: stale-if-error=120'] })],
      },
      {
        id: 'sie-request-beyond',
        name: 'of less than it is stale',
        origin: [fresh(), says(503)],
        steps: [fetched(1), fetched(2, { after: 190, asks: ['Cache-Control: stale-if-error=120'] })],
      },
    ],
  ),
  rule(
    '9111 §4.2.4',
    'A cache MUST NOT generate a stale response unless it is disconnected or doing so is explicitly permitted by the client or origin server (e.g., by the max-stale request directive in Section 5.2.1, extension directives such as those defined in [RFC5861], or configuration in accordance with an out-of-band contract).',
    [
      {
        id: 'connected',
        name: 'the origin answers: no stale answer without a permission',
        origin: [fresh(), says(500)],
        steps: [fetched(1), fetched(2, { after: 61 })],
      },
      {
        id: 'down',
        name: 'it is down: a stale answer, marked as such',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 61, down: true, age: 61, cacheStatus: ['fwd=stale', 'ttl=-1'] })],
        choice:
          'While no backend can be reached an answer is served for `stale_when_down` (an hour) after it became stale.',
      },
      {
        id: 'down-too-old',
        name: 'not for longer than is configured',
        origin: [fresh()],
        steps: [fetched(1), refused([502, 503, 504], { after: 3661, down: true })],
        choice:
          'While no backend can be reached an answer is served for `stale_when_down` (an hour) after it became stale.',
      },
      {
        id: 'down-off',
        name: '`"stale_when_down": "0s"`: never',
        route: { cache: { stale_when_down: '0s' } },
        origin: [fresh()],
        steps: [fetched(1), refused([502, 503, 504], { after: 61, down: true })],
      },
      {
        id: 'down-fresh',
        name: 'what is fresh is served as ever',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { down: true })],
      },
      {
        id: 'down-condition',
        name: 'a client that has it already is told so',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { after: 61, down: true, asks: ['If-None-Match: "a"'], status: 304 })],
        choice:
          'While no backend can be reached an answer is served for `stale_when_down` (an hour) after it became stale.',
      },
      {
        id: 'down-part',
        name: 'one that asks for a part gets it',
        origin: [fresh('ETag: "a"')],
        steps: [
          fetched(1),
          stored(1, { after: 61, down: true, asks: ['Range: bytes=0-3'], status: 206, part: [0, 3] }),
        ],
        choice:
          'While no backend can be reached an answer is served for `stale_when_down` (an hour) after it became stale.',
      },
      {
        id: 'down-no-cache-request',
        name: 'a client that wants to have it validated gets an error, not what is stored',
        origin: [fresh()],
        steps: [fetched(1), refused([502, 503, 504], { down: true, asks: ['Cache-Control: no-cache'] })],
      },
      {
        id: 'down-nothing-stored',
        name: 'nothing is stored: an error',
        origin: [fresh()],
        steps: [refused([502, 503, 504], { down: true })],
      },
      {
        id: 'configured-swr',
        name: '`stale_while_revalidate` of the route, where the answer says nothing',
        route: { cache: { stale_while_revalidate: '30s' } },
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 70, background: true }), stored(2), fetched(3, { after: 91 })],
      },
      {
        id: 'configured-swr-answer-says',
        name: 'where the answer says something that counts',
        route: { cache: { stale_while_revalidate: '300s' } },
        origin: [whileRevalidate],
        steps: [fetched(1), fetched(2, { after: 91 })],
      },
      {
        id: 'configured-swr-must-revalidate',
        name: 'and must-revalidate beats it',
        route: { cache: { stale_while_revalidate: '30s' } },
        origin: [ok('Cache-Control: max-age=60, must-revalidate')],
        steps: [fetched(1), fetched(2, { after: 70 })],
      },
      {
        id: 'configured-sie',
        name: '`stale_if_error` of the route',
        route: { cache: { stale_if_error: '120s' } },
        origin: [fresh(), says(503)],
        steps: [fetched(1), rescued(1, { after: 70 }), fetched(3, { after: 130 })],
      },
    ],
  ),
])
