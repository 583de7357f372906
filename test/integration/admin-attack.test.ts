// The admin port is attacked, and those who are served by the proxy do not notice.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { leakTest } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { startProxy } from '../support/proxy.ts'
import { until, within } from '../support/wait.ts'

/** Requests that are measured in each part, one after the other. */
const measured = 10_000

/** In a thread and with an address of its own: half-open connections, wrong tokens, bodies that do not end, and connections that come and go. */
const attacker = `
const { connect } = require('node:net')
const { parentPort, workerData: port } = require('node:worker_threads')
const token = () => 'Authorization: Bearer ' + Math.random()
const lines = [
  () => 'GET /status HTTP/1.1\\r\\nHost: 127',
  () => 'GET /status HTTP/1.1\\r\\nHost: localhost\\r\\n' + token() + '\\r\\n\\r\\n',
  () => 'PUT /config HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\nTransfer-Encoding: chunked\\r\\n' + token() + '\\r\\n\\r\\n4000\\r\\n' + '['.repeat(0x4000) + '\\r\\n',
  () => '',
]
let n = 0
const open = new Set()
function attack() {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' })
  open.add(socket)
  socket.on('error', () => undefined)
  socket.on('data', () => undefined)
  socket.on('connect', () => { socket.write(lines[n % lines.length]()); n += 1 })
  socket.on('close', () => { open.delete(socket); if (going) setTimeout(attack, 1) })
}
let going = true
// As much as one program can: each connection that is closed is followed by another.
for (let i = 0; i < 600; i++) attack()
parentPort.postMessage('begun')
parentPort.on('message', () => { going = false; for (const socket of open) socket.destroy(); parentPort.postMessage(n); parentPort.close() })
`

/**
 * In a thread of its own, as the control plane is in the one of the test: a backend, and a client who keeps its connection.
 * Told a port, it answers with the latencies in ms, sorted.
 */
const customer = `
const { createServer } = require('node:http')
const { connect } = require('node:net')
const { parentPort, workerData: measured } = require('node:worker_threads')
const backend = createServer((_, response) => response.end('{}'))
backend.listen(0, '127.0.0.1', () => parentPort.postMessage(backend.address().port))
parentPort.on('message', (port) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const times = []
  let began = 0
  const next = () => {
    if (times.length === measured) {
      socket.destroy()
      parentPort.postMessage(times.sort((a, b) => a - b))
      return
    }
    began = performance.now()
    socket.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
  }
  socket.on('error', (error) => parentPort.postMessage(error.message))
  socket.on('connect', next)
  socket.on('data', (bytes) => {
    if (!bytes.toString('latin1').startsWith('HTTP/1.1 200 ')) parentPort.postMessage(bytes.toString('latin1'))
    times.push(performance.now() - began)
    next()
  })
})
`

const at = (times: readonly number[], share: number): number => times[Math.floor(times.length * share)]!

leakTest('an attack on the admin port does not move the latency of what is proxied', async (scope) => {
  const side = new Worker(customer, { eval: true, workerData: measured })
  scope.defer(() => side.terminate())
  const [backendPort] = await once(side, 'message')
  const latencies = async (port: number): Promise<number[]> => {
    side.postMessage(port)
    const [told] = await within('the latencies', once(side, 'message'), 10_000)
    assert.ok(Array.isArray(told), String(told))
    return told
  }
  const admin = { listen: '127.0.0.1:2', token: 'nobody guesses this one' }
  const proxy = scope.use(
    await startProxy([`http://127.0.0.1:${backendPort}`], { workers: 1, config: { admin } as never }),
  )
  await latencies(proxy.port)
  const before = await latencies(proxy.port)

  const thread = new Worker(attacker, { eval: true, workerData: proxy.adminPort })
  scope.defer(() => thread.terminate())
  const answers: unknown[] = []
  thread.on('message', (message) => answers.push(message))
  await until('it has begun', () => answers.length > 0)
  const during = await latencies(proxy.port)
  // The operator is heard meanwhile.
  const headers = { authorization: 'Bearer nobody guesses this one' }
  const seen = await ask(proxy.adminPort, { path: '/status', headers })
  thread.postMessage('end')
  await until('it has ended', () => answers.length > 1)

  const attacks = Number(answers[1])
  scope.t.diagnostic(
    `p50 ${at(before, 0.5).toFixed(2)} → ${at(during, 0.5).toFixed(2)} ms, p99 ${at(before, 0.99).toFixed(2)} → ${at(during, 0.99).toFixed(2)} ms, ${attacks} attacks`,
  )
  assert.ok(attacks > 600, `${attacks} attacks`)
  assert.equal(seen.status, 200, seen.error)
  // All of them share the cores of a small machine: generous, but far below what a data plane that takes part would show.
  const limit = Math.max(10 * at(before, 0.99), 30)
  assert.ok(at(during, 0.99) < limit, `p99 ${at(during, 0.99)} ms, ${at(before, 0.99)} ms before`)
})
