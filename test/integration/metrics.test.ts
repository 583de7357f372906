// /metrics as Prometheus sees it: in its own tool's eyes, and in time with a thousand backends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { WorkerState } from '../../src/state/worker-state.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { findProgram, skipWithout } from '../support/peers.ts'
import { startProxy } from '../support/proxy.ts'

/** What promtool says of a text of metrics; '' = nothing to say. */
async function promtoolSays(text: string): Promise<string> {
  const tool = spawn(findProgram('promtool')!, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  tool.stdout.on('data', (chunk) => (said += chunk))
  tool.stderr.on('data', (chunk) => (said += chunk))
  tool.stdin.end(text)
  const [code] = await once(tool, 'close')
  return code === 0 && said === '' ? '' : `exit ${code}: ${said}`
}

const promtoolTest = async (scope: Scope): Promise<void> => {
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const config = {
    listeners: [
      { name: 'test', listen: '127.0.0.1:1' },
      { name: 'db', listen: '127.0.0.1:3', protocol: 'tcp', pool: 'db' },
    ],
    pools: {
      default: { backends: [backend.url], health_check: { method: 'none' } },
      db: { backends: ['tcp://127.0.0.1:9'], health_check: { interval: '1h' } },
    },
    routes: [
      { match: { path: '/x' }, respond: { status: 200, body: 'x' } },
      {
        name: 'few',
        match: { path: '/few' },
        rate_limit: { key: 'all', rate: '1/h', burst: 1 },
        pool: 'default',
        mirror: { pool: 'default' },
      },
    ],
  }
  const proxy = scope.use(await startProxy([], { admin: true, workers: 1, config }))
  await load(proxy.port, 20, { connections: 2 })
  for (const path of ['/few', '/few', '/x']) await ask(proxy.port, { path })
  const { body, status } = await ask(proxy.adminPort, { path: '/metrics' })
  assert.equal(status, 200)
  assert.match(body, /^frontdesk_rate_limited_total\{route="few"\} 1$/m)
  assert.match(body, /^frontdesk_connections_total\{listener="db"\} 0$/m)
  assert.equal(await promtoolSays(body), '')
  assert.notEqual(await promtoolSays(body.replace(/# HELP frontdesk_backend_up .*\n/, '')), '', 'it looks')
}
leakTest('promtool finds nothing to say of the metrics', promtoolTest, { skip: skipWithout('promtool') })

leakTest('a scrape of 1,000 backends takes less than 50 ms', async (scope) => {
  const backends = Array.from({ length: 1000 }, (_, i) => `http://10.0.${i >> 8}.${i & 255}:8080`)
  const proxy = scope.use(await startProxy(backends, { admin: true }))
  const lane = new WorkerState(proxy.running.state.buffer, 0)
  for (const [slot] of backends.entries()) {
    for (let us = 1; us < 1e7; us *= 4) {
      lane.backendConnected(slot, us)
      lane.backendFinished(slot, 200, us)
    }
  }
  const agent = new Agent({ keepAlive: true })
  scope.defer(() => agent.destroy())
  // The best of some rounds: other programs of the machine are not what is measured.
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 50 && (round < 5 || best >= 50); round++) {
    const began = performance.now()
    const text = await scrape(proxy.adminPort, agent)
    best = Math.min(best, performance.now() - began)
    assert.match(text, /frontdesk_backend_request_duration_seconds_count\{[^}]*10\.0\.3\.231:8080"\} \d\d/)
  }
  assert.ok(best < 50, `${best} ms`)
})

async function scrape(port: number, agent: Agent): Promise<string> {
  const [response] = await once(get({ port, host: '127.0.0.1', path: '/metrics', agent }), 'response')
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += piece
  return text
}
