import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalTarget } from './canonical-target.ts'

const forms: [string, string, string][] = [
  ['/', '/', ''],
  ['*', '*', ''],
  ['/a/b?c=%zz&d=../..', '/a/b', '?c=%zz&d=../..'],
  ['/a?', '/a', '?'],
  ['/%61%2D%7e%5F', '/a-~_', ''],
  ['/%c3%a9%2f%5c%25', '/%C3%A9%2F%5C%25', ''],
  ['/%252e%252e/', '/%252e%252e/', ''],
  ['/a/./b/../c', '/a/c', ''],
  ['/a/..', '/', ''],
  ['/a/b/.', '/a/b/', ''],
  ['/a/b/%2E%2e', '/a/', ''],
  ['/../../etc', '/etc', ''],
  ['/a//b///', '/a//b///', ''],
  ['/a//../b', '/a/b', ''],
  ['/...', '/...', ''],
  ['/.well-known/x', '/.well-known/x', ''],
  ['/a/..%2fb', '/a/..%2Fb', ''],
  ['/a/..;/b', '/a/..;/b', ''],
  ['/a|b"<>`^{}[]', '/a|b"<>`^{}[]', ''],
]
for (const [target, path, query] of forms)
  test(`${target} is ${path}`, () => assert.deepEqual(canonicalTarget(target), { path, query }))

const refused = [
  '',
  'a',
  '?x',
  '**',
  '/a\\b',
  '/..\\x',
  '/%00',
  '/%0a',
  '/%1F',
  '/%7f',
  '/%',
  '/%4',
  '/%zz',
  '/a%2',
  '/%+1',
  '/% 1',
]
for (const target of [
  ...refused,
  '/?a b',
  '/?a\r\nX: y',
  '/?a#b',
  '/?\u00e9',
  '/a b',
  '/a#b',
  '/\u00e9',
  '/\0',
  '/\r\n',
])
  test(`${JSON.stringify(target)} is refused`, () => assert.equal(canonicalTarget(target), null))

/** Character by character, segment by segment, with nothing in common with the real one. */
function reference(target: string): { path: string; query: string } | null {
  if (target === '*') return { path: '*', query: '' }
  const [, path, query] = /^([^?]*)(.*)$/s.exec(target)!
  if (path![0] !== '/' || [...query!].some((c) => c <= ' ' || c > '~' || c === '#')) return null
  const done: string[] = []
  const segments = path!.slice(1).split('/')
  for (const [index, raw] of segments.entries()) {
    let segment = ''
    for (let at = 0; at < raw.length; at++) {
      const code = raw.charCodeAt(at)
      if (code <= 0x20 || code >= 0x7f || '\\#'.includes(raw[at]!)) return null
      if (raw[at] !== '%') {
        segment += raw[at]
        continue
      }
      const high = '0123456789abcdef'.indexOf((raw[at + 1] ?? '!').toLowerCase())
      const low = '0123456789abcdef'.indexOf((raw[at + 2] ?? '!').toLowerCase())
      if (high < 0 || low < 0) return null
      const value = high * 16 + low
      if (value < 32 || value === 127) return null
      const text = String.fromCharCode(value)
      const isUnreserved = value < 128 && (text.toLowerCase() !== text.toUpperCase() || '0123456789-._~'.includes(text))
      segment += isUnreserved ? text : `%${raw.slice(at + 1, at + 3).toUpperCase()}`
      at += 2
    }
    const isLast = index === segments.length - 1
    if (segment === '..') done.splice(-1)
    if (segment !== '.' && segment !== '..') done.push(segment)
    else if (isLast) done.push('')
  }
  return { path: ['', ...done].join('/'), query: query! }
}

const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '/',
    '/',
    '.',
    '..',
    '/.',
    '/..',
    '%2e',
    '%2E',
    '%2f',
    '%2F',
    '%5c',
    '%5C',
    '\\',
    '%00',
    '%',
    '%25',
    '?',
    'a',
    'B~',
    '%41',
    '%7a',
    '%20',
  ),
  fc.string({ maxLength: 3 }),
  fc.integer({ min: 0, max: 255 }).map((code) => `%${code.toString(16).padStart(2, '0')}`),
)
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

test('is what a slow reference makes of it', () => {
  fc.assert(
    fc.property(fc.oneof(target, fc.string()), (text) => assert.deepEqual(canonicalTarget(text), reference(text))),
    { numRuns: 3000 },
  )
})

test('done twice changes nothing more, and leaves no dot segment', () => {
  fc.assert(
    fc.property(target, (text) => {
      const once = canonicalTarget(text)
      if (once === null) return
      assert.deepEqual(canonicalTarget(once.path + once.query), once)
      assert.ok(!once.path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)))
      assert.match(once.path, /^\/[\x21-\x7e]*$/)
    }),
    { numRuns: 3000 },
  )
})

test('encoded slashes and backslashes never become separators: there are no more segments than before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '%2f', '%2F', '%5c', '%5C', '%25', '2f', '%32', '%66'), { maxLength: 12 }),
      (pieces) => {
        const { path } = canonicalTarget(`/x${pieces.join('')}`)!
        assert.equal(path.split('/').length, 2)
        assert.ok(!path.includes('\\'))
        const encoded = (text: string) => text.match(/%(?:2f|5c)/gi)?.length ?? 0
        assert.equal(encoded(path), encoded(pieces.join('')))
      },
    ),
  )
})
