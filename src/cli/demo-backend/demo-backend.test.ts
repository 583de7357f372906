import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import WebSocket from 'ws'
import { type DemoBackend, startDemoBackend } from './demo-backend.ts'

async function start(t: TestContext): Promise<DemoBackend> {
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  return backend
}

test('says who it is and what it received', async (t) => {
  const { url } = await start(t)
  const response = await fetch(`${url}/a?b=c`, { method: 'POST', body: 'hello', headers: { 'X-Mine': '1' } })
  assert.equal(response.headers.get('x-backend'), 'red')
  const echo = (await response.json()) as Record<string, unknown> & { headers: Record<string, string> }
  assert.deepEqual(
    [echo.backend, echo.method, echo.path, echo.body, echo.body_bytes, echo.headers['x-mine']],
    ['red', 'POST', '/a?b=c', 'hello', 5, '1'],
  )
})

test('answers with the status, size and delay asked for, by query or by header', async (t) => {
  const { url } = await start(t)
  const startedMs = performance.now()
  const steered = await fetch(`${url}/?status=418&size=100KB&delay=60`)
  assert.equal((await steered.arrayBuffer()).byteLength, 102_400)
  assert.equal(steered.status, 418)
  assert.ok(performance.now() - startedMs > 50)
  assert.equal((await fetch(url, { headers: { 'X-Status': '204' } })).status, 204)
  const wrong = await fetch(`${url}/?status=99`)
  assert.deepEqual(
    [wrong.status, ((await wrong.json()) as { error: string }).error],
    [400, 'status is a number from 200 to 599, not "99"'],
  )
})

test('fails in the way asked for', async (t) => {
  const { url } = await start(t)
  await assert.rejects(fetch(`${url}/?fail=reset`))
  const cut = await fetch(`${url}/?fail=cut&size=1000`)
  await assert.rejects(cut.arrayBuffer())
  await assert.rejects(fetch(`${url}/?fail=hang`, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
})

test('POST /fail makes it ill, health check included, until POST /recover', async (t) => {
  const { url } = await start(t)
  const statuses = async (): Promise<number[]> => [(await fetch(`${url}/healthz`)).status, (await fetch(url)).status]
  assert.deepEqual(await statuses(), [200, 200])
  await fetch(`${url}/fail`, { method: 'POST' })
  assert.deepEqual(await statuses(), [503, 503])
  await fetch(`${url}/recover`, { method: 'POST' })
  assert.deepEqual(await statuses(), [200, 200])
})

test('sends events, as many as asked for', async (t) => {
  const { url } = await start(t)
  const response = await fetch(`${url}/sse?count=3&interval=10`)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  assert.deepEqual((await response.text()).match(/^id: \d$/gm), ['id: 1', 'id: 2', 'id: 3'])
})

test('echoes WebSocket messages of every length form, answers pings, and closes cleanly', async (t) => {
  const { url } = await start(t)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  await once(socket, 'open')
  for (const size of [0, 5, 125, 126, 65_535, 65_536, 200_000]) {
    const sent = Buffer.alloc(size, 'abcdefg')
    socket.send(sent)
    const [received, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
    assert.ok(isBinary && received.equals(sent), `${size} bytes`)
  }
  socket.send('part one, ', { fin: false })
  socket.send('part two')
  assert.equal(String((await once(socket, 'message'))[0]), 'part one, part two')
  socket.ping('are you there')
  assert.equal(String((await once(socket, 'pong'))[0]), 'are you there')
  socket.close(4000, 'done')
  assert.deepEqual((await once(socket, 'close')).map(String), ['4000', 'done'])
})

test('refuses a WebSocket message beyond a mebibyte', async (t) => {
  const { url } = await start(t)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  await once(socket, 'open')
  socket.send(Buffer.alloc(1024 * 1024 + 1))
  socket.on('error', () => {})
  assert.equal((await once(socket, 'close'))[0], 1009)
})
