import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatListenAddress, isLoopback, overlaps, parseListenAddress } from './listen-address.ts'

const good: [string, string, number][] = [
  [':80', '', 80],
  ['80', '', 80],
  ['*:80', '', 80],
  ['127.0.0.1:8080', '127.0.0.1', 8080],
  ['[::1]:8080', '::1', 8080],
  ['LocalHost:1', 'localhost', 1],
]
for (const [text, host, port] of good) {
  test(`${text} is ${host || 'every interface'}, port ${port}`, () => {
    const address = parseListenAddress(text)
    assert.deepEqual(address, { host, port })
    assert.deepEqual(parseListenAddress(formatListenAddress(address)), address)
  })
}

for (const text of [
  '',
  ':',
  'localhost',
  ':0',
  ':65536',
  '::1:80',
  '[::1]',
  '[1.2.3.4]:80',
  '1.2.3:80',
  '1.2.3.4:80:81',
  'http://h:80',
]) {
  test(`${JSON.stringify(text)} is refused by name`, () => {
    assert.throws(
      () => parseListenAddress(text),
      (error: Error) => error.message.startsWith(JSON.stringify(text)),
    )
  })
}

test('port 0 only where any port will do', () => {
  assert.equal(parseListenAddress(':0', { anyPort: true }).port, 0)
})

test('only loopback addresses are loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host)
  for (const host of ['', '0.0.0.0', '::', '10.0.0.1', 'localhost.example.com', '128.0.0.1', '::2'])
    assert.ok(!isLoopback(host), host)
})

test('the same port clashes on the same host and on all interfaces, and any port with nothing', () => {
  const at = parseListenAddress
  assert.ok(overlaps(at(':80'), at('127.0.0.1:80')))
  assert.ok(overlaps(at('127.0.0.1:80'), at('0.0.0.0:80')))
  assert.ok(overlaps(at('localhost:80'), at('127.0.0.1:80')))
  assert.ok(!overlaps(at('127.0.0.1:80'), at('127.0.0.2:80')))
  assert.ok(!overlaps(at('127.0.0.1:80'), at('127.0.0.1:81')))
  assert.ok(!overlaps({ host: '', port: 0 }, { host: '', port: 0 }))
})
