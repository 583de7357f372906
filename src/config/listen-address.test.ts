import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatListenAddress, isLoopback, overlaps, parseListenAddress, parsePortAddress } from './listen-address.ts'

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
    assert.deepEqual(address, { host, port, socketPath: null, inherited: null })
    assert.deepEqual(parseListenAddress(formatListenAddress(address)), address)
  })
}

const local: [string, string | null, string | null, string][] = [
  ['unix:/run/x.sock', '/run/x.sock', null, 'unix:/run/x.sock'],
  ['UNIX:///run/../x.sock', '/x.sock', null, 'unix:/x.sock'],
  ['systemd:web', null, 'web', 'systemd:web'],
  ['systemd:0', null, '0', 'systemd:0'],
]
for (const [text, socketPath, inherited, normal] of local) {
  test(`${text} is ${normal}`, () => {
    const address = parseListenAddress(text)
    assert.deepEqual(address, { host: '', port: 0, socketPath, inherited })
    assert.equal(formatListenAddress(address), normal)
    assert.throws(() => parsePortAddress(text), /not an address to listen on|no valid port/)
  })
}

for (const text of [
  '',
  'unix:',
  'unix:x.sock',
  'unix:/run/',
  'unix:/.',
  'unix:/run/..',
  'unix:/a\0b',
  `unix:/${'a'.repeat(107)}`,
  'systemd:',
  'systemd:a:b',
  'systemd:a b',
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
  assert.ok(overlaps(at('[::]:80'), at('127.0.0.1:80')), 'dual stack')
  assert.ok(!overlaps({ ...at('[::]:80'), ipv6Only: true }, at('0.0.0.0:80')))
  assert.ok(!overlaps(at('0.0.0.0:80'), at('[::1]:80')))
  assert.ok(overlaps({ ...at('[::]:80'), ipv6Only: true }, at(':80')))
  assert.ok(overlaps(at('localhost:80'), at('[::1]:80')))
})

test('sockets clash with themselves only', () => {
  const at = parseListenAddress
  assert.ok(overlaps(at('unix:/x'), at('unix:/y/../x')))
  assert.ok(!overlaps(at('unix:/x'), at('unix:/y')))
  assert.ok(overlaps(at('systemd:web'), at('systemd:web')))
  assert.ok(!overlaps(at('systemd:web'), at('unix:/web')))
  assert.ok(!overlaps(at('systemd:0'), { host: '', port: 0 }))
})

test('any text is an address in normal form, or refused with a sentence that names it', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom('unix:', 'unix:/', 'systemd:', '[', '127.0.0.1:', ':'), fc.string())
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (value) => {
      try {
        const address = parseListenAddress(value, { anyPort: true })
        assert.deepEqual(parseListenAddress(formatListenAddress(address), { anyPort: true }), address)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        assert.ok((error as Error).message.startsWith(JSON.stringify(value)))
      }
    }),
    { numRuns: 500 },
  )
})
