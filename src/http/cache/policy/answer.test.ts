import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AnswerDirectives, readAnswer } from './answer.ts'
import type { ResponseDirectives } from './answer-directives.ts'

const targets = ['frontdesk-cache-control', 'cdn-cache-control']
const tagFields = ['cache-tag', 'surrogate-key']
const read = (fields: string, status = 200): AnswerDirectives => readAnswer(fields, status, targets, tagFields)
const said = (value: string): Partial<ResponseDirectives> => {
  const { directives } = read(`Cache-Control: ${value}\r\n`)
  const nothing = read('').directives
  return Object.fromEntries(
    Object.entries(directives).filter(([key, v]) => String(v) !== String(nothing[key as keyof ResponseDirectives])),
  )
}

const directives: [string, Partial<ResponseDirectives>][] = [
  ['no-store', { noStore: true }],
  ['NO-STORE, Private', { noStore: true, isPrivate: true }],
  ['no-store="x"', { noStore: true }],
  ['private="Set-Cookie, X-User"', { withheld: ['set-cookie', 'x-user'] }],
  ['private=""', { isPrivate: true }],
  ['private="a b"', { isPrivate: true }],
  ['private=x-user', { withheld: ['x-user'] }],
  ['private="content-type"', { isPrivate: true }],
  ['private="content-security-policy"', { withheld: ['content-security-policy'] }],
  ['no-cache="set-cookie"', { withheld: ['set-cookie'] }],
  ['no-cache="vary"', { noCache: true }],
  ['no-cache, no-cache="set-cookie"', { noCache: true, withheld: ['set-cookie'] }],
  [
    'public, must-revalidate, proxy-revalidate, must-understand, no-transform, immutable',
    {
      isPublic: true,
      mustRevalidate: true,
      proxyRevalidate: true,
      mustUnderstand: true,
      noTransform: true,
      immutable: true,
    },
  ],
  ['max-age=5, s-maxage=7', { maxAge: 5, sMaxAge: 7, hasValidSMaxAge: true }],
  ['max-age=5, max-age=3', { maxAge: 3 }],
  ['max-age="5"', { maxAge: 5 }],
  ["max-age='5'", { maxAge: 0 }],
  ['max-age=5s', { maxAge: 0 }],
  ['max-age=-5', { maxAge: 0 }],
  ['max-age', { maxAge: 0 }],
  ['max-age = 5', { maxAge: 0 }],
  ['max-age=5;no-store', { noStore: true, maxAge: 0 }],
  ['s-maxage=x', { sMaxAge: 0 }],
  ['max-age=4294967296', { maxAge: 2 ** 31 }],
  ['stale-while-revalidate=5, stale-if-error=6', { staleWhileRevalidate: 5, staleIfError: 6 }],
  ['max-age=60 private', { maxAge: 0, isPrivate: true }],
  ['x="private, no-store"', {}],
  ['community="UCI", unknown=1', {}],
]
for (const [text, expected] of directives) test(`Cache-Control: ${text}`, () => assert.deepEqual(said(text), expected))

test('the fields of an answer', () => {
  const date = Date.UTC(2026, 10, 21, 18)
  const answer = read(
    `Date: ${new Date(date).toUTCString()}\r\nExpires: ${new Date(date + 5000).toUTCString()}\r\nAge: 7\r\n` +
      `Last-Modified: ${new Date(date - 5000).toUTCString()}\r\nETag: W/"x"\r\nVary: Cookie, accept-encoding\r\nVary: Cookie\r\n` +
      'Set-Cookie: a=1\r\nContent-Range: bytes 0-1/2\r\nContent-Encoding: GZIP\r\nCache-Tag: a, b,c\r\nSurrogate-Key: d  e\r\n',
  )
  assert.deepEqual([answer.date, answer.expires, answer.lastModified, answer.age], [date, date + 5000, date - 5000, 7])
  assert.deepEqual([answer.etag, answer.vary, answer.variesByAny], ['W/"x"', ['accept-encoding', 'cookie'], false])
  assert.ok(answer.hasSetCookie && answer.hasContentRange && answer.hasUnkept)
  assert.deepEqual([answer.contentEncoding, answer.tags], ['gzip', 'a b c d e'])
})

test('what is wrong, or there twice, is taken on the safe side', () => {
  const [early, late] = ['Sun, 06 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT']
  assert.equal(read('Expires: 0\r\n').expires, 0)
  assert.equal(read('Expires:\r\n').expires, 0)
  assert.equal(read(`Expires: ${late}\r\nExpires: ${early}\r\n`).expires, Date.parse(early))
  assert.equal(read(`Expires: ${late}\r\nExpires: 0\r\n`).expires, 0)
  assert.equal(read(`Date: ${late}\r\nDate: ${early}\r\n`).date, Date.parse(early))
  assert.ok(Number.isNaN(read(`Date: ${late}\r\nDate: x\r\n`).date))
  assert.ok(Number.isNaN(read(`Last-Modified: ${late}\r\nLast-Modified: ${early}\r\n`).lastModified))
  assert.equal(read('ETag: x\r\n').etag, '')
  assert.equal(read('ETag: "a"\r\nETag: "b"\r\n').etag, '')
  assert.equal(read('Age: 7, 9\r\n').age, 7)
  assert.equal(read('Age: -7\r\n').age, 0)
  assert.equal(read('Age: 99999999999\r\n').age, 2 ** 31)
  for (const vary of ['*', 'a, *', '*, a', 'a b', 'a;b']) assert.ok(read(`Vary: ${vary}\r\n`).variesByAny, vary)
  assert.ok(!read('Vary: , ,\r\n').variesByAny)
})

test('an underscore makes another field of it', () => {
  const answer = read('Cache_Control: max-age=5\r\nSet_Cookie: a\r\nCDN_Cache_Control: max-age=5\r\nCache_Tag: a\r\n')
  assert.deepEqual([answer.directives.maxAge, answer.hasSetCookie, answer.targetedBy, answer.tags], [-1, false, '', ''])
})

test('a targeted field counts in the place of Cache-Control and Expires', () => {
  const ordinary = 'Cache-Control: no-store, no-transform\r\nExpires: 0\r\n'
  const cdn = read(`${ordinary}CDN-Cache-Control: max-age=600\r\n`)
  assert.deepEqual([cdn.targetedBy, cdn.directives.maxAge, cdn.directives.noStore], ['cdn-cache-control', 600, false])
  assert.ok(Number.isNaN(cdn.expires) && cdn.noTransform)
  const own = read(`CDN-Cache-Control: max-age=600\r\nFrontdesk-Cache-Control: private, no-cache="a"\r\n${ordinary}`)
  assert.ok(own.directives.isPrivate && own.targetedBy === 'frontdesk-cache-control')
  assert.deepEqual(own.directives.withheld, ['a'])
  for (const ignored of ['', 'Max-Age=5', 'max-age=5,', 'max-age = 5', '"x"']) {
    const answer = read(`Frontdesk-Cache-Control: ${ignored}\r\nCDN-Cache-Control: max-age=600\r\n`)
    assert.equal(answer.targetedBy, 'cdn-cache-control', ignored)
    assert.ok(read(`${ordinary}CDN-Cache-Control: ${ignored}\r\n`).directives.noStore, ignored)
  }
  for (const none of ['none', 'no-store=?0'])
    assert.equal(read(`${ordinary}CDN-Cache-Control: ${none}\r\n`).directives.noStore, false)
  for (const unusable of ['max-age="5"', 'max-age=5.5', 'max-age=-1', 'max-age', 'max-age=(5)', 'max-age=five']) {
    assert.equal(read(`CDN-Cache-Control: ${unusable}\r\n`).directives.maxAge, 0, unusable)
  }
  assert.equal(read('CDN-Cache-Control: max-age=9\r\nCDN-Cache-Control: max-age=5\r\n').directives.maxAge, 5)
  assert.equal(read('Other-Cache-Control: max-age=9\r\n').directives.maxAge, -1)
})

test('more tags than are kept', () => {
  const answer = read(`Cache-Tag: ${'tag,'.repeat(5000)}\r\n`)
  assert.ok(answer.hasTooManyTags)
  assert.equal(answer.tags, '')
})

test('statuses', () => {
  const of = (status: number): boolean[] => [read('', status).isUnderstood, read('', status).isCacheableByDefault]
  assert.deepEqual([200, 302, 404, 503].map(of), [
    [true, true],
    [true, false],
    [true, true],
    [true, false],
  ])
  assert.deepEqual(
    [206, 299, 599, 418].map((status) => of(status)[0]),
    [false, false, false, false],
  )
})

test('whatever stands in a field block, reading it never throws', () => {
  const name = fc.constantFrom(
    'Cache-Control',
    'CDN-Cache-Control',
    'Vary',
    'ETag',
    'Expires',
    'Age',
    'Date',
    'Cache-Tag',
  )
  const value = fc.string({ unit: fc.constantFrom(...'ab=,;" \\-01.?:()*/W\t\u00fc'), maxLength: 30 })
  const block = fc.array(fc.tuple(name, value)).map((lines) => lines.map(([n, v]) => `${n}: ${v}\r\n`).join(''))
  fc.assert(fc.property(block, (fields) => void read(fields)))
})
