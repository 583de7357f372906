import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnswerEdits, type ComposedAnswer, composeAnswerHead, composeUpgradeHead } from './compose-head.ts'
import { BodyReader } from './http1/body.ts'
import type { RequestHead } from './http1/request-head.ts'
import { parseResponseHead, type ResponseHead } from './http1/response-head.ts'

const ours = 'Strict-Transport-Security: max-age=31536000\r\n'
const dated = 'Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n'

function answer(fields: string): ResponseHead {
  const text = `HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`
  const head = parseResponseHead(text, 0, text.length - 4, { maxFields: 100, hide: [] })
  assert.ok(head !== null)
  return head
}

const plain: AnswerEdits = { status: 0, edits: null, lines: '', changes: null, setCookie: '', hsts: '' }

function composed(
  answer: ResponseHead,
  { minor = 1 as 0 | 1, keepAlive = true } = {},
  edited: Partial<AnswerEdits> = {},
): ComposedAnswer {
  const request = { minor } as RequestHead
  const body = new BodyReader('none', 0)
  return composeAnswerHead(
    { request, answer, body, keepAlive, date: 'D', verdict: null, codedLength: -1, cacheLine: '' },
    { ...plain, ...edited },
  )
}

function policies(
  head: ResponseHead,
  hsts: string,
  { minor = 1 as 0 | 1, setCookie = '', keepAlive = true } = {},
): string[] {
  const { text } = composed(head, { minor, keepAlive }, { setCookie, hsts })
  assert.match(text, /\r\n\r\n$/)
  return text.split('\r\n').filter((line) => /^strict.transport.security/i.test(line))
}

test('the policy is sent, and takes the place of the backend’s own', () => {
  for (const own of [
    '',
    'strict-transport-security: max-age=1\r\n',
    'Strict-Transport-Security: max-age=1\r\nSTRICT-TRANSPORT-SECURITY: a\r\n',
  ]) {
    for (const date of [dated, '']) {
      for (const options of [{}, { minor: 0 as const }, { setCookie: 'Set-Cookie: a=b\r\n' }, { keepAlive: false }]) {
        const head = answer(own + date)
        assert.deepEqual(policies(head, ours, options), [ours.trim()])
        assert.deepEqual(policies(head, ours, options), [ours.trim()], 'the second time')
      }
    }
  }
})

test('where none is configured the backend’s own goes through', () => {
  assert.deepEqual(policies(answer(`Strict-Transport-Security: max-age=1\r\n${dated}`), ''), [
    'Strict-Transport-Security: max-age=1',
  ])
  assert.deepEqual(policies(answer(dated), ''), [])
})

test('a composed head is kept for a listener and not taken for another', () => {
  const head = answer(`Strict-Transport-Security: max-age=1\r\n${dated}`)
  const other = 'Strict-Transport-Security: max-age=7; preload\r\n'
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(policies(head, ours), [ours.trim()])
    assert.deepEqual(policies(head, ''), ['Strict-Transport-Security: max-age=1'])
    assert.deepEqual(policies(head, other), [other.trim()])
  }
  const compose = () => composed(head, {}, { hsts: ours })
  assert.equal(compose(), compose(), 'composed once')
})

test('a 101 carries it too', () => {
  const head = answer(`Strict-Transport-Security: max-age=1\r\nUpgrade: websocket\r\n`)
  const text = composeUpgradeHead(head, { ...plain, setCookie: 'Set-Cookie: a=b\r\n', hsts: ours })
  assert.equal(
    text,
    `HTTP/1.1 101 Switching Protocols\r\n${ours}Set-Cookie: a=b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
  )
})
