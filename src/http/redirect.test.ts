import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestHead, type RequestHead } from './http1/request-head.ts'
import { nothingReserved } from './hygiene/reserved-fields.ts'
import { ownAnswerText } from './own-answer.ts'
import { httpsLocation, redirectTo } from './redirect.ts'

const limits = {
  instanceId: 'i',
  maxFields: 100,
  targetSize: 8192,
  reserved: nothingReserved,
  certificateNames: null,
  isTrusted: () => false,
}
const client = { address: '192.0.2.1', trusted: false, scheme: 'http' as const, certificate: null }

function headOf(text: string): RequestHead {
  const head = parseRequestHead(`${text}\r\n\r\n`, 0, text.length, client, limits, { fields: null })
  assert.ok('fields' in head, `refused: ${JSON.stringify(head)}`)
  return head
}

const locationOf = (target: string, host: string, port = 443): string | null =>
  httpsLocation(headOf(`GET ${target} HTTP/1.1\r\nHost: ${host}`), port)

test('the same host, the port of https, the target byte for byte', () => {
  assert.equal(locationOf('/', 'shop.example'), 'https://shop.example/')
  assert.equal(locationOf('/', 'shop.example:8080'), 'https://shop.example/')
  assert.equal(locationOf('/', 'shop.example:'), 'https://shop.example/')
  assert.equal(locationOf('/', 'shop.example:80', 8443), 'https://shop.example:8443/')
  assert.equal(locationOf('/', '192.0.2.7:80', 8443), 'https://192.0.2.7:8443/')
  assert.equal(locationOf('/', '[2001:db8::1]:80', 8443), 'https://[2001:db8::1]:8443/')
  assert.equal(locationOf('/', '[2001:db8::1]'), 'https://[2001:db8::1]/')
  assert.equal(locationOf('/', 'under_score.example'), 'https://under_score.example/')
  for (const target of ['/a//b/../c;d?e=%2f&"<>\\^`{|}~', '//evil.example/', '/?https://evil.example', '/%0d%0aX:1']) {
    assert.equal(locationOf(target, 'h'), `https://h${target}`)
  }
})

test('a host that is valid but no honest one leads nowhere', () => {
  const odd = [
    "a'b",
    'a%2fb',
    'evil%2eexample',
    'a;b',
    'a,b',
    'a=b',
    'a&b',
    '(a)',
    'a*',
    '!a',
    '$',
    '~',
    '-a',
    '..',
    '.a',
  ]
  for (const host of [...odd, '[::1%25eth0]', '[:::1]', '[1.2.3.4]', '[...]', 'a%40evil.example']) {
    assert.equal(locationOf('/', host), null, host)
  }
})

test('an absolute target goes where it says, if Host says the same', () => {
  assert.equal(locationOf('http://shop.example/a?b', 'shop.example'), 'https://shop.example/a?b')
  assert.equal(locationOf('http://Shop.Example:80/a', 'shop.example:80'), 'https://Shop.Example/a')
  assert.equal(locationOf('https://shop.example/a', 'shop.example'), 'https://shop.example/a')
  assert.equal(locationOf('http://shop.example?b', 'shop.example'), 'https://shop.example/?b')
  assert.equal(locationOf('http://evil.example/', 'shop.example'), null)
  assert.equal(locationOf('http://shop.example:81/', 'shop.example'), null)
})

test('without Host there is no place to be sent to', () => {
  assert.equal(httpsLocation(headOf('GET / HTTP/1.0\r\nAccept: a'), 443), null)
  assert.equal(httpsLocation(headOf('GET http://evil.example/ HTTP/1.0\r\nAccept: a'), 443), null)
})

test('the answer is a 308 with its length, and without a body for HEAD', () => {
  const options = { date: 'D', requestId: 'r', keepAlive: true, isHead: false, hsts: '' }
  const text = ownAnswerText(redirectTo('https://h/'), options)
  const [head, body] = text.split('\r\n\r\n')
  assert.match(head!, /^HTTP\/1\.1 308 Permanent Redirect\r\n/)
  assert.match(head!, /\r\nLocation: https:\/\/h\/\r\n/)
  assert.match(head!, new RegExp(`\r\nContent-Length: ${body!.length}\r\n`))
  assert.doesNotMatch(head!, /Connection/)
  assert.match(ownAnswerText(redirectTo('https://h/'), { ...options, keepAlive: false }), /\r\nConnection: close\r\n/)
  assert.equal(ownAnswerText(redirectTo('https://h/'), { ...options, isHead: true }), `${head}\r\n\r\n`)
})
