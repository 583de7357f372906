// `frontdesk request` against `frontdesk backend`.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { refusingPort } from '../support/ports.ts'
import { CliProcess, cli } from './cli-process.ts'

interface Report {
  readonly sent: number
  readonly answered: number
  readonly backends: Record<string, number>
  readonly statuses: Record<string, number>
  readonly failures: Record<string, number>
  readonly latency_ms: { readonly p50: number; readonly p99: number }
}

async function request(t: TestContext, ...args: string[]): Promise<Report & { code: number | null }> {
  const ended = await cli(t, ['request', ...args, '--json'])
  return { ...(JSON.parse(ended.stdout) as Report), code: ended.code }
}

test('counts who answered, with which status, how fast', async (t) => {
  const port = await refusingPort()
  const backend = new CliProcess(t, ['backend', '--port', String(port), '--name', 'blue'])
  await backend.says(/demo backend "blue" on http:\/\/127\.0\.0\.1:\d+/)
  const report = await request(t, `http://127.0.0.1:${port}/?status=201`, '-n', '25', '-c', '4')
  assert.equal(report.sent, 25)
  assert.deepEqual(report.backends, { blue: 25 })
  assert.deepEqual(report.statuses, { 201: 25 })
  assert.deepEqual(report.failures, {})
  assert.ok(report.latency_ms.p50 > 0 && report.latency_ms.p99 >= report.latency_ms.p50)
  assert.equal(report.code, 0)
  const text = await cli(t, [
    'request',
    `127.0.0.1:${port}`,
    '-n',
    '3',
    '--method',
    'post',
    '--header',
    'X-Status: 503',
  ])
  assert.match(
    text.stdout,
    /^3 requests to http:.*\n\nBackends\n {2}blue {2}3 {2}100\.0 %\n\nStatuses\n {2}503 {2}3\n\nLatency {3}p50 [\d.]+ ms/,
  )
  backend.child.kill('SIGTERM')
  assert.equal((await backend.ended()).code, 0)
})

test('says why requests got no answer, and exits 1', async (t) => {
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const broken = await request(t, `${backend.url}/?fail=cut`, '-n', '2')
  assert.deepEqual([broken.answered, broken.code], [0, 1])
  assert.deepEqual(Object.values(broken.failures), [2])
  const late = await request(t, `${backend.url}/?fail=hang`, '-n', '1', '--timeout', '50ms')
  assert.deepEqual(late.failures, { 'no answer within 50 ms': 1 })
  const refused = await request(t, `http://127.0.0.1:${await refusingPort()}`, '-n', '2')
  assert.deepEqual(refused.failures, { 'connection refused (ECONNREFUSED)': 2 })
})

test('each client keeps its own cookies, when asked to', async (t) => {
  let handed = 0
  const server = createServer((incoming, response) => {
    const { cookie } = incoming.headers
    if (cookie === undefined) response.setHeader('Set-Cookie', `who=client-${++handed}; Path=/`)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ server: cookie ?? 'none' }))
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  assert.deepEqual((await request(t, url, '-n', '4')).backends, { none: 4 })
  handed = 0
  const kept = await request(t, url, '-n', '6', '-c', '2', '--keep-cookies')
  assert.equal(kept.backends.none, 2)
  assert.equal((kept.backends['who=client-1'] ?? 0) + (kept.backends['who=client-2'] ?? 0), 4)
})

test('Ctrl-C ends a long run with what was counted so far, and 130', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const arrived = once(server, 'request')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const client = new CliProcess(t, ['request', url, '-n', '10', '--json'])
  await arrived
  client.child.kill('SIGINT')
  const ended = await client.ended()
  assert.equal(ended.code, 130)
  assert.deepEqual([(JSON.parse(ended.stdout) as Report).sent, (JSON.parse(ended.stdout) as Report).answered], [0, 0])
})
