// RFC 9111 §4.2: how long an answer is fresh. Most ages come with the Age field, so that any cache can be asked without waiting.
import { fetched, fresh, notReused, ok, reused, rule, says, section, stored } from '../case.ts'

const fraction = 'A typical setting of this fraction might be 10%.'

export const freshness = section('freshness', 'How long an answer is fresh', [
  rule(
    '9111 §4.2',
    'The calculation to determine if a response is fresh is: response_is_fresh = (freshness_lifetime > current_age)',
    [
      {
        id: 'within',
        name: 'one second before the end it is fresh',
        origin: [ok('Cache-Control: max-age=10')],
        steps: [fetched(1), stored(1, { after: 9 })],
      },
      {
        id: 'at-end',
        name: 'at the end it is not: response_is_fresh = (freshness_lifetime > current_age)',
        origin: [ok('Cache-Control: max-age=10')],
        steps: [fetched(1), fetched(2, { after: 10 })],
      },
      {
        id: 'beyond',
        name: 'nor later',
        origin: [ok('Cache-Control: max-age=10')],
        steps: [fetched(1), fetched(2, { after: 3600 })],
      },
      {
        id: 'renewed',
        name: 'what is fetched then is fresh again',
        origin: [ok('Cache-Control: max-age=10')],
        steps: [fetched(1), fetched(2, { after: 11 }), stored(2, { after: 9 }), fetched(3, { after: 1 })],
      },
      { id: 'zero', name: 'max-age=0 is never fresh', origin: [ok('Cache-Control: max-age=0')], steps: notReused() },
      {
        id: 'age-below',
        name: 'the Age that it came with counts: below the lifetime',
        origin: [ok('Cache-Control: max-age=60', 'Age: 50')],
        steps: reused(),
      },
      {
        id: 'age-above',
        name: 'above the lifetime',
        origin: [ok('Cache-Control: max-age=60', 'Age: 61')],
        steps: notReused(),
      },
      {
        id: 'age-and-time',
        name: 'and time in the cache comes on top',
        origin: [ok('Cache-Control: max-age=60', 'Age: 50')],
        steps: [fetched(1), stored(1, { after: 9 }), fetched(2, { after: 1 })],
      },
    ],
  ),
  rule(
    '9111 §4.2.1',
    'If the cache is shared and the s-maxage response directive (Section 5.2.2.10) is present, use its value, or',
    [
      {
        id: 's-maxage-longer',
        name: 's-maxage beats a shorter max-age',
        origin: [ok('Cache-Control: max-age=10, s-maxage=60', 'Age: 30')],
        steps: reused(),
      },
      {
        id: 's-maxage-shorter',
        name: 'and a longer one',
        origin: [ok('Cache-Control: max-age=60, s-maxage=10', 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 's-maxage-first',
        name: 'wherever it stands',
        origin: [ok('Cache-Control: s-maxage=10', 'Cache-Control: max-age=60', 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 's-maxage-expires',
        name: 'and Expires',
        origin: [ok('Cache-Control: s-maxage=60', 'Expires: {now-60}')],
        steps: reused(),
      },
      {
        id: 's-maxage-zero',
        name: 's-maxage=0 is never fresh',
        origin: [ok('Cache-Control: max-age=60, s-maxage=0')],
        steps: notReused(),
      },
    ],
  ),
  rule('9111 §4.2.1', 'If the max-age response directive (Section 5.2.2.1) is present, use its value, or', [
    {
      id: 'max-age-past-expires',
      name: 'max-age beats an Expires in the past',
      origin: [ok('Cache-Control: max-age=60', 'Expires: {now-60}')],
      steps: reused(),
    },
    {
      id: 'max-age-future-expires',
      name: 'and one in the future',
      origin: [ok('Cache-Control: max-age=10', 'Expires: {now+3600}', 'Age: 30')],
      steps: notReused(),
    },
    {
      id: 'max-age-zero-future-expires',
      name: 'max-age=0 beats an Expires in the future',
      origin: [ok('Cache-Control: max-age=0', 'Expires: {now+3600}')],
      steps: notReused(),
    },
    {
      id: 'max-age-invalid-expires',
      name: 'and an Expires that is none',
      origin: [ok('Cache-Control: max-age=60', 'Expires: 0')],
      steps: reused(),
    },
    { id: 'max-age-case', name: 'in any case of letters', origin: [ok('Cache-Control: MaX-aGe=60')], steps: reused() },
    {
      id: 'max-age-last',
      name: 'behind directives that nobody knows',
      origin: [ok('Cache-Control: foo, bar="a,b;c=d", baz=1, max-age=60')],
      steps: reused(),
    },
    {
      id: 'max-age-spaces',
      name: 'with empty members and spaces in the list',
      origin: [ok('Cache-Control: ,, \t max-age=60 , ')],
      steps: reused(),
    },
  ]),
  rule(
    '9111 §4.2.1',
    'If the Expires response header field (Section 5.3) is present, use its value minus the value of the Date response header field (using the time the message was received if it is not present, as per Section 6.6.1 of [HTTP]), or',
    [
      { id: 'expires-future', name: 'Expires in the future', origin: [ok('Expires: {now+60}')], steps: reused() },
      { id: 'expires-past', name: 'in the past', origin: [ok('Expires: {now-60}')], steps: notReused() },
      { id: 'expires-is-date', name: 'equal to Date', origin: [ok('Expires: {now}')], steps: notReused() },
      {
        id: 'expires-clock-behind',
        name: 'the clock of the origin is an hour behind: what counts is the difference to its own Date, less the apparent age',
        origin: [ok('Date: {now-3600}', 'Expires: {now-3540}')],
        steps: notReused(),
        choice: 'The apparent age is taken into account (corrected_initial_age is the greater of the two).',
      },
      {
        id: 'expires-clock-ahead',
        name: 'an hour ahead: fresh for the difference, no longer',
        origin: [ok('Date: {now+3600}', 'Expires: {now+3660}')],
        steps: [fetched(1), stored(1, { after: 59 }), fetched(2, { after: 1 })],
      },
      {
        id: 'expires-without-date',
        name: 'without Date: the time of receipt',
        origin: [ok('!Date', 'Expires: {now+60}')],
        steps: [fetched(1), stored(1, { after: 58 }), fetched(2, { after: 2 })],
      },
      {
        id: 'expires-without-date-past',
        name: 'without Date and in the past',
        origin: [ok('!Date', 'Expires: {now-1}')],
        steps: notReused(),
      },
      {
        id: 'expires-with-other-directives',
        name: 'beside directives that say nothing of time',
        origin: [ok('Cache-Control: public', 'Expires: {now+60}')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §5.3',
    'A cache recipient MUST interpret invalid date formats, especially the value "0", as representing a time in the past (i.e., "already expired").',
    [
      {
        id: 'expires-0',
        name: 'Expires: 0',
        origin: [ok('Expires: 0', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-minus-1',
        name: 'Expires: -1',
        origin: [ok('Expires: -1', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-never',
        name: 'a word',
        origin: [ok('Expires: never', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-empty',
        name: 'nothing',
        origin: [ok('Expires:', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-number',
        name: 'a number of seconds',
        origin: [ok('Expires: 4102444800', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-iso',
        name: 'a date of another standard',
        origin: [ok('Expires: 2099-01-01T00:00:00Z', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-trailing',
        name: 'a date with something behind it',
        origin: [ok('Expires: Thu, 01 Jan 2099 00:00:00 GMT; x', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-feb-30',
        name: 'a day that is not in the calendar',
        origin: [ok('Expires: Thu, 30 Feb 2099 00:00:00 GMT', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'expires-hour-25',
        name: 'an hour that no day has',
        origin: [ok('Expires: Thu, 01 Jan 2099 25:00:00 GMT', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9110 §5.6.7',
    'A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats.',
    [
      {
        id: 'expires-rfc850',
        name: 'the form of RFC 850',
        origin: [ok('Expires: Thursday, 18-Aug-50 02:01:18 GMT')],
        steps: reused(),
      },
      {
        id: 'expires-asctime',
        name: 'the form of asctime()',
        origin: [ok('Expires: Thu Aug  8 02:01:18 2050')],
        steps: reused(),
      },
      {
        id: 'expires-imf',
        name: 'the form that is to be written',
        origin: [ok('Expires: Thu, 18 Aug 2050 02:01:18 GMT')],
        steps: reused(),
      },
      {
        id: 'expires-rfc850-past',
        name: 'a year of two digits that would be more than 50 years ahead is in the past',
        origin: [ok('Expires: Thursday, 18-Aug-94 02:01:18 GMT')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §4.2',
    'Although all date formats are specified to be case-sensitive, a cache recipient SHOULD match the field value case-insensitively.',
    [
      {
        id: 'expires-lower-case',
        name: 'small letters',
        origin: [ok('Expires: thu, 18 aug 2050 02:01:18 gmt')],
        steps: reused(),
      },
      {
        id: 'expires-upper-case',
        name: 'capitals',
        origin: [ok('Expires: THU, 18 AUG 2050 02:01:18 GMT')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §4.2',
    'A cache recipient SHOULD consider a date with a zone abbreviation other than "GMT" to be invalid for calculating expiration.',
    [
      {
        id: 'expires-pst',
        name: 'a zone of the West',
        origin: [ok('Expires: Thu, 18 Aug 2050 02:01:18 PST')],
        steps: notReused(),
      },
      {
        id: 'expires-utc',
        name: 'another word for the same',
        origin: [ok('Expires: Thu, 18 Aug 2050 02:01:18 UTC')],
        steps: notReused(),
      },
      {
        id: 'expires-offset',
        name: 'an offset',
        origin: [ok('Expires: Thu, 18 Aug 2050 02:01:18 +0000')],
        steps: notReused(),
      },
      {
        id: 'expires-no-zone',
        name: 'none',
        origin: [ok('Expires: Thu, 18 Aug 2050 02:01:18')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §4.2.1',
    'When there is more than one value present for a given directive (e.g., two Expires header field lines or multiple Cache-Control: max-age directives), either the first occurrence should be used or the response should be considered stale.',
    [
      {
        id: 'max-age-twice-short-first',
        name: 'max-age twice, the shorter one first',
        origin: [ok('Cache-Control: max-age=10, max-age=3600', 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'max-age-twice-zero-second',
        name: 'the second one 0: the safe side',
        origin: [ok('Cache-Control: max-age=3600, max-age=0', 'Age: 30')],
        steps: notReused(),
        choice: 'Two different values: the shorter one counts.',
      },
      {
        id: 'max-age-twice-lines',
        name: 'the same in two lines',
        origin: [ok('Cache-Control: max-age=10', 'Cache-Control: max-age=3600', 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 's-maxage-twice',
        name: 's-maxage twice, the shorter one first',
        origin: [ok('Cache-Control: s-maxage=10, s-maxage=3600', 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'expires-twice',
        name: 'Expires twice, the past first',
        origin: [ok('Expires: {now-60}', 'Expires: {now+3600}')],
        steps: notReused(),
      },
      {
        id: 'max-age-twice-equal',
        name: 'twice the same value is no contradiction',
        origin: [ok('Cache-Control: max-age=60, max-age=60')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §4.2.1',
    'If directives conflict (e.g., both max-age and no-cache are present), the most restrictive directive should be honored.',
    [
      {
        id: 'max-age-no-cache',
        name: 'max-age and no-cache',
        origin: [ok('Cache-Control: max-age=60, no-cache')],
        steps: notReused(),
      },
      {
        id: 'no-cache-max-age',
        name: 'in the other order, in two lines',
        origin: [ok('Cache-Control: no-cache', 'Cache-Control: max-age=60')],
        steps: notReused(),
      },
      {
        id: 'public-no-cache',
        name: 'public and no-cache',
        origin: [ok('Cache-Control: public, s-maxage=60, no-cache')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §4.2.1',
    'Caches are encouraged to consider responses that have invalid freshness information (e.g., a max-age directive with non-integer content) to be stale.',
    [
      { id: 'max-age-word', name: 'a word', origin: [ok('Cache-Control: max-age=soon')], steps: notReused() },
      {
        id: 'max-age-negative',
        name: 'a negative number',
        origin: [ok('Cache-Control: max-age=-60')],
        steps: notReused(),
      },
      {
        id: 'max-age-decimal',
        name: 'a decimal fraction',
        origin: [ok('Cache-Control: max-age=60.5')],
        steps: notReused(),
      },
      { id: 'max-age-nothing', name: 'nothing', origin: [ok('Cache-Control: max-age=')], steps: notReused() },
      { id: 'max-age-no-argument', name: 'no argument', origin: [ok('Cache-Control: max-age')], steps: notReused() },
      {
        id: 'max-age-unit',
        name: 'a number with a unit',
        origin: [ok('Cache-Control: max-age=60s')],
        steps: notReused(),
      },
      { id: 'max-age-hex', name: 'another base', origin: [ok('Cache-Control: max-age=0x3c')], steps: notReused() },
      { id: 'max-age-exponent', name: 'an exponent', origin: [ok('Cache-Control: max-age=6e1')], steps: notReused() },
      { id: 'max-age-plus', name: 'a sign', origin: [ok('Cache-Control: max-age=+60')], steps: notReused() },
      {
        id: 'max-age-invalid-expires-future',
        name: 'a word, with an Expires in the future that it does not give way to',
        origin: [ok('Cache-Control: max-age=soon', 'Expires: {now+60}')],
        steps: notReused(),
        choice: 'A max-age that cannot be read makes the answer stale; Expires is not asked in its place.',
      },
      {
        id: 's-maxage-invalid',
        name: 's-maxage that cannot be read, with a max-age that can',
        origin: [ok('Cache-Control: max-age=60, s-maxage=x')],
        steps: notReused(),
        choice: 'An s-maxage that cannot be read makes the answer stale; max-age is not asked in its place.',
      },
    ],
  ),
  rule(
    '9111 §5.2',
    'For the directives defined below that define arguments, recipients ought to accept both forms, even if a specific form is required for generation.',
    [
      { id: 'max-age-quoted', name: 'max-age in quotes', origin: [ok('Cache-Control: max-age="60"')], steps: reused() },
      {
        id: 's-maxage-quoted',
        name: 's-maxage in quotes',
        origin: [ok('Cache-Control: s-maxage="60"')],
        steps: reused(),
      },
      {
        id: 'max-age-zero-quoted',
        name: 'and 0 in quotes is 0',
        origin: [ok('Cache-Control: max-age="0"')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §1.2.2',
    'If a cache receives a delta-seconds value greater than the greatest integer it can represent, or if any of its subsequent calculations overflows, the cache MUST consider the value to be 2147483648 (2^31) or the greatest positive integer it can conveniently represent.',
    [
      {
        id: 'max-age-2-31',
        name: 'max-age of 2^31',
        origin: [ok('Cache-Control: max-age=2147483648')],
        steps: reused(),
      },
      { id: 'max-age-2-32', name: 'of 2^32 + 1', origin: [ok('Cache-Control: max-age=4294967297')], steps: reused() },
      {
        id: 'max-age-2-63',
        name: 'of 2^63',
        origin: [ok('Cache-Control: max-age=9223372036854775808')],
        steps: reused(),
      },
      {
        id: 'max-age-100-digits',
        name: 'of a hundred digits',
        origin: [ok(`Cache-Control: max-age=${'9'.repeat(100)}`)],
        steps: reused(),
      },
      {
        id: 'max-age-leading-zeros',
        name: 'leading zeros',
        origin: [ok('Cache-Control: max-age=0000000000000000060')],
        steps: reused(),
      },
      {
        id: 'age-overflow',
        name: 'an Age that is too large is a great age, not a small or negative one',
        origin: [ok('Cache-Control: max-age=60', 'Age: 9223372036854775808')],
        steps: notReused(),
      },
      {
        id: 'age-overflow-32',
        name: 'the same just beyond 2^32',
        origin: [ok('Cache-Control: max-age=60', 'Age: 4294967297')],
        steps: notReused(),
      },
      {
        id: 'expires-9999',
        name: 'an Expires in the year 9999',
        origin: [ok('Expires: Fri, 31 Dec 9999 23:59:59 GMT')],
        steps: reused(),
      },
    ],
  ),
  rule('9111 §4.2.2', fraction, [
    {
      id: 'heuristic-tenth',
      name: 'a tenth of the time since Last-Modified',
      origin: [ok('Last-Modified: {start-1000}')],
      steps: [fetched(1), stored(1, { after: 99 }), fetched(2, { after: 1 })],
    },
    {
      id: 'heuristic-most',
      name: 'at most a day',
      origin: [ok('Last-Modified: {start-100000000}')],
      steps: [fetched(1), stored(1, { after: 86_399 }), fetched(2, { after: 1 })],
      choice: 'A lifetime that is made up is at most `cache.heuristic.max`, a day by default.',
    },
    {
      id: 'heuristic-age',
      name: 'the Age that it came with counts against it',
      origin: [ok('Last-Modified: {start-1000}', 'Age: 101')],
      steps: notReused(),
    },
    {
      id: 'heuristic-future',
      name: 'a Last-Modified in the future gives nothing',
      origin: [ok('Last-Modified: {start+1000}')],
      steps: notReused(),
    },
    {
      id: 'heuristic-now',
      name: 'nor does one of this second',
      origin: [ok('Last-Modified: {now}')],
      steps: notReused(),
    },
    {
      id: 'heuristic-invalid',
      name: 'nor one that is no date',
      origin: [ok('Last-Modified: yesterday')],
      steps: notReused(),
    },
    {
      id: 'heuristic-off',
      name: '`"heuristic": false`: none is made up',
      route: { cache: { heuristic: false } },
      origin: [ok('Last-Modified: {start-1000}')],
      steps: notReused(),
    },
    {
      id: 'heuristic-cookie',
      name: 'none for a request with a cookie',
      origin: [ok('Last-Modified: {start-1000}')],
      steps: [fetched(1, { asks: ['Cookie: a=1'] }), fetched(2, { asks: ['Cookie: a=1'] })],
      choice: 'An answer to a request with Cookie that says nothing of caching is likely to be for one client.',
    },
  ]),
  rule(
    '9111 §4.2.2',
    'A cache MUST NOT use heuristics to determine freshness when an explicit expiration time is present in the stored response.',
    [
      {
        id: 'heuristic-not-max-age',
        name: 'max-age that is over',
        origin: [ok('Cache-Control: max-age=10', 'Age: 20', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'heuristic-not-expires',
        name: 'Expires in the past',
        origin: [ok('Expires: {now-10}', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'heuristic-not-s-maxage',
        name: 's-maxage=0',
        origin: [ok('Cache-Control: s-maxage=0', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
      {
        id: 'heuristic-not-invalid',
        name: 'a max-age that cannot be read',
        origin: [ok('Cache-Control: max-age=x', 'Last-Modified: {start-100000}')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §5.2.2.9',
    'If a response with the public directive has no explicit freshness information, it is heuristically cacheable (Section 4.2.2).',
    [
      {
        id: 'public-heuristic-302',
        name: 'a 302 with public',
        origin: [says(302, 'Cache-Control: public', 'Last-Modified: {start-1000}', 'Location: /x')],
        steps: [fetched(1), stored(1, { after: 99 }), fetched(2, { after: 1 })],
      },
      {
        id: 'public-without-last-modified',
        name: 'public alone, without anything to derive a lifetime from',
        origin: [ok('Cache-Control: public')],
        steps: notReused(),
        choice: 'Without Last-Modified there is nothing to derive a lifetime from: none is made up.',
      },
    ],
  ),
  rule(
    '9111 §4.2.2',
    'A previous version of the HTTP specification (Section 13.9 of [RFC2616]) prohibited caches from calculating heuristic freshness for URIs with query components (i.e., those containing "?"). In practice, this has not been widely implemented.',
    [
      {
        id: 'heuristic-query',
        name: 'a query does not keep a lifetime from being made up',
        origin: [ok('Last-Modified: {start-1000}')],
        steps: [fetched(1, { path: '?a=1' }), stored(1, { path: '?a=1' })],
      },
    ],
  ),
  rule(
    '9111 §5.4',
    'Because the meaning of "Pragma: no-cache" in responses was never specified, it does not provide a reliable replacement for "Cache-Control: no-cache" in them.',
    [
      {
        id: 'pragma-in-answer',
        name: 'Pragma in an answer with a lifetime means nothing',
        origin: [fresh('Pragma: no-cache')],
        steps: reused(),
      },
    ],
  ),
])
