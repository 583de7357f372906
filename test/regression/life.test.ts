// Connections over time: drains, pipelines without a reader, resets, tunnels, clients that leave after an upload.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { leakTest } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { ended, fin, request, wait, write } from '../support/scripted-backend.ts'
import { acting, scripted } from '../support/stand.ts'
import { deferred, until, within } from '../support/wait.ts'

const upgrade = get('/ws', { Connection: 'Upgrade', Upgrade: 'x' })
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'

leakTest('a drain ends with the answer that was under way when it began', async (scope) => {
  const go = deferred()
  const { proxy, client } = await scripted(scope, [
    [request(), write(answerChunked() + chunk('a')), wait(go.promise), write(chunk('b') + lastChunk)],
  ])
  client.write(get('/'))
  await client.receivedBytes(100)
  proxy.running.drain()
  go.resolve()
  assert.equal((await client.reply()).body.toString(), 'ab')
  assert.equal(await within('the drain', proxy.running.stopped, 3_000), 'drained')
})

leakTest('a client that connected just before the drain gets its first request answered', async (scope) => {
  const { proxy, open } = await acting(scope)
  const late = await open()
  await until('it is accepted', () => proxy.running.state.listenerTotals(0).active >= 2)
  late.write(get('/late'))
  proxy.running.drain()
  assert.equal((await late.reply()).status, 200)
})

leakTest('a client that pipelines and does not read makes us hold little', async (scope) => {
  let asked = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const count = bytes.toString('latin1').split('GET / ').length - 1
      asked += count
      for (let i = 0; i < count; i++) socket.write(answer('x'.repeat(20_000)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.socket.pause()
  client.write(get('/').repeat(5_000))
  // Over when nothing has been asked for through many turns of the loop.
  for (let quiet = 0, seen = 0; quiet < 2_000 && asked < 5_000; quiet++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (asked !== seen) quiet = 0
    seen = asked
  }
  assert.ok(asked > 0 && asked < 2_000, `${asked} answers of 20 kB were fetched for a client that reads none`)
})

leakTest('a client of a tunnel that ends and resets in one breath leaves no handle behind', async (scope) => {
  const { backend, client } = await scripted(scope, [[request(), write(switching)]])
  assert.equal((await client.request(upgrade)).status, 101)
  const { socket } = await backend.connection(0)
  socket.resume()
  client.socket.end()
  await new Promise<void>((resolve) => client.socket.once('finish', () => resolve()))
  client.socket.resetAndDestroy()
  socket.write('data')
  await client.close()
  await until('the backend sees the end', () => backend.connections[0]?.over === true || socket.readableEnded)
})

leakTest('the deadline for a whole exchange writes no HTTP into a tunnel', async (scope) => {
  const { client, backend } = await scripted(scope, [[request(), write(`${switching}hello`), ended(), fin()]], {
    pool: { timeouts: { total: '300ms' } },
  })
  const startedAt = performance.now()
  assert.equal((await client.request(upgrade)).status, 101)
  await until('the deadline has passed', () => performance.now() > startedAt + 500)
  client.socket.end()
  await client.ended(2_000)
  assert.ok(!client.received.includes('504'), client.received.toString())
  await until('the backend saw the end', () => backend.connections[0]?.over === true)
})

leakTest('fifty kept connections that break at once are fifty new connections, not forty errors', async (scope) => {
  const asked: Socket[] = []
  const held = new Set<Socket>()
  let broken = false
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const first = held.size < 50 && !broken
      if (bytes.includes('/1 ') && first) held.add(socket)
      else if (bytes.includes('/1 ') || broken) socket.write(answer('well'))
      else asked.push(socket)
      if (held.size === 50) for (const waiting of held) waiting.write(answer('well'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]))
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(proxy.port)))
  for (const client of clients) scope.use(client).write(get('/1'))
  await Promise.all(clients.map((client) => client.reply()))
  for (const client of clients) client.write(get('/2'))
  await until('all have been asked again', () => asked.length === 50)
  await new Promise<void>((resolve) => setImmediate(resolve))
  broken = true
  for (const socket of asked.splice(0)) socket.resetAndDestroy()
  const replies = await Promise.all(clients.map((client) => client.reply()))
  assert.deepEqual(
    replies.filter(({ status }) => status !== 200).map(({ status }) => status),
    [],
  )
})
