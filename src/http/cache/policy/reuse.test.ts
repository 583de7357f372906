import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CacheSpec } from '../../../core/cache-spec.ts'
import { flags } from './flags.ts'
import { readCacheRequest } from './request.ts'
import { currentAge, isStaleError, mayServeStale, reuse, type StoredFacts } from './reuse.ts'
import type { RuleId } from './rules.ts'

const SECOND = 1000
const spec: Pick<CacheSpec, 'staleWhileRevalidate' | 'staleIfError' | 'staleWhenDown'> = {
  staleWhileRevalidate: null,
  staleIfError: null,
  staleWhenDown: 0,
}
const request = (directives = '', more = '') =>
  readCacheRequest(`${directives === '' ? '' : `Cache-Control: ${directives}\r\n`}${more}`)

/** Came at 0, fresh for 60 s, to be validated by its tag. */
function entry(over: Partial<StoredFacts> = {}): StoredFacts {
  return {
    status: 200,
    flags: flags.hasEtag,
    responseTime: 0,
    initialAge: 0,
    lifetime: 60 * SECOND,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    isMarkedStale: false,
    ...over,
  }
}
const bits = (...set: number[]): Partial<StoredFacts> => ({ flags: set.reduce((all, bit) => all | bit, flags.hasEtag) })
const whileRevalidate = { ...bits(flags.saysWhileRevalidate), staleWhileRevalidate: 10 * SECOND }

type Case = [
  name: string,
  how: string,
  rule: RuleId,
  at: number,
  asked: string,
  of?: Partial<StoredFacts>,
  more?: string,
]
const cases: Case[] = [
  ['fresh', 'serve', 'fresh', 59, ''],
  ['no-cache of the backend', 'validate', 'no-cache', 1, '', bits(flags.noCache)],
  ['no-cache of the client', 'validate', 'request-no-cache', 1, 'no-cache'],
  ['no-cache, nothing to validate by', 'miss', 'request-no-cache', 1, 'no-cache', { flags: 0 }],
  ['Pragma', 'validate', 'request-no-cache', 1, '', {}, 'Pragma: no-cache\r\n'],
  ['max-age reached', 'serve', 'fresh', 10, 'max-age=10'],
  ['max-age passed', 'validate', 'request-max-age', 10.001, 'max-age=10'],
  ['max-age=0 of what just came', 'validate', 'request-max-age', 0, 'max-age=0'],
  ['max-age passed, though immutable', 'validate', 'request-max-age', 1, 'max-age=0', bits(flags.immutable)],
  ['max-age passed, though max-stale', 'validate', 'request-max-age', 20, 'max-age=10, max-stale'],
  ['min-fresh left', 'serve', 'fresh', 50, 'min-fresh=10'],
  ['min-fresh not left', 'validate', 'request-min-fresh', 50.001, 'min-fresh=10'],
  [
    'a guess, for a client with a cookie',
    'validate',
    'heuristic-client',
    1,
    '',
    bits(flags.heuristic),
    'Cookie: a\r\n',
  ],
  [
    'a guess, for an authenticated client',
    'validate',
    'heuristic-client',
    1,
    '',
    bits(flags.heuristic),
    'Authorization: a\r\n',
  ],
  ['a guess, for others', 'serve', 'fresh', 1, '', bits(flags.heuristic)],
  ['at its end', 'validate', 'stale', 60, ''],
  ['past its end', 'miss', 'stale', 60, '', { flags: 0 }],
  ['stale, must-revalidate', 'validate', 'must-revalidate', 61, 'max-stale', bits(flags.mustRevalidate)],
  ['stale, s-maxage', 'validate', 'must-revalidate', 61, 'max-stale', bits(flags.proxyRevalidate)],
  ['stale, max-stale', 'serve', 'request-max-stale', 10_000, 'max-stale'],
  ['stale, just within max-stale', 'serve', 'request-max-stale', 70, 'max-stale=10'],
  ['stale, past max-stale', 'validate', 'stale', 70.001, 'max-stale=10'],
  ['stale, max-stale and max-age', 'serve', 'request-max-stale', 70, 'max-age=70, max-stale=10'],
  ['stale, max-stale and min-fresh', 'validate', 'request-min-fresh', 61, 'max-stale, min-fresh=0'],
  ['stale-while-revalidate', 'serve-and-revalidate', 'stale-while-revalidate', 69, '', whileRevalidate],
  ['stale-while-revalidate, over', 'validate', 'stale', 70, '', whileRevalidate],
  ['stale-while-revalidate, but max-age', 'validate', 'request-max-age', 61, 'max-age=100', whileRevalidate],
  ['stale-while-revalidate, but no-cache', 'validate', 'request-no-cache', 61, 'no-cache', whileRevalidate],
  [
    'stale-while-revalidate and must-revalidate',
    'validate',
    'must-revalidate',
    61,
    '',
    { ...whileRevalidate, flags: whileRevalidate.flags! | flags.mustRevalidate },
  ],
  ['purged', 'validate', 'purged', 1, '', { isMarkedStale: true }],
  ['purged, max-stale', 'validate', 'purged', 1, 'max-stale', { isMarkedStale: true }],
  [
    'purged, stale-while-revalidate',
    'serve-and-revalidate',
    'stale-while-revalidate',
    1,
    '',
    { ...whileRevalidate, isMarkedStale: true },
  ],
]
for (const [name, how, rule, at, asked, of, more] of cases) {
  test(`${name}: ${how}`, () => {
    const use = reuse(entry(of), request(asked, more), at * SECOND, spec)
    assert.deepEqual([use.how, use.rule], [how, rule])
    assert.equal(use.stale, use.ttl < 0)
  })
}

test('what the answer says of stale-while-revalidate counts before what the route says', () => {
  const route = { ...spec, staleWhileRevalidate: 5 * SECOND }
  assert.equal(reuse(entry(), request(), 64 * SECOND, route).how, 'serve-and-revalidate')
  assert.equal(reuse(entry(), request(), 65 * SECOND, route).how, 'validate')
  assert.equal(reuse(entry(whileRevalidate), request(), 69 * SECOND, route).how, 'serve-and-revalidate')
  assert.equal(
    reuse(entry({ ...whileRevalidate, staleWhileRevalidate: 0 }), request(), 61 * SECOND, route).how,
    'validate',
  )
})

test('age and what is left of it', () => {
  const { age, ttl } = reuse(entry({ initialAge: 5500 }), request(), 1700, spec)
  assert.deepEqual([age, ttl], [7, 53])
  assert.equal(reuse(entry(), request(), 60 * SECOND + 1, spec).ttl, -1)
  assert.equal(reuse(entry(), request(), 62 * SECOND + 1, spec).ttl, -2)
  assert.equal(reuse(entry({ isMarkedStale: true }), request(), 0, spec).ttl, -1)
  assert.equal(currentAge(entry({ responseTime: 5000, initialAge: 100 }), 1000), 100)
})

const down = { ...spec, staleWhenDown: 100 * SECOND }
const stale = (at: number, of: Partial<StoredFacts>, asked: string, route = spec, cause: 'error' | 'down' = 'error') =>
  mayServeStale(entry(of), request(asked), at * SECOND, route, cause)
const ifError = { ...bits(flags.saysIfError), staleIfError: 10 * SECOND }

test('stale-if-error of the answer, of the route, of the client', () => {
  assert.ok(!stale(61, {}, ''))
  assert.ok(stale(69, ifError, '') && !stale(70, ifError, ''))
  assert.ok(stale(64, {}, '', { ...spec, staleIfError: 5 * SECOND }))
  assert.ok(!stale(61, { ...ifError, staleIfError: 0 }, '', { ...spec, staleIfError: 5 * SECOND }))
  assert.ok(stale(64, {}, 'stale-if-error=5') && !stale(65, {}, 'stale-if-error=5'))
})

test('when no backend is there', () => {
  assert.ok(stale(159, {}, '', down, 'down') && !stale(160, {}, '', down, 'down'))
  assert.ok(!stale(61, {}, '', down, 'error'))
  assert.ok(stale(69, ifError, '', spec, 'down'))
})

test('never where the answer or the client forbids it', () => {
  for (const bit of [flags.mustRevalidate, flags.proxyRevalidate, flags.noCache]) {
    assert.ok(!stale(61, { ...ifError, flags: ifError.flags! | bit }, '', down, 'down'))
  }
  for (const asked of ['no-cache', 'max-stale=0']) {
    assert.ok(!stale(61, ifError, asked, down, 'down'), asked)
  }
  for (const asked of ['max-stale', 'max-age=0', 'min-fresh=5']) assert.ok(stale(61, ifError, asked), asked)
  assert.ok(stale(1, ifError, 'max-age=0') && !stale(1, {}, 'max-age=0'), 'a reload that failed while it was fresh')
})

test('which answers are errors', () => {
  assert.deepEqual([500, 501, 502, 503, 504, 505, 404].filter(isStaleError), [500, 502, 503, 504])
})

test('whatever is asked, a stale answer that must be validated is never served', () => {
  const asked = fc.array(
    fc.constantFrom('max-stale', 'max-stale=100', 'max-age=900', 'stale-if-error=900', 'no-store', 'x'),
  )
  const forbids = fc.constantFrom(flags.mustRevalidate, flags.proxyRevalidate, flags.noCache)
  fc.assert(
    fc.property(asked, forbids, fc.boolean(), fc.integer({ min: 60, max: 500 }), (words, bit, isMarkedStale, at) => {
      const of = entry({
        ...whileRevalidate,
        flags: whileRevalidate.flags! | bit,
        staleIfError: 900 * SECOND,
        isMarkedStale,
      })
      const wide = { staleWhileRevalidate: 900 * SECOND, staleIfError: 900 * SECOND, staleWhenDown: 900 * SECOND }
      assert.equal(reuse(of, request(words.join(', ')), at * SECOND, wide).how, 'validate')
      assert.ok(!mayServeStale(of, request(words.join(', ')), at * SECOND, wide, 'down'))
    }),
  )
})
