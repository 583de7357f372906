import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codedFields, codedTrailers } from './coded-fields.ts'

test('a compressed answer: its coding, a weak tag, no ranges, no digests', () => {
  const before =
    'Content-Type: text/html\r\nETag: "abc"\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\nDigest: y\r\n' +
    'Content-Digest: z\r\nRepr-Digest: z\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n'
  assert.equal(
    codedFields(before, 'br', 200),
    'Content-Type: text/html\r\nETag: W/"abc"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
      'Vary: Accept-Encoding\r\nContent-Encoding: br\r\n',
  )
})

test('one that could have been compressed only says so', () => {
  const before = 'ETag: "abc"\r\nAccept-Ranges: bytes\r\n'
  assert.equal(codedFields(before, 'identity', 200), `${before}Vary: Accept-Encoding\r\n`)
})

test('a weak tag stays, an odd one too', () => {
  for (const tag of ['W/"abc"', 'abc', '']) {
    assert.match(codedFields(`ETag: ${tag}\r\n`, 'gzip', 200), new RegExp(`^ETag: ${tag}\r\n`))
  }
  assert.match(codedFields('etag:"a"\r\n', 'gzip', 200), /^etag: W\/"a"\r\n/)
})

test('Vary is added to, once', () => {
  const vary = (line: string): string => codedFields(line, 'identity', 200)
  assert.equal(vary('Vary: Origin\r\nA: 1\r\n'), 'Vary: Origin, Accept-Encoding\r\nA: 1\r\n')
  assert.equal(vary('Vary: A\r\nvary: B\r\n'), 'Vary: A\r\nvary: B, Accept-Encoding\r\n')
  assert.equal(vary('Vary: \r\n'), 'Vary: \r\nVary: Accept-Encoding\r\n')
  for (const same of ['Vary: accept-encoding\r\n', 'Vary: Origin , Accept-Encoding\r\n', 'Vary: *\r\n']) {
    assert.equal(vary(same), same)
  }
  assert.equal(vary('Vary: X-Accept-Encoding\r\n'), 'Vary: X-Accept-Encoding, Accept-Encoding\r\n')
})

test('a 304 has the tag and the Vary of its answer, and no coding', () => {
  assert.equal(codedFields('ETag: "1"\r\n', 'gzip', 304), 'ETag: W/"1"\r\nVary: Accept-Encoding\r\n')
})

test('trailers: a digest would not be true any more', () => {
  assert.equal(codedTrailers('Content-Digest: x\r\nServer-Timing: y\r\n'), 'Server-Timing: y\r\n')
  assert.equal(codedTrailers(''), '')
})
