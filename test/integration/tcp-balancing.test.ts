// Which backend a TCP connection goes to, what happens when that one cannot be reached, and backends that come and go.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leakTest, type Scope } from '../support/leaks.ts'
import { type Answered, ask } from '../support/load.ts'
import { refusingPort, silentPort } from '../support/ports.ts'
import type { BackendEntry, TestProxy } from '../support/proxy.ts'
import { RawClient, type RawClientOptions } from '../support/raw-client.ts'
import { startTcpBackend, startTcpProxy, type TcpBackend, type TcpOptions } from '../support/tcp-stand.ts'
import { until } from '../support/wait.ts'

/** Backends that greet with their name, a letter each. */
async function greeters(scope: Scope, names: string): Promise<TcpBackend[]> {
  const started = [...names].map((name) => startTcpBackend({ onConnection: (peer) => void peer.write(name) }))
  return (await Promise.all(started)).map((backend) => scope.use(backend))
}

async function proxyFor(scope: Scope, backends: readonly BackendEntry[], options: TcpOptions = {}): Promise<TestProxy> {
  const proxy = await startTcpProxy(backends, options)
  scope.defer(() => proxy.close())
  return proxy
}

/** Connects and closes again on both sides: the greeting, '' if the connection was ended without one. */
async function greeting(proxy: TestProxy, options?: RawClientOptions): Promise<string> {
  const client = await RawClient.open(proxy.port, options)
  await client.receivedBytes(1).catch(() => {})
  const text = client.received.toString()
  client.reset()
  return text
}

async function greetings(proxy: TestProxy, count: number): Promise<string> {
  let all = ''
  for (let n = 0; n < count; n++) all += await greeting(proxy)
  return all
}

/** A connection that stays. */
async function stay(scope: Scope, proxy: TestProxy): Promise<RawClient> {
  const client = scope.use(await RawClient.open(proxy.port))
  // A half-close is passed on and no more: a reset ends both sides.
  scope.defer(() => client.reset())
  await client.receivedBytes(1)
  return client
}

const idle = (proxy: TestProxy): Promise<void> =>
  until('nothing is active', () => Object.values(proxy.active()).every((count) => count === 0))
const statusOf = (proxy: TestProxy, url: string) => proxy.running.status().backends.find((each) => each.url === url)!
const letters = (text: string): string => [...text].sort().join('')

// --- strategies ---

leakTest('round-robin by weight; a backup serves when no primary does', async (scope) => {
  const [a, b, c] = (await greeters(scope, 'abc')) as [TcpBackend, TcpBackend, TcpBackend]
  const proxy = await proxyFor(scope, [{ url: a.url, weight: 2 }, b.url, { url: c.url, backup: true }])
  assert.equal(letters(await greetings(proxy, 9)), 'aaaaaabbb')
  await a.close()
  await b.close()
  assert.equal(await greetings(proxy, 3), 'ccc')
  await idle(proxy)
})

leakTest('least-conn counts connections that are open, however silent', async (scope) => {
  const [a, b] = (await greeters(scope, 'ab')) as [TcpBackend, TcpBackend]
  const proxy = await proxyFor(scope, [a.url, b.url], { pool: { strategy: 'least-conn' } })
  const first = (await stay(scope, proxy)).received.toString()
  const [full, free] = first === 'a' ? [a, b] : [b, a]
  for (let n = 0; n < 3; n++) {
    assert.notEqual(await greeting(proxy), first)
    await until('its place is free again', () => statusOf(proxy, free.url).current_connections === 0)
  }
  assert.equal(statusOf(proxy, full.url).current_connections, 1)
})

for (const strategy of ['power-of-two', 'least-time', 'random', 'first', 'ip-hash']) {
  leakTest(`${strategy} works for TCP`, async (scope) => {
    const backends = await greeters(scope, 'ab')
    const proxy = await proxyFor(
      scope,
      backends.map(({ url }) => url),
      { pool: { strategy } },
    )
    const seen = new Set(await greetings(proxy, 20))
    if (strategy === 'first') assert.deepEqual([...seen], ['a'])
    else if (strategy === 'ip-hash') assert.equal(seen.size, 1)
    // The quicker one may get them all.
    else if (strategy !== 'least-time') assert.equal(seen.size, 2)
  })
}

leakTest('a client address keeps its backend with sticky, also when connections end', async (scope) => {
  const backends = await greeters(scope, 'abc')
  const urls = backends.map(({ url }) => url)
  const proxy = await proxyFor(scope, urls, { pool: { sticky: { by: 'ip', ttl: '1h' } } })
  const from = async (localAddress: string): Promise<string> => greeting(proxy, { localAddress })
  const first = new Map<string, string>()
  for (let host = 1; host <= 6; host++) first.set(`127.0.0.${host}`, await from(`127.0.0.${host}`))
  assert.ok(new Set(first.values()).size === 3, 'round-robin for those that are new')
  for (let round = 0; round < 3; round++) {
    for (const [address, name] of first) assert.equal(await from(address), name)
  }
})

leakTest('a Unix socket is a backend like any other', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-tcp-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const path = join(folder, 'backend.sock')
  const backend = scope.use(await startTcpBackend({ path, onConnection: (peer) => void peer.write('u') }))
  const proxy = await proxyFor(scope, [backend.url])
  assert.equal(await greetings(proxy, 2), 'uu')
})

// --- limits ---

leakTest('max_connections counts open connections; when all are full a client is closed', async (scope) => {
  const [a, b] = (await greeters(scope, 'ab')) as [TcpBackend, TcpBackend]
  const entries = [
    { url: a.url, max_connections: 1 },
    { url: b.url, max_connections: 2 },
  ]
  const proxy = await proxyFor(scope, entries)
  const held = [await stay(scope, proxy), await stay(scope, proxy), await stay(scope, proxy)]
  assert.equal(letters(held.map(({ received }) => received.toString()).join('')), 'abb')
  assert.equal(await greeting(proxy), '')
  held.find(({ received }) => received.toString() === 'a')!.reset()
  await until('its place is free', () => statusOf(proxy, a.url).current_connections === 0)
  assert.equal(await greeting(proxy), 'a')
})

// --- failures ---

leakTest('a connection that is refused goes to the next backend, and blames the one that refused', async (scope) => {
  const [b] = (await greeters(scope, 'b')) as [TcpBackend]
  const dead = `tcp://127.0.0.1:${await refusingPort()}`
  const proxy = await proxyFor(scope, [dead, b.url])
  assert.equal(await greetings(proxy, 4), 'bbbb')
  assert.equal(statusOf(proxy, b.url).errors, 0)
  assert.ok(statusOf(proxy, dead).errors >= 1)
})

leakTest('what the client sent before a backend was found is sent to the one that was', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const dead = await Promise.all([refusingPort(), refusingPort()])
  const proxy = await proxyFor(scope, [...dead.map((port) => `tcp://127.0.0.1:${port}`), backend.url])
  const client = scope.use(await RawClient.open(proxy.port))
  client.write('first words')
  const peer = await backend.peer()
  await peer.receivedBytes(11)
  assert.equal(peer.received.toString(), 'first words')
  client.reset()
})

leakTest('a backend that does not accept is given up after timeouts.connect', async (scope) => {
  const silent = scope.use(await silentPort())
  const [b] = (await greeters(scope, 'b')) as [TcpBackend]
  const entries = [`tcp://127.0.0.1:${silent.port}`, b.url]
  const proxy = await proxyFor(scope, entries, { pool: { strategy: 'first', timeouts: { connect: '150ms' } } })
  const startedAt = performance.now()
  assert.equal(await greeting(proxy), 'b')
  assert.ok(performance.now() - startedAt > 100)
})

leakTest('with no backend left the client is closed, and that is counted', async (scope) => {
  const dead = `tcp://127.0.0.1:${await refusingPort()}`
  const proxy = await proxyFor(scope, [dead], { admin: true })
  const client = scope.use(await RawClient.open(proxy.port))
  assert.equal(await client.ended(), 'fin')
  const { body } = await ask(proxy.adminPort, { path: '/metrics' })
  assert.match(body, /connections_rejected_total\{listener="test",reason="no_backend"\} 1/)
})

leakTest('retries.attempts: 0 asks one backend only', async (scope) => {
  const [b] = (await greeters(scope, 'b')) as [TcpBackend]
  const dead = `tcp://127.0.0.1:${await refusingPort()}`
  const options = { pool: { strategy: 'first', retries: { attempts: 0 }, passive_health: { max_fails: 0 } } }
  const proxy = await proxyFor(scope, [dead, b.url], options)
  assert.equal(await greeting(proxy), '')
})

leakTest('a connection that needed a retry uses up no budget for as long as it is open', async (scope) => {
  const [b] = (await greeters(scope, 'b')) as [TcpBackend]
  const dead = `tcp://127.0.0.1:${await refusingPort()}`
  const pool = { strategy: 'first', passive_health: { max_fails: 0 }, retries: { budget: '0%' } }
  const proxy = await proxyFor(scope, [dead, b.url], { pool })
  const held: RawClient[] = []
  for (let n = 0; n < 8; n++) held.push(await stay(scope, proxy))
  assert.equal(statusOf(proxy, b.url).current_connections, 8)
  assert.equal(statusOf(proxy, dead).errors, 8)
})

leakTest('a client that resets while a backend is dialled is gone, and so is the attempt', async (scope) => {
  const silent = scope.use(await silentPort())
  const proxy = await proxyFor(scope, [`tcp://127.0.0.1:${silent.port}`])
  const client = scope.use(await RawClient.open(proxy.port))
  await until('the backend is dialled', () => Object.values(proxy.active())[0] === 1)
  client.reset()
  await idle(proxy)
})

leakTest('a reset by the backend counts as an error, an end in peace does not', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const proxy = await proxyFor(scope, [backend.url])
  const client = scope.use(await RawClient.open(proxy.port))
  const peer = await backend.peer()
  peer.end()
  client.end()
  await idle(proxy)
  assert.equal(statusOf(proxy, backend.url).errors, 0)
  const second = scope.use(await RawClient.open(proxy.port))
  const broken = await backend.peer(1)
  broken.reset()
  await second.ended()
  await idle(proxy)
  assert.equal(statusOf(proxy, backend.url).errors, 1)
})

// --- idleness ---

leakTest('silence of both sides ends a connection; one word in time keeps it', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const proxy = await proxyFor(scope, [backend.url], { listener: { idle_timeout: '300ms' } })
  const silent = scope.use(await RawClient.open(proxy.port))
  const talking = scope.use(await RawClient.open(proxy.port))
  const startedAt = performance.now()
  const talk = setInterval(() => talking.write('.'), 60)
  scope.defer(() => clearInterval(talk))
  const peers = [await backend.peer(0), await backend.peer(1)]
  assert.equal(await silent.ended(), 'fin')
  assert.ok(performance.now() - startedAt >= 250, 'not before its time')
  const enough = performance.now() + 500
  await until('the other would have ended too', () => performance.now() > enough)
  assert.equal(talking.ending, null)
  assert.equal(peers.filter(({ ending }) => ending === null).length, 1)
  talking.reset()
})

leakTest('a transfer in one direction only is not silence', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const proxy = await proxyFor(scope, [backend.url], { listener: { idle_timeout: '200ms' } })
  const client = scope.use(await RawClient.open(proxy.port))
  const peer = await backend.peer()
  client.end()
  const drip = setInterval(() => peer.write('x'), 50)
  scope.defer(() => clearInterval(drip))
  await client.receivedBytes(16)
  assert.equal(client.ending, null)
  peer.end()
  assert.equal(await client.ended(), 'fin')
})

// --- backends that come and go ---

const call = (proxy: TestProxy, method: string, body: object, path = '/backends'): Promise<Answered> =>
  ask(proxy.adminPort, {
    method,
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

leakTest('a backend is added, drained and enabled while connections are open; none is disturbed', async (scope) => {
  const [a, b] = (await greeters(scope, 'ab')) as [TcpBackend, TcpBackend]
  const proxy = await proxyFor(scope, [a.url], { admin: true })
  const first = await stay(scope, proxy)
  assert.equal((await call(proxy, 'POST', { url: b.url })).status, 201)
  assert.equal(letters(await greetings(proxy, 4)), 'aabb')
  assert.equal((await call(proxy, 'PATCH', { url: a.url, state: 'drain' })).status, 200)
  assert.equal(await greetings(proxy, 4), 'bbbb')
  assert.equal(statusOf(proxy, a.url).current_connections, 1)
  first.write('still here')
  await until('it is', () => a.peers[0]!.received.toString() === 'still here')
  assert.equal((await call(proxy, 'PATCH', { url: a.url, state: 'up' })).status, 200)
  assert.equal(letters(await greetings(proxy, 4)), 'aabb')
})

leakTest('a removed backend keeps its connections until they end', async (scope) => {
  const [a, b] = (await greeters(scope, 'ab')) as [TcpBackend, TcpBackend]
  const proxy = await proxyFor(scope, [{ url: a.url, weight: 100 }, b.url], { admin: true, workers: 2 })
  const client = await stay(scope, proxy)
  assert.equal(client.received.toString(), 'a')
  const removal = await call(proxy, 'DELETE', { url: a.url, drain: '30s' })
  assert.equal(removal.status, 202)
  assert.equal((JSON.parse(removal.body) as { drained_connections: number }).drained_connections, 1)
  assert.equal(await greetings(proxy, 3), 'bbb')
  client.write('goodbye')
  await until('it is through', () => a.peers[0]!.received.toString() === 'goodbye')
  client.end()
  a.peers[0]!.end()
  assert.equal(await client.ended(), 'fin')
  await until('it is gone', () => proxy.running.status().backends.length === 1)
})

leakTest('at the end of its drain time a removed backend is cut off, visibly for both sides', async (scope) => {
  const [a] = (await greeters(scope, 'a')) as [TcpBackend]
  const proxy = await proxyFor(scope, [a.url], { admin: true })
  const client = await stay(scope, proxy)
  const startedAt = performance.now()
  const removal = await call(proxy, 'DELETE', { url: a.url, drain: '300ms' }, '/backends?wait=1')
  assert.equal(removal.status, 200)
  assert.ok(performance.now() - startedAt > 250, 'it had its time')
  assert.equal(await client.ended(), 'rst')
  await until('the backend sees it too', () => a.peers[0]!.ending !== null)
  assert.deepEqual(proxy.running.status().backends, [])
  assert.equal(await greeting(proxy), '')
})

// --- the end of the program ---

leakTest('a stop waits for connections; the time of grace over, they are cut', async (scope) => {
  const [a] = (await greeters(scope, 'a')) as [TcpBackend]
  const config = { shutdown: { grace: '400ms' } }
  const proxy = await startTcpProxy([a.url], { config, workers: 2 })
  scope.defer(() => proxy.running.force())
  const [finishing, staying] = [await stay(scope, proxy), await stay(scope, proxy)]
  const startedAt = performance.now()
  proxy.running.drain()
  const accepts = (): Promise<boolean> =>
    RawClient.open(proxy.port).then(
      (client) => {
        client.reset()
        return true
      },
      () => false,
    )
  while (await accepts()) assert.ok(performance.now() - startedAt < 300, 'nothing new is accepted')
  finishing.write('last words').end()
  await until('they are through', () => a.peers.some(({ received }) => received.toString() === 'last words'))
  for (const peer of a.peers) if (peer.ending === 'fin') peer.end()
  assert.equal(await finishing.ended(), 'fin')
  await staying.ended()
  assert.ok(performance.now() - startedAt > 350, 'it had its time')
  assert.equal(await proxy.running.stopped, 'grace-expired')
})
