import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../../test/support/heap.ts'
import { Compression, type Verdict } from './compression.ts'

const compression = new Compression({
  algorithms: ['zstd', 'br', 'gzip'],
  types: ['text/*', 'application/json', 'application/*+json'],
  minSize: 1000,
})

interface Given {
  readonly status?: number
  readonly fields?: string
  readonly length?: number
  readonly request?: string
}

function choose({ status = 200, fields = 'Content-Type: text/html\r\n', length = 5000, request = '' }: Given): Verdict {
  const lookup = request === '' ? 'Accept-Encoding: gzip, br\r\n' : request
  return compression.choose({ fields: { lookup } }, { status, forward: fields, contentLength: length })
}

test('types that are listed are compressed, by name and by family, whatever their parameters and case', () => {
  for (const type of [
    'text/html',
    'Text/CSS; charset=utf-8',
    'application/json',
    'text/event-stream;x=1',
    'application/ld+json',
  ]) {
    assert.equal(choose({ fields: `Server: x\r\nCONTENT-TYPE:  ${type} \r\n` }), 'br', type)
  }
  for (const type of [
    'image/png',
    'application/jsonp',
    'application/json-seq',
    'image/svg+json',
    'textual/x',
    'text',
    '',
  ]) {
    assert.equal(choose({ fields: `Content-Type: ${type}\r\n` }), null, type)
  }
  assert.equal(choose({ fields: '' }), null, 'no type')
})

test('answers without a body, parts, and what is coded already stay as they are, for everybody', () => {
  for (const status of [100, 101, 204, 205, 206]) assert.equal(choose({ status }), null, `${status}`)
  for (const status of [200, 201, 301, 404, 500]) assert.equal(choose({ status }), 'br', `${status}`)
  const html = 'Content-Type: text/html\r\n'
  assert.equal(choose({ fields: `${html}Content-Encoding: gzip\r\n` }), null)
  assert.equal(choose({ fields: `Content_Encoding: br\r\n${html}` }), null)
  assert.equal(choose({ fields: `${html}Content-Range: bytes */5\r\n`, status: 416 }), null)
})

test('no-transform forbids it: to us where the backend says it, for this client where the client does', () => {
  const html = 'Content-Type: text/html\r\n'
  for (const value of ['no-transform', 'public, No-Transform , max-age=1']) {
    assert.equal(choose({ fields: `${html}Cache-Control: ${value}\r\n` }), null, value)
    assert.equal(choose({ fields: `Cache-Control: private\r\n${html}cache-control: ${value}\r\n` }), null, value)
    const request = `Accept-Encoding: gzip\r\nCache-Control: ${value}\r\n`
    assert.equal(choose({ request }), 'identity', value)
  }
  assert.equal(choose({ fields: `${html}Cache-Control: no-transforms, x-no-transform\r\n` }), 'br')
})

test('the size counts where it is known', () => {
  assert.equal(choose({ length: 999 }), null)
  assert.equal(choose({ length: 1000 }), 'br')
  assert.equal(choose({ length: -1 }), 'br')
})

test('a client that wants none gets the answer as it is, and is told that others would not', () => {
  assert.equal(choose({ request: 'Host: x\r\n' }), 'identity')
  assert.equal(choose({ request: 'Accept-Encoding: identity\r\n' }), 'identity')
  assert.equal(choose({ request: 'Accept-Encoding: br;q=0\r\nAccept-Encoding: deflate\r\n' }), 'identity')
  assert.equal(choose({ request: 'Accept-Encoding: deflate\r\naccept-encoding: gzip\r\n' }), 'gzip')
})

test('a 304 is what the answer would have been, as far as it tells', () => {
  assert.equal(choose({ status: 304, fields: 'ETag: "1"\r\n', length: 0 }), 'br')
  assert.equal(choose({ status: 304, fields: 'Content-Type: image/png\r\n' }), null)
})

test('many different wishes are not all remembered, and each is answered rightly', () => {
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 500; n++) {
      const request = `Accept-Encoding: x-${n}, ${n % 2 === 0 ? 'gzip' : 'zstd'}\r\n`
      assert.equal(choose({ request }), n % 2 === 0 ? 'gzip' : 'zstd')
    }
  }
})

test('what is remembered of wishes does not keep the header sections that they stood in', () => {
  const filler = `X-Filler: ${'x'.repeat(60_000)}\r\n`
  const remembering = (): Compression => {
    const one = new Compression({ algorithms: ['gzip'], types: ['text/*'], minSize: 0 })
    for (let i = 0; i < 60; i++) {
      // As a head comes: one string, of which fields are pieces.
      const lookup = Buffer.from(`Accept-Encoding: gzip;q=0.${i}, identity\r\n${filler}`).latin1Slice()
      one.choose({ fields: { lookup } }, { status: 200, forward: 'Content-Type: text/plain\r\n', contentLength: -1 })
    }
    return one
  }
  assert.ok(bytesOf(remembering) < 1_000_000)
  const long = `Accept-Encoding: gzip, ${'x,'.repeat(10_000)}y\r\n`
  assert.equal(choose({ request: long }), 'gzip')
})
