import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cacheSpec } from '../../../../test/support/control-kit.ts'
import type { CacheSpec } from '../../../core/cache-spec.ts'
import { readAnswer } from './answer.ts'
import { flags } from './flags.ts'
import { judge, type Stored, type StoreQuestion } from './judge.ts'
import { readCacheRequest } from './request.ts'
import { rules } from './rules.ts'

const now = Date.UTC(2026, 10, 21, 18)
const dated = (ms: number): string => new Date(now + ms).toUTCString()
const DATE = `Date: ${dated(0)}\r\n`
const MODIFIED = `Last-Modified: ${dated(-100_000)}\r\n`

interface Case extends Partial<StoreQuestion> {
  /** Lines of the answer, besides Date. */
  readonly says?: string
  readonly asked?: string
  readonly route?: Partial<CacheSpec>
}

function question({ says = '', asked = '', route = {}, ...over }: Case): StoreQuestion {
  const spec = cacheSpec(route)
  const status = over.status ?? 200
  const fields = over.fields ?? DATE + says.replace(/(?<=.)$/, '\r\n').replaceAll(' | ', '\r\n')
  return {
    method: 'GET',
    request: readCacheRequest(asked === '' ? '' : `${asked}\r\n`),
    isAuthenticated: false,
    requestTime: now,
    responseTime: now,
    status,
    fields,
    answer: readAnswer(fields, status, spec.targetFields, spec.tagFields),
    spec,
    ...over,
  }
}

function stored(of: Case): Stored {
  const verdict = judge(question(of))
  assert.ok(verdict.store, verdict.rule)
  return verdict
}

const minute = 'Cache-Control: max-age=60'
/** Of the route, for what says nothing. */
const spare = { defaultTtl: 9000 }
const refused: [string, keyof typeof rules, Case][] = [
  ['HEAD', 'method', { method: 'HEAD', says: minute }],
  ['POST', 'method', { method: 'POST', says: minute }],
  ['100', 'interim', { status: 103, says: minute }],
  ['206', 'partial', { status: 206, says: minute }],
  ['Content-Range', 'partial', { says: `${minute} | Content-Range: bytes 0-1/2` }],
  ['304', 'partial', { status: 304, says: minute }],
  ['no-store of the client', 'request-no-store', { asked: 'Cache-Control: no-store', says: minute }],
  ['no-store', 'no-store', { says: `${minute}, no-store` }],
  ['private', 'private', { says: `${minute}, private` }],
  ['private beside public', 'private', { says: `${minute}, public, private` }],
  ['must-understand, status unknown', 'not-understood', { status: 299, says: `${minute}, must-understand, no-store` }],
  ['status unknown, nothing said', 'not-understood', { status: 299, says: 'ETag: "a"' }],
  ['302 without a word', 'status-not-cacheable', { status: 302, says: 'ETag: "a"' }],
  ['Authorization', 'authorization', { asked: 'Authorization: x', says: minute }],
  ['authenticated by a step', 'authorization', { isAuthenticated: true, says: minute }],
  [
    's-maxage that cannot be read permits nothing',
    'authorization',
    { asked: 'Authorization: x', says: 'Cache-Control: s-maxage=x' },
  ],
  ['Set-Cookie', 'set-cookie', { says: `${minute} | Set-Cookie: a=1` }],
  ['Vary: *', 'vary-any', { says: `${minute} | Vary: *` }],
  ['Vary by a field of ours', 'vary-unknown', { says: `${minute} | Vary: X-Forwarded-For` }],
  ['vary of the route by a field of ours', 'vary-unknown', { says: minute, route: { vary: ['x-request-id'] } }],
  ['Vary by 17 fields', 'vary-too-much', { says: `${minute} | Vary: ${[...'abcdefghijklmnopq'].join()}` }],
  ['too many tags', 'too-many-tags', { says: `${minute} | Cache-Tag: ${'a'.repeat(20_000)}` }],
  ['nothing said', 'nothing-said', {}],
  ['no validator, stale at once', 'useless', { says: 'Cache-Control: max-age=0' }],
  ['no validator, no-cache', 'useless', { says: `${minute}, no-cache` }],
  ['Expires: 0', 'useless', { says: 'Expires: 0' }],
  ['older than it lives, must-revalidate', 'useless', { says: `${minute}, must-revalidate | Age: 60` }],
  ['no 304 speaks of a 404', 'nothing-said', { status: 404, says: 'ETag: "a"' }],
  ['a cookie, nothing said', 'cookie', { asked: 'Cookie: a=1', says: `ETag: "a" | Last-Modified: ${dated(-1000)}` }],
  [
    'a cookie, to be validated by its date',
    'cookie',
    { asked: 'Cookie: a=1', says: `Cache-Control: no-cache | Last-Modified: ${dated(-1000)}` },
  ],
  [
    'the route keeps none of that status',
    'ttl-zero',
    { says: minute, route: { ttlByStatus: [{ from: 200, to: 299, ttl: 0 }] } },
  ],
  ['nothing said, a time of the route, a cookie', 'cookie', { asked: 'Cookie: a=1', route: spare }],
  ['nothing said, a time of the route, authenticated', 'authorization', { isAuthenticated: true, route: spare }],
  ['nothing said by a 302, a time of the route', 'status-not-cacheable', { status: 302, route: spare }],
  ['no-store, a time of the route', 'no-store', { says: 'Cache-Control: no-store', route: spare }],
  ['private, a time of the route', 'private', { says: 'Cache-Control: private', route: spare }],
  ['no-cache, a time of the route', 'nothing-said', { says: 'Cache-Control: no-cache', route: spare }],
  [
    'must-understand and no-store, a time of the route',
    'nothing-said',
    { says: 'Cache-Control: must-understand, no-store', route: spare },
  ],
  ['Set-Cookie, a time of the route', 'set-cookie', { says: 'Set-Cookie: a=1', route: spare }],
  ['stale at once, a time of the route', 'useless', { says: 'Cache-Control: max-age=0', route: spare }],
  ['targeted private', 'private', { says: 'Cache-Control: max-age=60 | CDN-Cache-Control: private' }],
]
for (const [name, rule, of] of refused) {
  test(`not stored: ${name}`, () => assert.deepEqual(judge(question(of)), { store: false, rule }))
}

const kept: [string, keyof typeof rules, number, Case][] = [
  ['max-age', 'max-age', 60, { says: minute }],
  ['s-maxage before max-age', 's-maxage', 70, { says: `${minute}, s-maxage=70` }],
  ['max-age before Expires', 'max-age', 60, { says: `${minute} | Expires: ${dated(5000)}` }],
  ['Expires', 'expires', 5, { says: `Expires: ${dated(5000)}` }],
  ['Expires without Date', 'expires', 5, { fields: `Expires: ${dated(5000)}\r\n` }],
  ['heuristic', 'heuristic', 10, { says: `Last-Modified: ${dated(-100_000)}` }],
  [
    'heuristic, capped',
    'heuristic',
    3,
    { says: `Last-Modified: ${dated(-100_000)}`, route: { heuristic: { share: 0.1, max: 3000 } } },
  ],
  [
    'heuristic of a 302 that is public',
    'heuristic',
    10,
    { status: 302, says: `Cache-Control: public | Last-Modified: ${dated(-100_000)}` },
  ],
  ['no heuristic', 'validator-only', 0, { says: `Last-Modified: ${dated(-100_000)}`, route: { heuristic: null } }],
  ['the time of the route for what says nothing', 'default-ttl', 9, { route: spare }],
  ['the same, of a 404', 'default-ttl', 9, { status: 404, route: spare }],
  ['the same, with a tag', 'default-ttl', 9, { says: 'ETag: "a"', route: spare }],
  ['a guess before it', 'heuristic', 10, { says: MODIFIED.trim(), route: spare }],
  ['no guess, so it', 'default-ttl', 9, { says: MODIFIED.trim(), route: { ...spare, heuristic: null } }],
  ['what the answer says before it', 'max-age', 60, { says: minute, route: spare }],
  [
    'what the route says by status before it',
    'ttl-by-status',
    7,
    { status: 404, route: { ...spare, ttlByStatus: [{ from: 404, to: 404, ttl: 7000 }] } },
  ],
  ['only a tag', 'validator-only', 0, { says: 'ETag: "a"' }],
  ['stale at once, with a tag', 'max-age', 0, { says: 'Cache-Control: max-age=0 | ETag: "a"' }],
  ['stale at once, but for a while', 'stale-only', 0, { says: 'Cache-Control: max-age=0, stale-while-revalidate=9' }],
  [
    'stale at once, as the route has it',
    'stale-only',
    0,
    { says: 'Cache-Control: max-age=0', route: { staleIfError: 1 } },
  ],
  ['older than it lives', 'stale-only', 60, { says: `${minute} | Age: 60` }],
  ['302 with max-age', 'max-age', 60, { status: 302, says: minute }],
  ['503 with max-age', 'max-age', 60, { status: 503, says: minute }],
  ['status unknown, with max-age', 'max-age', 60, { status: 299, says: minute }],
  ['must-understand and no-store, status known', 'max-age', 60, { says: `${minute}, must-understand, no-store` }],
  ['Authorization and public', 'max-age', 60, { asked: 'Authorization: x', says: `${minute}, public` }],
  [
    'Authorization and must-revalidate',
    'max-age',
    60,
    { asked: 'Authorization: x', says: `${minute}, must-revalidate` },
  ],
  ['Authorization and s-maxage', 's-maxage', 60, { asked: 'Authorization: x', says: 'Cache-Control: s-maxage=60' }],
  ['a cookie and max-age', 'max-age', 60, { asked: 'Cookie: a=1', says: minute }],
  [
    'a cookie and no-cache with a tag',
    'validator-only',
    0,
    { asked: 'Cookie: a=1', says: 'Cache-Control: no-cache | ETag: "a"' },
  ],
  ['targeted', 'targeted', 9, { says: 'Cache-Control: no-store | CDN-Cache-Control: max-age=9' }],
  [
    'targeted, heuristic',
    'heuristic',
    10,
    { says: `Cache-Control: no-store | CDN-Cache-Control: none | Last-Modified: ${dated(-100_000)}` },
  ],
  ['the route: ttl', 'ttl', 5, { says: `${minute}, no-store, private, no-cache`, route: { ttl: 5000 } }],
  [
    'the route: by status',
    'ttl-by-status',
    7,
    { status: 404, route: { ttl: 5000, ttlByStatus: [{ from: 404, to: 404, ttl: 7000 }] } },
  ],
  [
    'the route: an error that is named',
    'ttl-by-status',
    7,
    { status: 503, route: { ttlByStatus: [{ from: 500, to: 599, ttl: 7000 }] } },
  ],
]
for (const [name, rule, seconds, of] of kept) {
  test(`stored: ${name}`, () => {
    const verdict = stored(of)
    assert.deepEqual([verdict.rule, verdict.facts.lifetime], [rule, seconds * 1000])
    const isNoCache = (verdict.facts.flags & flags.noCache) !== 0
    assert.equal(verdict.usable, verdict.facts.lifetime > verdict.facts.initialAge && !isNoCache)
  })
}

test('a route overrules what an answer says of itself, but nothing that protects clients from each other', () => {
  const route = { ttl: 5000, ttlByStatus: [{ from: 206, to: 206, ttl: 5000 }] } satisfies Partial<CacheSpec>
  for (const [rule, of] of [
    ['authorization', { asked: 'Authorization: x' }],
    ['no-store', { asked: 'Authorization: x', says: 'Cache-Control: no-store, public' }],
    ['private', { isAuthenticated: true, says: 'Cache-Control: private, s-maxage=5' }],
    ['set-cookie', { says: 'Set-Cookie: a' }],
    ['vary-any', { says: 'Vary: *' }],
    ['partial', { status: 206 }],
    ['request-no-store', { asked: 'Cache-Control: no-store' }],
  ] as const satisfies [string, Case][]) {
    assert.deepEqual(judge(question({ ...of, route })), { store: false, rule })
  }
  // An error without a word is not kept for as long as a page.
  assert.deepEqual(judge(question({ status: 500, route })), { store: false, rule: 'status-not-cacheable' })
})

test('a time of the route begins when the answer came, however old that was', () => {
  const { facts, usable } = stored({ says: 'Age: 100', route: { ttl: 5000 } })
  assert.deepEqual([facts.initialAge, facts.lifetime, usable], [100_000, 105_000, true])
})

test('§4.2.3: the age when it came', () => {
  const age = (of: Case): number => stored({ ...of, route: { ttl: 5000 } }).facts.initialAge
  assert.equal(age({ requestTime: now + 400, responseTime: now + 400 }), 0)
  assert.equal(age({ requestTime: now + 3700, responseTime: now + 3700 }), 3000)
  assert.equal(age({ requestTime: now - 2500 }), 2500)
  assert.equal(age({ says: 'Age: 10', requestTime: now - 2500 }), 12_500)
  assert.equal(age({ says: 'Age: 10', responseTime: now + 20_000, requestTime: now + 20_000 }), 20_000)
  assert.equal(age({ responseTime: now - 20_000, requestTime: now - 20_000 }), 0)
})

test('what is kept: no Age, no tags, nothing withheld; a Date is added', () => {
  const { head, tags, vary } = stored({
    fields:
      'Age: 5\r\nCache-Control: max-age=60, private="x-user", no-cache="set-cookie"\r\nCache-Tag: a, b\r\nX-User: 1\r\n' +
      'Set-Cookie: a=1\r\nProxy-Authentication-Info: x\r\nCDN-Cache-Control: \r\nVary: b, A\r\nX-Keep: 1\r\n',
    route: { vary: ['a', 'c'] },
  })
  assert.equal(
    head,
    'Cache-Control: max-age=60, private="x-user", no-cache="set-cookie"\r\nCDN-Cache-Control: \r\nVary: b, A\r\n' +
      `X-Keep: 1\r\nDate: ${dated(0)}\r\n`,
  )
  assert.deepEqual([tags, vary], ['a b', ['a', 'b', 'c']])
})

test('Set-Cookie: not stored, stored without it, stored with it', () => {
  const of = { says: `${minute} | Set-Cookie: a=1` }
  assert.deepEqual(judge(question(of)), { store: false, rule: 'set-cookie' })
  assert.ok(!stored({ ...of, route: { setCookie: 'strip' } }).head.includes('Set-Cookie'))
  assert.ok(stored({ ...of, route: { setCookie: 'store' } }).head.includes('Set-Cookie: a=1'))
})

test('flags say what the answer said', () => {
  const bits = (of: Case): number => stored(of).facts.flags
  const says = `${minute}, must-revalidate, immutable, no-transform | ETag: "a" | ${MODIFIED.trim()}`
  assert.equal(
    bits({ says }),
    flags.mustRevalidate | flags.immutable | flags.noTransform | flags.hasEtag | flags.hasLastModified,
  )
  assert.equal(bits({ says: 'Cache-Control: s-maxage=5' }), flags.proxyRevalidate)
  assert.equal(bits({ says: 'Cache-Control: s-maxage=5, no-cache', route: { ttl: 5000 } }), flags.manual)
  assert.equal(bits({ says: MODIFIED.trim() }), flags.heuristic | flags.hasLastModified)
  assert.equal(bits({ route: spare }), flags.heuristic)
  assert.equal(bits({ asked: 'Authorization: x', says: `${minute}, public` }), flags.authenticated)
  const windows = stored({ says: `${minute}, stale-while-revalidate=2, stale-if-error=0` }).facts
  assert.deepEqual([windows.staleWhileRevalidate, windows.staleIfError], [2000, 0])
  assert.equal(windows.flags, flags.saysWhileRevalidate | flags.saysIfError)
})

const anyDirective = fc.constantFrom(
  'no-store',
  'private',
  'private="set-cookie"',
  'no-cache',
  'public',
  'must-revalidate',
  'must-understand',
  'max-age=60',
  's-maxage=60',
  'max-age=0',
  'immutable',
  'x=1',
  's-maxage=x',
)
const anyLine = fc.constantFrom(
  'Set-Cookie: a=1',
  'Vary: *',
  'Vary: Cookie',
  'ETag: "a"',
  `Last-Modified: ${dated(-9e6)}`,
  'Age: 3',
)
const anyCase = fc.record({
  directives: fc.array(anyDirective, { maxLength: 4 }),
  lines: fc.array(anyLine, { maxLength: 3 }),
  asked: fc.constantFrom('', 'Authorization: x', 'Cookie: a=1', 'Cache-Control: no-store'),
  status: fc.constantFrom(200, 206, 301, 302, 404, 500),
  ttl: fc.constantFrom('origin' as const, 5000),
  defaultTtl: fc.constantFrom(0, 9000),
})

test('whatever an answer says, nothing is stored that could be for one client alone', () => {
  fc.assert(
    fc.property(anyCase, ({ directives, lines, asked, status, ttl, defaultTtl }) => {
      const says = [...lines, ...(directives.length > 0 ? [`Cache-Control: ${directives.join(', ')}`] : [])].join(' | ')
      const verdict = judge(question({ says, asked, status, route: { ttl, defaultTtl } }))
      if (!verdict.store) return assert.ok(verdict.rule in rules)
      assert.notEqual(status, 206)
      assert.ok(
        !verdict.head.includes('Set-Cookie') && !says.includes('Vary: *') && asked !== 'Cache-Control: no-store',
      )
      const isShared = (['public', 'must-revalidate', 's-maxage=60'] as const).some((word) => directives.includes(word))
      if (asked === 'Authorization: x') assert.ok(isShared && !directives.includes('private'))
      if (ttl === 'origin') {
        assert.ok(!directives.includes('private'))
        assert.ok(!directives.includes('no-store') || directives.includes('must-understand'))
      }
      if ((verdict.facts.flags & flags.heuristic) !== 0) assert.equal(asked, '')
    }),
    { numRuns: 500 },
  )
})
