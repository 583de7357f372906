// The words of error answers: in each form the same, escaped, small, and for the world nothing of the inside.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors } from '../../core/errors.ts'
import { errorAnswer } from '../error-response.ts'
import { errorBody, type InsideFacts } from './body.ts'

const forms = ['text', 'html', 'json'] as const
const inside: InsideFacts = {
  listener: 'web',
  route: 'api',
  pool: 'orders',
  code: 'ECONNREFUSED <1>',
  failures: [{ backend: 'http://10.1.2.3:3000', error: 'connect_refused', code: 'ECONNREFUSED' }],
}

test('for the world: status, words, advice, request id; the same each time', () => {
  for (const error of Object.values(errors)) {
    for (const form of forms) {
      const body = errorBody(form, error, 'the-id', null)
      assert.equal(errorBody(form, error, 'the-id', null), body)
      assert.match(body, /^[\n\x20-\x7e]*$/)
      assert.ok(body.includes('the-id') && body.includes(String(error.status)), body)
      assert.ok(body.length < 2500, `${error.name} has ${body.length} bytes`)
      assert.ok(!errorBody(form, error, '', null).match(/request[ _]id\b.*:/i), 'no id, nothing about it')
    }
  }
})

test('for the world no error of the proxy’s or of a backend’s tells what stands behind', () => {
  for (const error of Object.values(errors)) {
    if (error.side === 'client') continue
    for (const form of forms) {
      const { body, fields } = errorAnswer(error, { requestId: 'the-id', form, details: 'ECONNREFUSED', inside: null })
      assert.doesNotMatch(
        body,
        /backend|route|pool|strateg|step|connect|TLS|certificate|socket/i,
        `${error.name}: ${body}`,
      )
      if (error.status !== 429) assert.doesNotMatch(fields, /details=|alert-|ECONN/)
    }
  }
})

test('who asked for what is stored alone is told how to get the rest', () => {
  const body = errorBody('text', errors.not_cached, 'the-id', null)
  assert.match(body, /^504 Gateway Timeout\nNothing is stored .+\(only-if-cached\)\.\nAsk without only-if-cached /)
})

test('for those who may know: route, pool, each backend and why', () => {
  for (const form of forms) {
    const body = errorBody(form, errors.connect_refused, 'the-id', inside)
    for (const part of ['web', 'api', 'orders', 'http://10.1.2.3:3000', 'connect_refused', 'ECONNREFUSED']) {
      assert.ok(body.includes(part), `${form}: ${part}`)
    }
  }
  const { attempts, route, error } = JSON.parse(errorBody('json', errors.connect_refused, 'x', inside)) as Record<
    string,
    unknown
  >
  assert.deepEqual([attempts, route, error], [inside.failures, 'api', 'connect_refused'])
})

test('hundreds of failed attempts make no large answer', () => {
  const failures = Array.from({ length: 500 }, () => inside.failures[0]!)
  for (const form of forms) {
    assert.ok(errorBody(form, errors.connect_refused, 'x', { ...inside, failures }).length < 5000)
  }
})

test('what others have written is escaped in every form', () => {
  const hostile = '<script>"\'&\u0000\u00e4\u2028\r\n'
  const facts = {
    ...inside,
    route: hostile,
    code: hostile,
    failures: [{ backend: hostile, error: hostile, code: hostile }],
  }
  for (const [id, of] of [
    ['<b>"&\'', facts],
    ['<b>"&\'', null],
  ] as const) {
    const page = errorBody('html', errors.connect_refused, id, of)
    assert.doesNotMatch(page, /<script|<b>|[^\n\x20-\x7e]/)
    assert.ok(page.includes('&lt;b&gt;&quot;&amp;&#39;'))
    const document = errorBody('json', errors.connect_refused, id, of)
    assert.match(document, /^[\x20-\x7e]*\n$/)
    assert.equal((JSON.parse(document) as { request_id: string }).request_id, id)
    assert.match(errorBody('text', errors.connect_refused, id, of), /^[\n\x20-\x7e]*$/)
  }
})

test('a page needs nothing from elsewhere, and may use nothing but its own style', () => {
  const { body, fields } = errorAnswer(errors.no_backend, { requestId: 'x', form: 'html', details: '', inside: null })
  assert.doesNotMatch(body, /src=|href=|url\(|@import|<script/i)
  assert.match(fields, /Content-Security-Policy: default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='/)
  assert.match(body, /color-scheme:light dark/)
})
