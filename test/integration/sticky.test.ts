// Affinity: a client comes back to its backend, by cookie, by address or by a header, and is moved when it must be.
import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

interface Stand {
  readonly backends: ActingBackend[]
  readonly proxy: TestProxy
  open(localAddress?: string): Promise<RawClient>
}

const secret = 'a secret of sixteen letters at least'

async function stand(scope: Scope, sticky: Record<string, string>, options: ProxyOptions = {}): Promise<Stand> {
  const backends: ActingBackend[] = []
  for (const name of ['a', 'b', 'c']) backends.push(scope.use(await startActingBackend({ name })))
  const proxy = scope.use(
    await startProxy(
      backends.map(({ url }) => url),
      { ...options, pool: { sticky, ...options.pool } },
    ),
  )
  const open = async (localAddress = '127.0.0.1'): Promise<RawClient> =>
    scope.use(await RawClient.open(proxy.port, { localAddress }))
  return { backends, proxy, open }
}

const backendOf = (reply: Reply): string => fieldValue(reply, 'x-backend') ?? ''
const setCookie = (reply: Reply): string | undefined => fieldValues(reply, 'set-cookie')[0]
const pair = (cookie: string): string => cookie.slice(0, cookie.indexOf(';'))

// --- by cookie ---

leakTest('cookie: the first answer sets it, and it leads back to the same backend', async (scope) => {
  const { open } = await stand(scope, { by: 'cookie', secret })
  for (let i = 0; i < 3; i++) {
    const client = await open()
    const first = await client.request(get('/'))
    const cookie = setCookie(first)
    assert.match(
      cookie ?? '',
      /^fd_sticky=[A-Za-z0-9_-]{22}\.[0-9a-z]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
    )
    for (let n = 0; n < 5; n++) {
      const again = await (await open()).request(get('/', { Cookie: `other=1; ${pair(cookie!)}; last=2` }))
      assert.equal(backendOf(again), backendOf(first))
      assert.equal(setCookie(again), undefined, 'a fresh cookie is not set again')
    }
  }
})

leakTest('cookie: clients without one are spread, and the name is the configured one', async (scope) => {
  const { open } = await stand(scope, { by: 'cookie', cookie: 'desk', ttl: '10m', secret })
  const client = await open()
  const seen = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const reply = await client.request(get('/'))
    assert.match(setCookie(reply) ?? '', /^desk=.*Max-Age=600;/)
    seen.add(backendOf(reply))
  }
  assert.deepEqual([...seen].sort(), ['a', 'b', 'c'])
})

leakTest('cookie: it is opaque, differs by secret, and cannot be made up from what is known', async (scope) => {
  const { backends, open } = await stand(scope, { by: 'cookie', secret })
  const client = await open()
  const values = new Map<string, string>()
  for (let i = 0; i < 3; i++) {
    const reply = await client.request(get('/'))
    const value = /=([^.;]+)/.exec(setCookie(reply)!)![1]!
    values.set(backendOf(reply), value)
    for (const backend of backends) {
      for (const clear of [backend.url, String(backend.port), backend.name]) {
        for (const text of [clear, Buffer.from(clear).toString('base64url'), Buffer.from(clear).toString('hex')]) {
          if (text.length > 2) assert.ok(!value.includes(text), `${value} tells ${clear}`)
        }
      }
    }
  }
  assert.equal(new Set(values.values()).size, 3)
  const other = await startProxy(
    backends.map(({ url }) => url),
    { pool: { sticky: { by: 'cookie', secret: 'quite another secret' } } },
  )
  scope.use(other)
  const stranger = scope.use(await RawClient.open(other.port))
  const reply = await stranger.request(get('/', { Cookie: `fd_sticky=${values.get('a')}` }))
  assert.ok(setCookie(reply), 'a cookie of another secret means nothing')
})

for (const [what, value] of [
  ['forged', 'AAAAAAAAAAAAAAAAAAAAAA.zzzzz'],
  ['empty', ''],
  ['cut', 'A'],
  ['an address', 'http://127.0.0.1:80'],
  ['a prototype', '__proto__'],
]) {
  leakTest(`cookie: ${what} is ignored, and replaced`, async (scope) => {
    const { open } = await stand(scope, { by: 'cookie', secret })
    const client = await open()
    const seen = new Set<string>()
    for (let i = 0; i < 3; i++) {
      const reply = await client.request(get('/', { Cookie: `fd_sticky=${value}` }))
      assert.equal(reply.status, 200)
      assert.ok(setCookie(reply))
      seen.add(backendOf(reply))
    }
    assert.equal(seen.size, 3, 'balanced as if there were none')
  })
}

leakTest('cookie: one of a backend that has left is stale, and replaced', async (scope) => {
  const { backends, open } = await stand(scope, { by: 'cookie', secret })
  const first = await (await open()).request(get('/'))
  const rest = backends.filter(({ name }) => name !== backendOf(first))
  const options = { pool: { sticky: { by: 'cookie', secret } } }
  const smaller = scope.use(
    await startProxy(
      rest.map(({ url }) => url),
      options,
    ),
  )
  const client = scope.use(await RawClient.open(smaller.port))
  const moved = await client.request(get('/', { Cookie: pair(setCookie(first)!) }))
  assert.equal(moved.status, 200)
  const again = await client.request(get('/', { Cookie: pair(setCookie(moved)!) }))
  assert.equal(backendOf(again), backendOf(moved))
})

leakTest('cookie: when its backend is down the client is moved, pinned anew, and stays there', async (scope) => {
  const { backends, open } = await stand(scope, { by: 'cookie', secret })
  const client = await open()
  const first = await client.request(get('/'))
  const port = backends.find(({ name }) => name === backendOf(first))!.port
  await backends.find(({ name }) => name === backendOf(first))!.close()
  const moved = await client.request(get('/', { Cookie: pair(setCookie(first)!) }))
  assert.equal(moved.status, 200)
  assert.notEqual(backendOf(moved), backendOf(first))
  const cookie = setCookie(moved)
  assert.ok(cookie, 'pinned anew')
  scope.use(await startActingBackend({ name: backendOf(first), port }))
  for (let i = 0; i < 4; i++) {
    assert.equal(backendOf(await client.request(get('/', { Cookie: pair(cookie) }))), backendOf(moved))
  }
})

leakTest(
  'cookie: a client stays at a draining backend, new ones do not go there; a disabled one loses both',
  async (scope) => {
    const { backends, proxy, open } = await stand(scope, { by: 'cookie', secret }, { admin: true })
    const client = await open()
    const first = await client.request(get('/'))
    const Cookie = pair(setCookie(first)!)
    const { url } = backends.find(({ name }) => name === backendOf(first))!
    const set = async (state: string): Promise<void> => {
      const body = JSON.stringify({ url, state })
      const headers = { 'content-type': 'application/json', connection: 'close' }
      const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/backends`, { method: 'PATCH', body, headers })
      assert.equal(answer.status, 200, await answer.text())
    }
    await set('drain')
    for (let i = 0; i < 4; i++) {
      assert.equal(backendOf(await client.request(get('/', { Cookie }))), backendOf(first))
      assert.notEqual(backendOf(await client.request(get('/'))), backendOf(first))
    }
    await set('disabled')
    const moved = await client.request(get('/', { Cookie }))
    assert.notEqual(backendOf(moved), backendOf(first))
    assert.ok(setCookie(moved))
  },
)

leakTest('cookie: it is renewed when half its time is over', async (scope) => {
  const { open } = await stand(scope, { by: 'cookie', ttl: '2s', secret })
  const client = await open()
  const first = await client.request(get('/'))
  const later = performance.now() + 4000
  let renewed: string | undefined
  await until('a second has passed', () => Date.now() % 1000 < 50)
  while (renewed === undefined && performance.now() < later) {
    const reply = await client.request(get('/', { Cookie: pair(setCookie(first)!) }))
    assert.equal(backendOf(reply), backendOf(first))
    renewed = setCookie(reply)
  }
  assert.ok(renewed, 'an active client keeps its backend')
  assert.equal(pair(renewed).split('.')[0], pair(setCookie(first)!).split('.')[0])
})

leakTest('cookie: it comes with every kind of answer of the backend, beside its own cookies', async (scope) => {
  const { open } = await stand(scope, { by: 'cookie', secret })
  const client = await open()
  const reply = await client.request(get('/', { 'X-Act-Status': 500, 'X-Act-Header': 'Set-Cookie=own' }))
  assert.deepEqual(
    fieldValues(reply, 'set-cookie').map((cookie) => cookie.split('=')[0]),
    ['own', 'fd_sticky'],
  )
})

// --- by address and by header ---

leakTest('ip: an address comes back to its backend, whatever the connection', async (scope) => {
  const { open } = await stand(scope, { by: 'ip' })
  const seen = new Set<string>()
  for (let i = 2; i < 8; i++) {
    const first = backendOf(await (await open(`127.0.0.${i}`)).request(get('/')))
    seen.add(first)
    for (let n = 0; n < 4; n++) {
      const reply = await (await open(`127.0.0.${i}`)).request(get('/'))
      assert.equal(backendOf(reply), first)
      assert.equal(setCookie(reply), undefined)
    }
  }
  assert.equal(seen.size, 3)
})

leakTest('ip: when its backend is down the address is moved, and stays where it went', async (scope) => {
  const { backends, open } = await stand(scope, { by: 'ip' })
  const client = await open('127.0.0.9')
  const first = backendOf(await client.request(get('/')))
  const gone = backends.find(({ name }) => name === first)!
  const { port } = gone
  await gone.close()
  const moved = backendOf(await client.request(get('/')))
  assert.notEqual(moved, first)
  scope.use(await startActingBackend({ name: first, port }))
  for (let i = 0; i < 4; i++) assert.equal(backendOf(await client.request(get('/'))), moved)
})

leakTest('ip: a binding is forgotten after its ttl', async (scope) => {
  const { open } = await stand(scope, { by: 'ip', ttl: '1s' })
  const client = await open('127.0.0.10')
  const first = backendOf(await client.request(get('/')))
  const wakeAt = performance.now() + 2100
  await until('the ttl is over', () => performance.now() > wakeAt)
  const seen = new Set([first])
  // Round-robin goes on where it was: the next one is another.
  seen.add(backendOf(await client.request(get('/'))))
  assert.equal(seen.size, 2)
})

leakTest('header: its value is the client, and without it nobody is bound', async (scope) => {
  const { open } = await stand(scope, { by: 'header', header: 'X-User' })
  const bound = new Map<string, string>()
  const client = await open()
  for (let round = 0; round < 3; round++) {
    for (const user of ['ann', 'bob', 'cid', 'dan', 'eve']) {
      const backend = backendOf(await client.request(get('/', { 'X-User': user })))
      assert.equal(backend, bound.get(user) ?? backend)
      bound.set(user, backend)
    }
  }
  assert.equal(new Set(bound.values()).size, 3)
  const free = new Set<string>()
  for (let i = 0; i < 3; i++) free.add(backendOf(await client.request(get('/'))))
  assert.equal(free.size, 3)
})

leakTest('ip and header: a table is shared by all workers', async (scope) => {
  const { open } = await stand(scope, { by: 'header', header: 'X-User' }, { workers: 2 })
  const seen = new Map<string, string>()
  for (let round = 0; round < 10; round++) {
    const client = await open()
    for (const user of ['ann', 'bob', 'cid', 'dan']) {
      const backend = backendOf(await client.request(get('/', { 'X-User': user })))
      assert.equal(backend, seen.get(user) ?? backend)
      seen.set(user, backend)
    }
    await client.close()
  }
})
