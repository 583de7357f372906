import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CliError, ExitCode } from './exit-code.ts'
import { listenerFor, parseFrom, parseKeyPair, parseTarget } from './proxy-sides.ts'

const pair = { cert: 'c.pem', key: 'k.pem' }
const listener = (from: string, to: readonly string[], tls: typeof pair | null = null) =>
  listenerFor(parseFrom(from), to.map(parseTarget), tls)

test('--from: an address, with or without what is spoken there', () => {
  assert.deepEqual(parseFrom('8080'), { listen: '8080', scheme: null })
  assert.deepEqual(parseFrom('tcp://:5432'), { listen: ':5432', scheme: 'tcp' })
  assert.deepEqual(parseFrom('HTTPS://[::1]:8443/'), { listen: '[::1]:8443', scheme: 'https' })
  assert.deepEqual(parseFrom('unix:/run/x.sock'), { listen: 'unix:/run/x.sock', scheme: null })
  for (const text of ['quic://:1', 'http://', 'tcp://localhost', 'http://:80/path', 'unix:x']) {
    assert.throws(() => parseFrom(text), /InvalidArgument|not an address|absolute path/, text)
  }
})

test('--to: a weight behind a comma, if there is one', () => {
  assert.deepEqual(parseTarget('tcp://a:1,3'), { url: 'tcp://a:1', weight: 3 })
  assert.deepEqual(parseTarget('http://a'), { url: 'http://a', weight: 1 })
})

test('--tls: two files, or one that holds both', () => {
  assert.deepEqual(parseKeyPair('c.pem,k.pem'), pair)
  assert.deepEqual(parseKeyPair('both.pem'), { cert: 'both.pem', key: 'both.pem' })
  for (const text of ['', ',k', 'c,', 'a,b,c']) assert.throws(() => parseKeyPair(text), /cert\.pem,key\.pem/, text)
})

test('the backends say what is served where --from does not', () => {
  const common = { name: 'default', listen: ':1', pool: 'default' }
  assert.deepEqual(listener(':1', ['http://a', 'unix:/b']), { ...common, protocol: 'http' })
  assert.deepEqual(listener(':1', ['TCP://a:1', 'tls://b:1']), { ...common, protocol: 'tcp' })
  assert.deepEqual(listener(':1', ['unix:/b']), { ...common, protocol: 'http' })
  assert.deepEqual(listener('tcp://:1', ['unix:/b']), { ...common, protocol: 'tcp' })
  const tls = { certificates: [pair] }
  assert.deepEqual(listener(':1', ['tcp://a:1'], pair), { ...common, protocol: 'tcp', tls })
  assert.deepEqual(listener('https://:1', ['http://a'], pair), { ...common, protocol: 'http', tls })
})

const misfits: [from: string, to: string[], tls: typeof pair | null, why: RegExp][] = [
  [':1', ['http://a', 'tcp://b:1'], null, /HTTP or TCP, not both: http:\/\/a, tcp:\/\/b:1/],
  ['http://:1', ['tcp://b:1'], null, /--from http:\/\/ cannot serve tcp:\/\/b:1/],
  ['tcp://:1', ['https://b'], null, /--from tcp:\/\/ cannot serve https:\/\/b/],
  ['https://:1', ['http://a'], null, /https:\/\/ needs a certificate/],
  ['tls://:1', ['tcp://a:1'], null, /tls:\/\/ needs a certificate/],
  [':1', ['localhost:80'], null, /^--to localhost:80 has no scheme$/],
  ['tcp://:1', ['localhost:80'], null, /^--to localhost:80 has no scheme$/],
  [':1', ['ftp://a'], null, /^--to: "ftp:\/\/a" has the scheme "ftp"/],
  ['http://:1', ['http://a'], pair, /--tls makes no sense with http:\/\//],
]
for (const [from, to, tls, why] of misfits) {
  test(`--from ${from} --to ${to.join(' --to ')}${tls === null ? '' : ' --tls …'} is refused`, () => {
    assert.throws(
      () => listener(from, to, tls),
      (error) => {
        assert.ok(error instanceof CliError && error.exitCode === ExitCode.usage && error.hint !== '')
        assert.match(error.message, why)
        return true
      },
    )
  })
}

test('a backend without a scheme is given the one that --from asks for', () => {
  const hint = (from: string): string => {
    try {
      listener(from, ['localhost:80'])
    } catch (error) {
      return (error as CliError).hint
    }
    return ''
  }
  assert.deepEqual([hint(':1'), hint('tls://:1')], ['--to http://localhost:80', '--to tcp://localhost:80'])
})
