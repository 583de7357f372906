import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeCertificates } from '../../../test/support/certificates.ts'
import { backendSpec, checkSpec, SilentListener } from '../../../test/support/control-kit.ts'
import { refusingPort } from '../../../test/support/ports.ts'
import type { BackendSpec, HealthCheckSpec } from '../../core/spec.ts'
import { probe } from './probe.ts'

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
const check = (
  backend: BackendSpec,
  spec: Partial<HealthCheckSpec> = {},
  more: { addresses?: string[]; ca?: string; signal?: AbortSignal } = {},
) =>
  probe({ backend, check: checkSpec(spec), addresses: [backend.host], signal: new AbortController().signal, ...more })

describe('probe', () => {
  it('passes when a TCP connection stands', async () => {
    const port = await listen(createTcp(), 0, '127.0.0.1')
    assert.deepEqual(await check(backendSpec(0, port)), { ok: true, reason: 'connected' })
  })

  it('says ECONNREFUSED', async () => {
    const backend = backendSpec(0, await refusingPort())
    assert.deepEqual(await check(backend), { ok: false, reason: 'ECONNREFUSED' })
    assert.deepEqual(await check(backend, { method: 'http' }), { ok: false, reason: 'ECONNREFUSED' })
  })

  it('tries all addresses in turn', async () => {
    const port = await listen(createTcp(), 0, '127.0.0.1')
    const backend = backendSpec(0, port, { host: 'localhost' })
    assert.equal((await check(backend, {}, { addresses: ['127.0.0.9', '127.0.0.1'] })).ok, true)
    assert.equal((await check(backend, {}, { addresses: ['127.0.0.9', '127.0.0.8'] })).ok, false)
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
    assert.deepEqual(await check(backendSpec(0, mute), { method: 'http' }), { ok: false, reason: 'ECONNRESET' })
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

  it('verifies certificates and names over TLS', async () => {
    const made = await makeCertificates(['DNS:localhost'])
    const server = createHttps({ cert: made.cert, key: made.key }, (_, res) => res.end())
    const port = await listen(server, 0, '127.0.0.1')
    const named = backendSpec(0, port, { protocol: 'https', host: 'localhost' })
    const more = { addresses: ['127.0.0.1'], ca: made.ca }
    assert.deepEqual(await check(named, {}, more), { ok: true, reason: 'connected' })
    assert.deepEqual(await check(named, { method: 'http' }, more), { ok: true, reason: 'status 200' })
    const untrusted = await check(named, {}, { addresses: ['127.0.0.1'] })
    assert.deepEqual(untrusted, { ok: false, reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    const other = backendSpec(0, port, { protocol: 'https', host: '127.0.0.1' })
    assert.deepEqual(await check(other, {}, more), { ok: false, reason: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    server.closeAllConnections()
    await made.remove()
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
