import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { equalStrongly, equalWeakly, isEntityTag, listHas } from './entity-tag.ts'
import { flags } from './flags.ts'
import { headUpdates, refreshedHead } from './refresh.ts'
import { readCacheRequest } from './request.ts'
import {
  type Candidate,
  conditionalFields,
  notModifiedFields,
  precondition,
  selected,
  validatorsOf,
} from './validate.ts'

const [EARLY, LATE] = ['Sun, 06 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT']
const validated = flags.hasEtag | flags.hasLastModified
const candidate = (etag: string, lastModified = '', bits: number = validated): Candidate => {
  return { etag, lastModified, flags: bits }
}

test('entity tags', () => {
  for (const tag of ['""', '"a"', 'W/"a"', '"a,b c"'.replace(' ', ''), '"\u00fc"']) assert.ok(isEntityTag(tag), tag)
  for (const tag of ['', 'a', '"a', 'a"', 'w/"a"', 'W/a', '"a b"', '"a""b"', '"a", "b"'])
    assert.ok(!isEntityTag(tag), tag)
  assert.ok(equalStrongly('"a"', '"a"') && !equalStrongly('W/"a"', 'W/"a"') && !equalStrongly('', ''))
  assert.ok(equalWeakly('W/"a"', '"a"') && !equalWeakly('"a"', '"b"') && !equalWeakly('', ''))
})

test('a list of tags', () => {
  const list = '"a", W/"b,c" ,"d"'
  for (const tag of ['"a"', 'W/"a"', '"b,c"', '"d"']) assert.ok(listHas(list, tag), tag)
  for (const tag of ['', '"b"', '"c"', '"e"']) assert.ok(!listHas(list, tag), tag)
  assert.ok(listHas(', ,"a"', '"a"') && !listHas('x, "a"', '"a"') && !listHas('"x" "a"', '"a"') && !listHas(',', '"a"'))
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'W/"a, ') }), (text) => void listHas(text, '"a"')))
})

test('asking a backend: all tags, each once, and the date of a sole candidate', () => {
  assert.equal(conditionalFields([]), '')
  assert.equal(conditionalFields([candidate('')]), '')
  assert.equal(conditionalFields([candidate('"a"', EARLY, 0)]), '', 'not a 200')
  assert.equal(conditionalFields([candidate('"a"', EARLY)]), `If-None-Match: "a"\r\nIf-Modified-Since: ${EARLY}\r\n`)
  assert.equal(conditionalFields([candidate('', EARLY)]), `If-Modified-Since: ${EARLY}\r\n`)
  assert.equal(
    conditionalFields([candidate('"a"', EARLY), candidate('W/"b"'), candidate('"a"'), candidate('', LATE)]),
    'If-None-Match: "a", W/"b"\r\n',
  )
  const many = conditionalFields(Array.from({ length: 100 }, (_, n) => candidate(`"${n}"`)))
  assert.equal(many.split(',').length, 16)
  const long = conditionalFields(Array.from({ length: 9 }, (_, n) => candidate(`"${`${n}`.repeat(600)}"`)))
  assert.ok(long.length < 2200 && long.includes('2'.repeat(600)))
})

test('§4.3.4: which one a 304 is about', () => {
  const strong = candidate('"a"', EARLY)
  const weak = candidate('W/"a"', EARLY)
  const other = candidate('"b"', LATE)
  assert.equal(selected([other, strong], 'ETag: "a"\r\n'), strong)
  assert.equal(selected([weak, other], 'ETag: "a"\r\n'), null)
  assert.equal(selected([weak, strong], 'ETag: W/"a"\r\n'), weak)
  assert.equal(selected([other], 'ETag: W/"a"\r\n'), null)
  assert.equal(selected([other, strong], `Last-Modified: ${EARLY}\r\n`), strong)
  assert.equal(selected([other], `Last-Modified: ${EARLY}\r\n`), null)
  assert.equal(selected([other], `ETag: "a"\r\nLast-Modified: ${LATE}\r\n`), null)
  assert.equal(selected([other], 'X: 1\r\n'), other)
  assert.equal(selected([other, strong], 'X: 1\r\n'), null)
  assert.equal(selected([], 'ETag: "a"\r\n'), null)
  const coded = candidate('W/"a"', '', flags.codedHere)
  assert.equal(selected([coded], 'ETag: "a"\r\n'), coded)
})

const known = { status: 200, etag: '"a"', lastModified: Date.parse(EARLY), date: Date.parse(LATE) }
const asks: [string, Partial<typeof known>, string][] = [
  ['', {}, 'send'],
  ['Range: bytes=0-1', {}, 'send'],
  ['If-None-Match: "a"', {}, 'not-modified'],
  ['If-None-Match: W/"a"', {}, 'not-modified'],
  ['If-None-Match: "x", "a"', {}, 'not-modified'],
  ['If-None-Match: *', {}, 'not-modified'],
  ['If-None-Match: *', { etag: '' }, 'not-modified'],
  ['If-None-Match: "b"', {}, 'send'],
  ['If-None-Match: "a"', { etag: '' }, 'send'],
  ['If-None-Match: "a"', { status: 404 }, 'send'],
  [`If-None-Match: "b" | If-Modified-Since: ${LATE}`, {}, 'send'],
  [`If-Modified-Since: ${EARLY}`, {}, 'not-modified'],
  [`If-Modified-Since: ${LATE}`, {}, 'not-modified'],
  [`If-Modified-Since: ${EARLY}`, { lastModified: Date.parse(LATE) }, 'send'],
  [`If-Modified-Since: ${LATE}`, { lastModified: Number.NaN }, 'not-modified'],
  [`If-Modified-Since: ${EARLY}`, { lastModified: Number.NaN }, 'send'],
  [`If-Modified-Since: ${EARLY} | If-Modified-Since: ${EARLY}`, {}, 'send'],
  ['If-Modified-Since: yesterday', {}, 'send'],
  ['If-Match: "a"', {}, 'origin'],
  [`If-Unmodified-Since: ${LATE} | If-None-Match: "a"`, {}, 'origin'],
]
for (const [fields, over, expected] of asks) {
  test(`a client asks ${fields || 'nothing'} ${JSON.stringify(over)}: ${expected}`, () => {
    const request = readCacheRequest(fields === '' ? '' : `${fields.replaceAll(' | ', '\r\n')}\r\n`)
    assert.equal(precondition(request, 'GET', { ...known, ...over }), expected)
  })
}

test('what a 304 carries', () => {
  const body = 'Content-Type: a\r\nContent-Encoding: b\r\nContent-Length: 1\r\n'
  const kept = `Date: ${LATE}\r\nCache-Control: a\r\nContent-Location: /\r\nVary: a\r\nContent-Security-Policy: x\r\n`
  assert.equal(notModifiedFields(`${body}${kept}Last-Modified: ${EARLY}\r\nETag: "a"\r\n`), `${kept}ETag: "a"\r\n`)
  assert.equal(notModifiedFields(`Last-Modified: ${EARLY}\r\n${body}`), `Last-Modified: ${EARLY}\r\n`)
})

test('§3.2: a 304 puts its fields in the place of those that are stored, but not of those that the body depends on', () => {
  const stored = `Date: ${EARLY}\r\nX-A: 1\r\nX-A: 2\r\nX-B: 1\r\nETag: "a"\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\n`
  const from304 =
    `Date: ${LATE}\r\nx-a: 3\r\nX-C: 1\r\nContent-Encoding: br\r\nContent-Length: 9\r\nContent-Range: bytes 0-1/2\r\n` +
    'Set-Cookie: b=2\r\nProxy-Authenticate: x\r\nAge: 7\r\nETag: W/"a"\r\n'
  assert.equal(
    refreshedHead(stored, from304),
    `X-B: 1\r\nETag: "a"\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\nDate: ${LATE}\r\nx-a: 3\r\nX-C: 1\r\nAge: 7\r\n`,
  )
  // Its time is now, not that of what is stored.
  assert.equal(refreshedHead(`Date: ${EARLY}\r\nX: 1\r\n`, ''), 'X: 1\r\n')
})

test('§4.3.5: what a HEAD says of what is stored', () => {
  const entry = { head: `ETag: "a"\r\nLast-Modified: ${EARLY}\r\n`, status: 200, bodyLength: 5 }
  const of = (forward: string, contentLength = -1, status = 200) =>
    headUpdates(entry, { status, forward, contentLength })
  assert.equal(of(`ETag: "a"\r\nLast-Modified: ${EARLY}\r\n`, 5), 'update')
  assert.equal(of('X: 1\r\n'), 'update')
  assert.equal(of('ETag: "b"\r\n', 5), 'invalidate')
  assert.equal(of('ETag: W/"a"\r\n'), 'invalidate')
  assert.equal(of(`Last-Modified: ${LATE}\r\n`), 'invalidate')
  assert.equal(of('ETag: "a"\r\n', 6), 'invalidate')
  assert.equal(of('ETag: "b"\r\n', 5, 404), 'nothing')
  assert.equal(headUpdates({ ...entry, status: 404 }, { status: 200, forward: '', contentLength: -1 }), 'nothing')
})

test('validators of a head', () => {
  assert.deepEqual(validatorsOf(`ETag: W/"a"\r\nLast-Modified: ${EARLY}\r\n`), { etag: 'W/"a"', lastModified: EARLY })
  assert.deepEqual(validatorsOf('ETag: a\r\nLast-Modified: 0\r\n'), { etag: '', lastModified: '' })
})
