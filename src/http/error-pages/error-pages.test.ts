import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ErrorPageSpec, TemplateSpec } from '../../core/route-spec.ts'
import { ErrorPages, interceptedAnswer, withPage } from './error-pages.ts'
import { type Render, renderBody } from './render-body.ts'

const page = (from: number, to: number, over: Partial<ErrorPageSpec> = {}): ErrorPageSpec => ({
  from,
  to,
  intercept: false,
  contentType: 'text/html; charset=utf-8',
  body: [`${from}`],
  ...over,
})

/** Every variable stands for this. */
const always =
  (value: string): Render =>
  (template) =>
    template.map((part) => (typeof part === 'string' ? part : value)).join('')

test('the first page whose statuses hold it stands for an error', () => {
  const pages = new ErrorPages([page(404, 404), page(400, 499), page(500, 599, { intercept: true })])
  assert.equal(pages.find(404)?.from, 404)
  assert.equal(pages.find(400)?.from, 400)
  assert.equal(pages.find(499)?.from, 400)
  assert.equal(pages.find(503)?.from, 500)
  assert.equal(pages.find(302), undefined)
})

test('answers of backends are replaced only by pages that say so', () => {
  const pages = new ErrorPages([page(500, 599), page(502, 504, { intercept: true })])
  assert.equal(pages.findFor(500), undefined)
  assert.equal(pages.findFor(502)?.from, 502)
  assert.equal(pages.findFor(200), undefined)
})

test('an error of our own keeps its fields, but for those of the body', () => {
  const fields = 'Content-Type: text/plain\r\nCache-Control: no-store\r\nRetry-After: 1\r\nProxy-Status: frontdesk\r\n'
  const body: TemplateSpec = ['<p>', { name: 'status' }, '</p>']
  assert.deepEqual(withPage({ status: 503, fields, body: 'old' }, page(503, 503, { body }), always('503')), {
    status: 503,
    fields:
      'Cache-Control: no-store\r\nRetry-After: 1\r\nProxy-Status: frontdesk\r\nContent-Type: text/html; charset=utf-8\r\n',
    body: '<p>503</p>',
  })
})

test('an answer of a backend keeps what does not describe its body', () => {
  const forward =
    'Content-Type: text/plain\r\nContent-Encoding: gzip\r\nETag: "x"\r\nLast-Modified: y\r\nAccept-Ranges: bytes\r\n' +
    'Content-Digest: z\r\nDate: now\r\nX-Request-Id: theirs\r\nSet-Cookie: a=1\r\nWWW-Authenticate: Basic\r\n' +
    'Access-Control-Allow-Origin: *\r\nCache-Control: max-age=5\r\nStrict-Transport-Security: max-age=1\r\n'
  const kept =
    'Set-Cookie: a=1\r\nWWW-Authenticate: Basic\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: max-age=5\r\n'
  const type = 'Content-Type: text/html; charset=utf-8\r\n'
  const render = always('')
  const answer = (hsts: string) => interceptedAnswer({ status: 404, forward }, page(404, 404), { render, hsts })
  assert.deepEqual(answer('Strict-Transport-Security: max-age=2\r\n'), {
    status: 404,
    fields: kept + type,
    body: '404',
  })
  assert.equal(answer('').fields, `${kept}Strict-Transport-Security: max-age=1\r\n${type}`)
})

test('a variable is text in a page, whatever a client writes into it', () => {
  const attack = `</p><script>alert('1')</script>"&`
  for (const type of [
    'text/html',
    'Text/HTML; charset=utf-8',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    '',
  ]) {
    assert.equal(
      renderBody(['<p>', { name: 'request.uri' }, '</p>'], type, always(attack)),
      '<p>&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;</p>',
      type,
    )
  }
  assert.equal(renderBody([{ name: 'x' }], 'text/plain', always(attack)), attack)
})

test('bytes that are no UTF-8 do not swallow what follows; what is UTF-8 stays', () => {
  assert.equal(renderBody([{ name: 'x' }, '<'], 'text/html', always('\xe3')), '\xef\xbf\xbd<')
  const umlaut = Buffer.from('ä').latin1Slice()
  assert.equal(renderBody([{ name: 'x' }], 'text/html', always(umlaut)), umlaut)
})

test('property: in JSON a variable is part of its string, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.constantFrom('json', 'problem+json'),
      (value, kind) => {
        const latin1 = Buffer.from(value).latin1Slice()
        const body = renderBody(['{"at":"', { name: 'x' }, '"}'], `application/${kind}`, always(latin1))
        const text = Buffer.from(body, 'latin1').toString('utf8')
        assert.deepEqual(JSON.parse(text), { at: value.toWellFormed() })
        assert.doesNotMatch(text, /[<>&]/)
      },
    ),
  )
})

test('property: in HTML no variable leaves its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 50 }), (value) => {
      assert.doesNotMatch(renderBody([{ name: 'x' }], 'text/html', always(value)), /[<>"']/)
    }),
  )
})
