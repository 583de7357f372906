// How the program ends: nothing in flight is lost, nothing new begins, and it does end.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { ask } from '../support/load.ts'
import { get, post } from '../support/messages.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

async function served(t: TestContext, config: Readonly<Record<string, unknown>> = {}) {
  const backend = await startActingBackend()
  t.after(() => backend.close())
  const dir = folder(t)
  writeConfig(dir, { backends: [backend.url], ...config })
  const program = await Program.start(t, dir)
  return { backend, program }
}

async function clients(t: TestContext, port: number, count: number): Promise<RawClient[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => RawClient.open(port)))
  t.after(() => Promise.all(opened.map((client) => client.close())))
  return opened
}

async function inFlight(t: TestContext, program: Program, backend: ActingBackend, count: number): Promise<RawClient[]> {
  const opened = await clients(t, program.port, count)
  for (const client of opened) client.write(get('/', { 'x-act-hold': 'all' }))
  await until(`${count} requests are in flight`, () => backend.active === count)
  return opened
}

test('TERM with 200 slow requests in flight loses none, takes nothing new, and ends with 0', async (t) => {
  const { backend, program } = await served(t)
  const busy = await inFlight(t, program, backend, 200)
  const [idle, used, uploading] = (await clients(t, program.port, 3)) as [RawClient, RawClient, RawClient]
  assert.equal((await used.request(get('/'))).status, 200)
  uploading.write(post('/upload', 'first half, ', {}, 23))
  await until('the upload has begun', () => backend.active === 201)

  program.signal('SIGTERM')
  await program.event('draining')
  // Connections without a request are closed in peace.
  assert.deepEqual([await idle.ended(), await used.ended()], ['fin', 'fin'])
  const ready = await ask(program.adminPort, { path: '/readyz' })
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [503, { status: 'draining' }])
  assert.equal((await ask(program.adminPort, { path: '/healthz' })).status, 200)
  assert.equal((await ask(program.port)).error, 'ECONNREFUSED')

  backend.release('all')
  uploading.write('second half')
  const replies = await Promise.all([...busy, uploading].map((client) => client.reply()))
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
  for (const { fields } of replies) {
    const connection = fields.find(([name]) => name.toLowerCase() === 'connection')
    assert.equal(connection?.[1], 'close')
  }
  assert.equal(backend.requests.at(-1)!.body, 'first half, second half')
  const ended = await program.ended()
  assert.deepEqual([ended.code, ended.signal], [0, null])
})

test('after the time of grace what is still open is cut, and the program ends', async (t) => {
  const { backend, program } = await served(t, { shutdown: { grace: '200ms' } })
  const [client] = await inFlight(t, program, backend, 1)
  program.signal('SIGTERM')
  const outcome = await client!.read()
  assert.deepEqual([outcome.kind, outcome.kind === 'closed' && outcome.bytes.length], ['closed', 0])
  const ended = await program.ended()
  assert.deepEqual([ended.code, ended.signal], [0, null])
  assert.match(`${ended.stdout}${ended.stderr}`, /still open after shutdown.grace was cut/)
  await until('the backend sees it end', () => backend.active === 0)
})

test('an answer that flows when TERM comes flows to its end', async (t) => {
  const { backend, program } = await served(t)
  const [client] = (await clients(t, program.port, 1)) as [RawClient]
  const bytes = 8 * 1024 * 1024
  client.socket.pause()
  client.write(get('/', { 'x-act-size': bytes }))
  await until('the answer has begun', () => backend.started === 1)
  program.signal('SIGTERM')
  await program.event('draining')
  client.socket.resume()
  const reply = await client.reply('GET', 20_000)
  assert.equal(reply.body.length, bytes)
  assert.equal(await client.ended(), 'fin')
  await client.close()
  assert.equal((await program.ended()).code, 0)
})

test('POST /stop is the same as TERM', async (t) => {
  const { backend, program } = await served(t)
  const [client] = await inFlight(t, program, backend, 1)
  assert.equal((await ask(program.adminPort, { method: 'POST', path: '/stop' })).status, 202)
  backend.release('all')
  assert.equal((await client!.reply()).status, 200)
  assert.equal((await program.ended()).code, 0)
})
