import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { haveOpenssl, makeAuthority } from '../../../test/support/certificates.ts'
import { backendSpec, checkSpec, plainBackendTls, poolSpec, SilentListener } from '../../../test/support/control-kit.ts'
import { refusingPort } from '../../../test/support/ports.ts'
import type { BackendSpec, BackendTlsSpec, HealthCheckSpec } from '../../core/spec.ts'
import { proxyHeader } from '../../net/proxy-protocol/compose.ts'
import { BackendContexts } from '../../net/tls/backend-context.ts'
import { type ProbeInput, probe } from './probe.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})
async function listen(server: Server, ...where: [number, string] | [string]): Promise<number> {
  servers.push(server)
  server.listen(...(where as [number, string]))
  await once(server, 'listening')
  return typeof where[0] === 'string' ? 0 : (server.address() as AddressInfo).port
}
const skipTls = (await haveOpenssl()) ? false : 'openssl is not installed'
const check = (backend: BackendSpec, spec: Partial<HealthCheckSpec> = {}, more: Partial<ProbeInput> = {}) =>
  probe({
    backend,
    check: checkSpec(spec),
    addresses: [backend.host],
    signal: new AbortController().signal,
    tls: null,
    sendProxyProtocol: null,
    ...more,
  })
/** TLS as a pool with these settings has it. */
const withTls = (over: Partial<BackendTlsSpec>) => {
  const pool = poolSpec([backendSpec(0, 1, { protocol: 'https' })], { tls: { ...plainBackendTls, ...over } })
  return new BackendContexts().update([pool]).get(pool.name)!
}
/** A TCP server that notes what arrives; `onBytes` sees all of it each time more comes. */
const noting = (onBytes: (all: Buffer, socket: Socket) => void) =>
  createTcp((socket) => {
    let all: Buffer = Buffer.alloc(0)
    socket.on('error', () => {}).on('data', (bytes) => onBytes((all = Buffer.concat([all, bytes])), socket))
  })

describe('probe', () => {
  it('passes when a TCP connection stands', async () => {
    const port = await listen(createTcp(), 0, '127.0.0.1')
    assert.deepEqual(await check(backendSpec(0, port)), { ok: true, reason: 'connected' })
  })

  it('says ECONNREFUSED', async () => {
    const backend = backendSpec(0, await refusingPort())
    assert.deepEqual(await check(backend), { ok: false, reason: 'connection refused (ECONNREFUSED)' })
    assert.deepEqual(await check(backend, { method: 'http' }), {
      ok: false,
      reason: 'connection refused (ECONNREFUSED)',
    })
  })

  it('tries all addresses in turn', async () => {
    const port = await listen(createTcp(), 0, '127.0.0.1')
    const backend = backendSpec(0, port, { host: 'localhost' })
    assert.equal((await check(backend, {}, { addresses: ['127.0.0.9', '127.0.0.1'] })).ok, true)
    assert.equal((await check(backend, {}, { addresses: ['127.0.0.9', '127.0.0.8'] })).ok, false)
  })

  it('does not take for silence what this thread had no time to read', async () => {
    const port = await listen(
      createHttp((_, res) => res.end()),
      0,
      '127.0.0.1',
    )
    for (const method of ['tcp', 'http'] as const) {
      const checked = check(backendSpec(0, port), { method, timeoutMs: 40 })
      setImmediate(() => {
        const endMs = performance.now() + 250
        while (performance.now() < endMs);
      })
      assert.equal((await checked).ok, true, method)
    }
  })

  it('says the timeout, and leaves time for the address after a silent one', async () => {
    const silent = await SilentListener.start(0, '127.0.0.2')
    servers.push(silent.server)
    const alive = createHttp((_, res) => res.end())
    const port = await listen(alive, silent.port, '127.0.0.1')
    const backend = backendSpec(0, port, { host: 'localhost' })
    const only = await check(backend, { method: 'http', timeoutMs: 50 }, { addresses: ['127.0.0.2'] })
    assert.deepEqual(only, { ok: false, reason: 'timeout after 50ms' })
    const both = await check(backend, { method: 'http', timeoutMs: 200 }, { addresses: ['127.0.0.2', '127.0.0.1'] })
    assert.deepEqual(both, { ok: true, reason: 'status 200' })
    alive.closeAllConnections()
  })

  it('asks for the path under the base path with the host it was given, and judges the status', async () => {
    const seen: string[] = []
    const server = createHttp((req, res) => {
      seen.push(`${req.method} ${req.url} ${req.headers.host}`)
      res.writeHead(Number(req.url?.slice(-3)) || 500).end('x'.repeat(100_000))
    })
    const port = await listen(server, 0, '127.0.0.1')
    const backend = backendSpec(0, port, { basePath: '/base' })
    const ask = (path: string, spec: Partial<HealthCheckSpec> = {}) => check(backend, { method: 'http', path, ...spec })
    assert.deepEqual(await ask('/204'), { ok: true, reason: 'status 204' })
    assert.deepEqual(await ask('/399', { host: 'app.example' }), { ok: true, reason: 'status 399' })
    assert.deepEqual(await ask('/400'), { ok: false, reason: 'status 400' })
    assert.deepEqual(await ask('/503', { expectFrom: 503, expectTo: 503 }), { ok: true, reason: 'status 503' })
    assert.equal(seen[0], `GET /base/204 127.0.0.1:${port}`)
    assert.equal(seen[1], 'GET /base/399 app.example')
    server.closeAllConnections()
  })

  it('fails on an answer that is not HTTP, and on none', async () => {
    const port = await listen(
      createTcp((socket) => socket.end('hello\r\n\r\n')),
      0,
      '127.0.0.1',
    )
    assert.match((await check(backendSpec(0, port), { method: 'http' })).reason, /^HPE_/)
    const mute = await listen(
      createTcp((socket) => socket.end()),
      0,
      '127.0.0.1',
    )
    assert.deepEqual(await check(backendSpec(0, mute), { method: 'http' }), {
      ok: false,
      reason: 'connection closed (ECONNRESET)',
    })
  })

  it('reaches a Unix socket', async () => {
    const socketPath = join(tmpdir(), `frontdesk-probe-${process.pid}.sock`)
    await listen(
      createHttp((_, res) => res.end()),
      socketPath,
    )
    const backend = backendSpec(0, 0, { socketPath, host: '', authority: 'localhost' })
    assert.deepEqual(await check(backend, { method: 'http' }, { addresses: [] }), { ok: true, reason: 'status 200' })
  })

  it('says what is to be said and expects the beginning of the answer, in pieces too', async () => {
    const server = noting((all, socket) => {
      if (all.toString('latin1') !== 'PING\r\n') return
      socket.setNoDelay(true)
      for (const byte of '+PONG\r\nand more') socket.write(byte)
    })
    const backend = backendSpec(0, await listen(server, 0, '127.0.0.1'), { protocol: 'tcp' })
    const ask = (receive: string, timeoutMs = 1000) => check(backend, { send: 'PING\r\n', receive, timeoutMs })
    assert.deepEqual(await ask('+PONG\r\n'), { ok: true, reason: 'expected answer' })
    assert.deepEqual(await ask(''), { ok: true, reason: 'connected' })
    const unexpected = await ask('+PING')
    assert.equal(unexpected.ok, false)
    assert.match(unexpected.reason, /^unexpected answer "\+PO/)
    const silent = await check(backend, { receive: '+PONG', timeoutMs: 50 })
    assert.deepEqual(silent, { ok: false, reason: 'timeout after 50ms' })
  })

  it('compares bytes, not characters, and reads no more than it expects', async () => {
    const sent = Buffer.from([0, 255, 128, 13, 10])
    const server = createTcp((socket) => {
      socket.on('error', () => {}).end(Buffer.concat([sent, Buffer.alloc(1024 * 1024)]))
    })
    const backend = backendSpec(0, await listen(server, 0, '127.0.0.1'), { protocol: 'tcp' })
    assert.equal((await check(backend, { receive: sent.toString('latin1') })).ok, true)
    assert.equal(
      (await check(backend, { receive: '\0\xff\x81' })).reason,
      `unexpected answer ${JSON.stringify('\0\xff\x80')}`,
    )
    const short = createTcp((socket) => socket.on('error', () => {}).end('+P'))
    const other = backendSpec(0, await listen(short, 0, '127.0.0.1'), { protocol: 'tcp' })
    assert.deepEqual(await check(other, { receive: '+PONG' }), {
      ok: false,
      reason: 'closed before the expected answer',
    })
  })

  it('sends a PROXY header of its own before everything else', async () => {
    for (const version of ['v1', 'v2'] as const) {
      const header = proxyHeader(version, null, null)
      const seen: Buffer[] = []
      const server = noting((all, socket) => {
        seen.push(all)
        if (all.length < header.length) return
        assert.deepEqual(all.subarray(0, header.length), header)
        if (all.includes('GET / HTTP/1.1')) socket.end('HTTP/1.1 204 No Content\r\n\r\n')
        else if (all.includes('PING')) socket.end('+PONG')
      })
      const backend = backendSpec(0, await listen(server, 0, '127.0.0.1'), { protocol: 'tcp' })
      const more = { sendProxyProtocol: version }
      assert.deepEqual(await check(backend, { method: 'http' }, more), { ok: true, reason: 'status 204' })
      assert.equal((await check(backend, { send: 'PING', receive: '+PONG' }, more)).ok, true)
      assert.ok(seen.length >= 2)
      assert.equal((await check(backend, {}, more)).ok, true)
    }
  })

  it('verifies certificates and names over TLS, and says what is wrong with them', { skip: skipTls }, async () => {
    const authority = await makeAuthority()
    after(() => authority.remove())
    const serve = async (names: readonly string[], days = 1): Promise<number> => {
      const { cert, key } = await authority.issue({ names, days })
      const server = createHttps({ cert, key }, (_, res) => res.end())
      after(() => server.closeAllConnections())
      return listen(server, 0, '127.0.0.1')
    }
    const port = await serve(['DNS:localhost'])
    const named = backendSpec(0, port, { protocol: 'https', host: 'localhost' })
    const more = { addresses: ['127.0.0.1'], tls: withTls({ ca: authority.pem }) }
    assert.deepEqual(await check(named, {}, more), { ok: true, reason: 'connected' })
    assert.deepEqual(await check(named, { method: 'http' }, more), { ok: true, reason: 'status 200' })
    const addressed = backendSpec(0, port, { protocol: 'https' })
    const wrongName = {
      ok: false,
      reason: 'certificate is for another name: it is good for DNS:localhost, and 127.0.0.1 was looked for',
    }
    assert.deepEqual(await check(addressed, {}, more), wrongName)
    assert.equal(
      (await check(addressed, {}, { tls: withTls({ ca: authority.pem, serverName: 'localhost' }) })).ok,
      true,
    )
    assert.equal((await check(addressed, {}, { tls: withTls({ verify: false }) })).ok, true)
    const untrusted = await check(named, {}, { addresses: ['127.0.0.1'], tls: withTls({}) })
    assert.match(untrusted.reason, /^unknown authority/)
    const expired = backendSpec(0, await serve(['IP:127.0.0.1'], -1), { protocol: 'https' })
    assert.deepEqual(await check(expired, { method: 'http' }, more), {
      ok: false,
      reason: 'certificate has expired',
    })
    const plain = backendSpec(0, await listen(createHttp(), 0, '127.0.0.1'), { protocol: 'https' })
    assert.match((await check(plain, {}, more)).reason, /^the answer is not TLS/)
  })

  it('speaks and listens through TLS, and on a Unix socket', { skip: skipTls }, async () => {
    const authority = await makeAuthority()
    after(() => authority.remove())
    const { cert, key } = await authority.issue()
    const pong = (socket: Socket) => void socket.on('error', () => {}).on('data', () => socket.write('+PONG'))
    const spec = { send: 'PING', receive: '+PONG' }
    const expected = { ok: true, reason: 'expected answer' }
    const secure = backendSpec(0, await listen(createTls({ cert, key }, pong), 0, '127.0.0.1'), { protocol: 'tls' })
    const tls = withTls({ ca: authority.pem, alpn: [] })
    assert.deepEqual(await check(secure, spec, { tls }), expected)
    assert.deepEqual(await check(secure, spec, { tls: withTls({ verify: false }) }), expected)
    const socketPath = join(tmpdir(), `frontdesk-probe-pong-${process.pid}.sock`)
    await listen(createTcp(pong), socketPath)
    const unix = backendSpec(0, 0, { protocol: 'tcp', socketPath, host: '' })
    assert.deepEqual(await check(unix, spec, { addresses: [] }), expected)
  })

  it('shows our certificate to a backend that asks, and says what it answers to none', { skip: skipTls }, async () => {
    const authority = await makeAuthority()
    after(() => authority.remove())
    const server = await authority.issue({ names: ['IP:127.0.0.1'] })
    const ours = await authority.issue({ subject: '/CN=frontdesk', names: [], use: 'client' })
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { cert, key } = server
      const tlsServer = createTls({ cert, key, ca: authority.pem, requestCert: true, maxVersion }, (socket) => {
        socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
      })
      tlsServer.on('tlsClientError', () => {})
      const backend = backendSpec(0, await listen(tlsServer, 0, '127.0.0.1'), { protocol: 'https' })
      const tls = withTls({ ca: authority.pem, identity: ours })
      assert.deepEqual(await check(backend, { method: 'http' }, { tls }), { ok: true, reason: 'status 200' })
      const without = await check(backend, { method: 'http' }, { tls: withTls({ ca: authority.pem }) })
      const alert =
        maxVersion === 'TLSv1.2' ? /^handshake_failure \(alert 40\)$/ : /^certificate_required \(alert 116\)$/
      assert.match(without.reason, alert)
    }
  })

  it('ends at once when it is cancelled', async () => {
    const silent = await SilentListener.start()
    servers.push(silent.server)
    const abort = new AbortController()
    const running = check(backendSpec(0, silent.port), { method: 'http' }, { signal: abort.signal })
    abort.abort()
    assert.deepEqual(await running, { ok: false, reason: 'cancelled' })
  })
})
