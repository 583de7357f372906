import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBackendUrl } from './backend-url.ts'

const normal: [string, string][] = [
  ['http://localhost:8082', 'http://localhost:8082'],
  ['HTTP://LocalHost:80/', 'http://localhost'],
  ['https://Example.COM:443', 'https://example.com'],
  ['https://example.com:80', 'https://example.com:80'],
  ['http://example.com./', 'http://example.com'],
  ['http://h/base/', 'http://h/base'],
  ['http://h/a%20b', 'http://h/a%20b'],
  ['http://[::1]:80', 'http://[::1]'],
  ['http://[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000'],
  ['http://bücher.example', 'http://xn--bcher-kva.example'],
  ['http://my_service:3000', 'http://my_service:3000'],
  ['tcp://DB.Example.com:5432/', 'tcp://db.example.com:5432'],
  ['TLS://[FD00::1]:443', 'tls://[fd00::1]:443'],
  ['unix:/run/app.sock', 'unix:/run/app.sock'],
  ['unix:///run/app.sock', 'unix:/run/app.sock'],
]
for (const [text, url] of normal) test(`${text} is ${url}`, () => assert.equal(parseBackendUrl(text).url, url))

test('the parts', () => {
  assert.deepEqual(parseBackendUrl('https://[FD00::1]:8443/base/'), {
    url: 'https://[fd00::1]:8443/base',
    protocol: 'https',
    host: 'fd00::1',
    port: 8443,
    socketPath: null,
    basePath: '/base',
    authority: '[fd00::1]:8443',
  })
  assert.deepEqual(parseBackendUrl('tls://H:6380'), {
    url: 'tls://h:6380',
    protocol: 'tls',
    host: 'h',
    port: 6380,
    socketPath: null,
    basePath: '',
    authority: 'h:6380',
  })
  assert.equal(parseBackendUrl('http://h').port, 80)
  assert.equal(parseBackendUrl('https://h').port, 443)
  assert.deepEqual(parseBackendUrl('unix:/a'), {
    url: 'unix:/a',
    protocol: 'http',
    host: '',
    port: 0,
    socketPath: '/a',
    basePath: '',
    authority: 'localhost',
  })
})

const refused: [string, RegExp][] = [
  ['', /not a URL/],
  ['localhost:3000', /not a URL/],
  ['//localhost', /not a URL/],
  ['http:localhost', /not a URL/],
  ['http:/localhost', /not a URL/],
  ['http:\\\\localhost', /not a URL/],
  [' http://localhost', /not a URL/],
  ['ws://localhost', /scheme "ws"/],
  ['udp://localhost:1', /scheme "udp"/],
  ['tcp://localhost', /needs a port, like "tcp:/],
  ['tls://localhost', /needs a port, like "tls:/],
  ['tcp://localhost:0', /port/],
  ['tcp://localhost:1/db', /path/],
  ['tls://localhost:1?a', /query/],
  ['http://', /host/],
  ['http://:80', /host/],
  ['http://a b', /host/],
  ['http://-a', /host/],
  ['http://a..b', /host/],
  [`http://${'a'.repeat(64)}`, /host/],
  ['http://127.1', /neither a name nor an IPv4/],
  ['http://2130706433', /neither a name nor an IPv4/],
  ['http://0x7f.1', /neither a name nor an IPv4/],
  ['http://1.2.3.256', /neither a name nor an IPv4/],
  ['http://[::1', /host/],
  ['http://[1.2.3.4]', /IPv6/],
  ['http://[fe80::1%eth0]', /IPv6/],
  ['http://h:', /port/],
  ['http://h:0', /port/],
  ['http://h:65536', /port/],
  ['http://h:1e3', /port/],
  ['http://h\\evil', /path/],
  ['http://h\t', /host/],
  ['http://h/a\r\nb', /percent-encoded/],
  ['http://h/%zz', /percent-encoded/],
  ['http://h/../a', /"\.\."/],
  ['http://h/%2e%2E/a', /"\.\."/],
  ['http://h?a', /query/],
  ['http://h/#a', /fragment/],
  ['unix:relative.sock', /absolute/],
  ['unix:/run/', /directory/],
  [`unix:/${'a'.repeat(107)}`, /too long/],
]
for (const [text, why] of refused)
  test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseBackendUrl(text), why))

test('credentials are refused and not repeated', () => {
  for (const text of ['http://user:xyzzy@h', 'http://user:xyz/zy@h', 'user:xyzzy@h']) {
    assert.throws(
      () => parseBackendUrl(text),
      (error: Error) => !/xyz|zy/.test(error.message),
    )
  }
})

const label = fc.stringMatching(/^[a-zA-Z]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?$/)
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc.ipV4(),
  fc.ipV6().map((text) => `[${text}]`),
)
const path = fc
  .array(fc.stringMatching(/^[a-z0-9_-]{1,5}$/), { maxLength: 3 })
  .map((parts) => parts.map((p) => `/${p}`).join(''))

test('the normal form is a fixed point, and agrees with WHATWG URL where that is exact', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  fc.assert(
    fc.property(fc.constantFrom('http', 'https'), host, port, path, (scheme, name, number, base) => {
      const text = `${scheme}://${name}:${number}${base}`
      const parsed = parseBackendUrl(text)
      assert.deepEqual(parseBackendUrl(parsed.url), parsed)
      assert.deepEqual(parseBackendUrl(`${scheme.toUpperCase()}://${name.toUpperCase()}:${number}${base}/`), parsed)
      assert.equal(parsed.url, new URL(text).href.replace(/\/$/, ''))
    }),
  )
})

test('the port of a tcp:// or tls:// backend stays, whatever it is', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  fc.assert(
    fc.property(fc.constantFrom('tcp', 'tls'), host, port, (scheme, name, number) => {
      const parsed = parseBackendUrl(`${scheme}://${name}:${number}`)
      assert.deepEqual(parseBackendUrl(parsed.url), parsed)
      assert.equal(parsed.port, number)
      assert.equal(parsed.url, `${scheme}://${parsed.authority}`)
    }),
  )
})

test('any text is parsed or refused with a sentence; what is parsed can stand in a request', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `http://${rest}`),
    fc.string().map((rest) => `tls://${rest}`),
    fc.tuple(host, fc.string()).map(([name, rest]) => `http://${name}${rest}`),
  )
  fc.assert(
    fc.property(text, (value) => {
      try {
        const parsed = parseBackendUrl(value)
        assert.match(parsed.authority + parsed.basePath, /^[\x21-\x7e]+$/)
        assert.deepEqual(parseBackendUrl(parsed.url), parsed)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        assert.match((error as Error).message, /^".*(;| )/s)
      }
    }),
    { numRuns: 300 },
  )
})
