// The gates of a route in a real proxy: passwords, a server that decides, pages of other origins, and all of them together.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { silentLog } from '../../src/core/log.ts'
import { startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { cheapHash } from '../support/cheap-hash.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import type { ProxyOptions } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { acting, seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

type Route = Record<string, string | number | boolean | readonly string[] | object>

/** One route that takes everything. */
const withRoute = (route: Route, more: ProxyOptions = {}): ProxyOptions => ({
  ...more,
  config: { routes: [{ name: 'gated', match: '*', pool: 'default', ...route }], ...more.config },
})

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
const users = { ann: cheapHash('secret'), bob: cheapHash('bobs') }

interface AuthServer {
  readonly url: string
  readonly asked: IncomingMessage[]
}

async function authServer(scope: Scope, handler: RequestListener): Promise<AuthServer> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/verify`, asked }
}

// --- passwords ---

for (const workers of [0, 2]) {
  leakTest(`a password lets the request through, nothing else does (${workers} workers)`, async (scope) => {
    const options = withRoute({ basic_auth: { users, realm: 'Office', user_header: 'X-User' } }, { workers })
    const { backend, client } = await acting(scope, options)
    const none = await client.request(get('/a'))
    assert.equal(none.status, 401)
    assert.equal(fieldValue(none, 'www-authenticate'), 'Basic realm="Office", charset="UTF-8"')
    assert.equal(fieldValue(none, 'proxy-status'), 'frontdesk; error=http_request_denied')
    const wrong = await client.request(get('/a', { Authorization: basic('ann:bobs') }))
    assert.equal(wrong.status, 401)
    assert.equal(backend.started, 0)
    const right = await client.request(get('/a', { Authorization: basic('ann:secret') }))
    assert.equal(right.status, 200)
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-user'), ['ann'])
    assert.deepEqual(seenValues(backend.requests.at(-1), 'authorization'), [basic('ann:secret')], 'as with nginx')
  })
}

leakTest('who the client says it is never reaches the backend (CVE-2026-30851, CVE-2026-52845)', async (scope) => {
  const { backend, client } = await acting(scope, withRoute({ basic_auth: { users, user_header: 'X-User' } }))
  const spoofed = { 'X-User': 'admin', x_user: 'admin', X_User: 'admin', 'X.User': 'admin', Connection: 'x-user' }
  const reply = await client.request(get('/', { ...spoofed, Authorization: basic('bob:bobs') }))
  assert.equal(reply.status, 200)
  const said = backend.requests[0]?.fields.filter(([name]) => /^x.user$/i.test(name))
  assert.deepEqual(
    said?.map(([, value]) => value),
    ['bob'],
  )
})

leakTest('a refused request with a body keeps the connection in step', async (scope) => {
  const { backend, client, open } = await acting(scope, withRoute({ basic_auth: { users } }))
  assert.equal((await client.request(post('/a', 'body'))).status, 401)
  const head = await (await open()).request('HEAD / HTTP/1.1\r\nHost: t.example\r\n\r\n', 'HEAD')
  assert.equal(head.status, 401)
  const other = await open()
  const authorized = post('/b', 'x'.repeat(70_000), { Authorization: basic('ann:secret') })
  assert.equal((await other.request(authorized)).status, 200)
  assert.equal(backend.requests.length, 1)
  assert.equal(backend.requests[0]?.bodyLength, 70_000)
})

leakTest('pipelined requests are each judged by themselves', async (scope) => {
  const { backend, client } = await acting(scope, withRoute({ basic_auth: { users } }))
  const passwords = ['ann:secret', 'ann:no', 'bob:bobs', 'eve:secret']
  client.write(passwords.map((pair, at) => get(`/${at}`, { Authorization: basic(pair) })).join(''))
  const statuses: number[] = []
  for (const _ of passwords) statuses.push((await client.reply()).status)
  assert.deepEqual(statuses, [200, 401, 200, 401])
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    ['/0', '/2'],
  )
})

leakTest('refused logins are counted by name, and no password is in log or metrics', async (scope) => {
  const log: string[] = []
  const options = withRoute(
    { basic_auth: { users } },
    {
      admin: true,
      log: { event: (...event) => void log.push(JSON.stringify(event)) },
    },
  )
  const { client, proxy } = await acting(scope, options)
  await client.request(get('/', { Authorization: basic('ann:hunter2') }))
  await client.request(get('/', { Authorization: basic('ann:secret') }))
  const metrics = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text()
  assert.match(metrics, /frontdesk_http_request_errors_total\{[^}]*reason="unauthorized"\} 1/)
  const config = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/config`)).text()
  for (const text of [metrics, config, log.join('\n')]) {
    assert.doesNotMatch(text, /hunter2|secret|YW5u|\$scrypt/)
  }
})

leakTest(
  'a reload that takes a user out takes what is remembered of him, too; others need not be computed again',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const loaded = (names: readonly (keyof typeof users)[]): LoadedConfig => {
      const basicAuth = { users: Object.fromEntries(names.map((name) => [name, users[name]])) }
      const text = {
        listeners: [{ name: 'test', listen: '127.0.0.1:1' }],
        pools: { default: { backends: [backend.url], health_check: { method: 'none' } } },
        routes: [{ match: '*', pool: 'default', basic_auth: basicAuth }],
        workers: 0,
        state_file: null,
      }
      const one = loadConfig({ text: JSON.stringify(text) })
      return { ...one, config: { ...one.config, listeners: one.config.listeners.map((l) => ({ ...l, port: 0 })) } }
    }
    const running = await startFrontdesk({ loaded: loaded(['ann', 'bob']), log: silentLog, version: '0.0.0-test' })
    scope.defer(async () => {
      running.force()
      await running.stopped
    })
    const client = scope.use(await RawClient.open(running.listeners[0]!.port))
    const status = async (pair: string): Promise<number> =>
      (await client.request(get('/', { Authorization: basic(pair) }))).status
    assert.deepEqual([await status('ann:secret'), await status('bob:bobs')], [200, 200])
    await running.reload(loaded(['bob']))
    assert.deepEqual([await status('ann:secret'), await status('bob:bobs')], [401, 200])
    await running.reload(loaded(['ann', 'bob']))
    assert.deepEqual([await status('ann:secret'), await status('bob:bobs')], [200, 200])
  },
)

// --- another server decides ---

leakTest('2xx lets the request through with what it says of the client; the body comes whole', async (scope) => {
  const auth = await authServer(scope, (_, response) => response.writeHead(200, { 'Remote-User': 'ann' }).end('yes'))
  const options = withRoute({ forward_auth: { url: auth.url, copy_headers: ['Remote-User'] } })
  const { backend, client } = await acting(scope, options)
  const fields = { Cookie: 'session=1', 'Remote-User': 'admin', remote_user: 'admin', 'X-Forwarded-Uri': '/public' }
  const reply = await client.request(post('/%61dmin/x?y=%2f', 'x'.repeat(100_000), fields))
  assert.equal(reply.status, 200)
  const [seen] = backend.requests
  assert.equal(seen?.target, '/admin/x?y=%2f')
  assert.equal(seen?.bodyLength, 100_000)
  const said = seen?.fields.filter(([name]) => /^remote.user$/i.test(name))
  assert.deepEqual(
    said?.map(([, value]) => value),
    ['ann'],
  )
  const [asked] = auth.asked
  assert.equal(asked?.method, 'GET')
  assert.equal(asked?.headers['x-forwarded-uri'], '/admin/x?y=%2f', 'what the backend gets')
  assert.equal(asked?.headers['x-forwarded-method'], 'POST')
  assert.equal(asked?.headers['x-forwarded-host'], 't.example')
  assert.equal(asked?.headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(asked?.headers['x-request-id'], seenValues(seen, 'x-request-id')[0])
  assert.equal(asked?.headers.cookie, 'session=1')
  assert.equal(asked?.headers['remote-user'], undefined)
  assert.equal(asked?.headers['content-length'], undefined)
})

leakTest('credentials that the server exchanges for others reach it, and no backend', async (scope) => {
  const auth = await authServer(scope, ({ headers }, response) => {
    const isGood = headers.authorization === 'Bearer theirs'
    response.writeHead(200, isGood ? { Authorization: 'Bearer ours' } : {}).end()
  })
  const options = withRoute({ forward_auth: { url: auth.url, copy_headers: ['Authorization'] } })
  const { backend, client } = await acting(scope, options)
  await client.request(get('/', { Authorization: 'Bearer theirs' }))
  await client.request(get('/', { Authorization: 'Bearer forged' }))
  const seen = backend.requests.map((request) => seenValues(request, 'authorization'))
  assert.deepEqual(seen, [['Bearer ours'], []])
})

leakTest('any other answer goes to the client, and the connection goes on', async (scope) => {
  const auth = await authServer(scope, (request, response) => {
    if (request.headers.cookie === 'ok=1') response.writeHead(204).end()
    else response.writeHead(302, { Location: 'https://login.example/', 'Set-Cookie': ['a=1', 'b=2'] }).end('go there')
  })
  const { backend, client } = await acting(scope, withRoute({ forward_auth: auth.url }))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 302)
  assert.equal(fieldValue(reply, 'location'), 'https://login.example/')
  assert.deepEqual(fieldValues(reply, 'set-cookie'), ['a=1', 'b=2'])
  assert.equal(reply.body.toString(), 'go there')
  assert.equal(fieldValue(reply, 'proxy-status'), undefined, 'it is no failure of ours')
  assert.equal(backend.started, 0)
  assert.equal((await client.request(get('/', { Cookie: 'ok=1' }))).status, 200)
})

leakTest('a server that cannot be asked is 503 with the reason, and the backend is not asked', async (scope) => {
  const url = `http://127.0.0.1:${await refusingPort()}/`
  const { backend, client } = await acting(scope, withRoute({ forward_auth: url }))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 503)
  assert.match(fieldValue(reply, 'proxy-status') ?? '', /^frontdesk; error=\w+; details="ECONNREFUSED"$/)
  assert.notEqual(fieldValue(reply, 'retry-after'), undefined)
  assert.equal(backend.started, 0)
})

leakTest('a client that leaves takes its question along', async (scope) => {
  let closed = 0
  const auth = await authServer(scope, (request) => request.on('close', () => closed++))
  const { backend, client, proxy } = await acting(scope, withRoute({ forward_auth: auth.url }))
  client.write(get('/'))
  await until('it is asked', () => auth.asked.length === 1)
  client.reset()
  await until('the question is withdrawn', () => closed === 1)
  assert.equal(backend.started, 0)
  assert.deepEqual(Object.values(proxy.active()), [0])
})

leakTest('a server that leads back to the route that asks it is found out', async (scope) => {
  let port = 0
  const auth = await authServer(scope, ({ headers }, response) => {
    const again = request({ port, host: '127.0.0.1', agent: false, headers: { via: headers.via } }, (answer) => {
      response.writeHead(answer.statusCode ?? 0)
      answer.pipe(response)
    })
    again.end()
  })
  const { backend, client, proxy } = await acting(scope, withRoute({ forward_auth: auth.url }))
  port = proxy.port
  assert.equal((await client.request(get('/'))).status, 508)
  assert.equal(auth.asked.length, 1)
  assert.equal(backend.started, 0)
})

// --- pages of other origins ---

const shared = { origins: ['https://*.example.com'], credentials: true }
const asPage = { Origin: 'https://app.example.com' }

leakTest('a preflight needs no password and reaches no backend', async (scope) => {
  const { backend, client } = await acting(scope, withRoute({ cors: shared, basic_auth: { users } }))
  const fields = { ...asPage, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'x-a' }
  const preflight = get('/a', fields).replace('GET', 'OPTIONS')
  const reply = await client.request(preflight, 'OPTIONS')
  assert.equal(reply.status, 204)
  assert.equal(fieldValue(reply, 'access-control-allow-origin'), 'https://app.example.com')
  assert.equal(fieldValue(reply, 'access-control-allow-credentials'), 'true')
  assert.equal(fieldValue(reply, 'access-control-allow-headers'), 'x-a')
  assert.equal(backend.started, 0)
})

leakTest('answers of backends and our own say which origin may read them, and nobody else', async (scope) => {
  const { client } = await acting(scope, withRoute({ cors: shared, basic_auth: { users } }))
  const refused = await client.request(get('/', asPage))
  assert.equal(refused.status, 401)
  assert.deepEqual(fieldValues(refused, 'access-control-allow-origin'), ['https://app.example.com'])
  const authorized = { Authorization: basic('ann:secret'), 'x-act-header': 'Access-Control-Allow-Origin=*' }
  const passed = await client.request(get('/', { ...asPage, ...authorized }))
  assert.equal(passed.status, 200)
  assert.deepEqual(fieldValues(passed, 'access-control-allow-origin'), ['https://app.example.com'])
  assert.deepEqual(fieldValues(passed, 'vary'), ['Origin'])
  const other = await client.request(get('/', { Origin: 'https://evil-example.com', ...authorized }))
  assert.deepEqual(fieldValues(other, 'access-control-allow-origin'), [])
  assert.deepEqual(fieldValues(other, 'vary'), ['Origin'])
  const broken = await client.request(get('/', { ...asPage, ...authorized, 'x-act-reset': '1' }))
  assert.equal(broken.status, 502)
  assert.deepEqual(fieldValues(broken, 'access-control-allow-origin'), ['https://app.example.com'])
})

// --- together ---

leakTest('who has a password is still asked about, and both names reach the backend', async (scope) => {
  const auth = await authServer(scope, (_, response) => response.writeHead(200, { 'X-Role': 'editor' }).end())
  const options = withRoute({
    basic_auth: { users, user_header: 'X-User' },
    forward_auth: { url: auth.url, copy_headers: ['X-Role'] },
  })
  const { backend, client } = await acting(scope, options)
  assert.equal((await client.request(get('/', { 'X-User': 'admin' }))).status, 401)
  assert.equal(auth.asked.length, 0, 'passwords come first')
  const fields = { Authorization: basic('ann:secret'), 'X-User': 'admin', 'X-Role': 'admin' }
  assert.equal((await client.request(get('/', fields))).status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'x-user'), ['ann'])
  assert.deepEqual(seenValues(backend.requests[0], 'x-role'), ['editor'])
  assert.equal(auth.asked[0]?.headers['x-role'], undefined)
  assert.notEqual(auth.asked[0]?.headers['x-user'], 'admin', 'what basic_auth removed is not told to it either')
})

leakTest('limits come before passwords: whoever guesses is slowed down, and a page may read that', async (scope) => {
  const limit = { key: 'ip', rate: '1/m', burst: 2 }
  const { backend, client } = await acting(scope, withRoute({ rate_limit: limit, basic_auth: { users }, cors: shared }))
  const statuses: number[] = []
  for (const pair of ['ann:a', 'ann:b', 'ann:secret']) {
    const reply = await client.request(get('/', { ...asPage, Authorization: basic(pair) }))
    assert.equal(fieldValue(reply, 'access-control-allow-origin'), 'https://app.example.com')
    statuses.push(reply.status)
  }
  assert.deepEqual(statuses, [401, 401, 429])
  assert.equal(backend.started, 0)
})

leakTest('networks come before everything, a preflight too', async (scope) => {
  const { backend, client } = await acting(
    scope,
    withRoute({ deny: '127.0.0.0/8', basic_auth: { users }, cors: shared }),
  )
  const preflight = get('/', { ...asPage, 'Access-Control-Request-Method': 'PUT' }).replace('GET', 'OPTIONS')
  assert.equal((await client.request(preflight, 'OPTIONS')).status, 403)
  const claims = { Authorization: basic('ann:secret'), 'X-Forwarded-For': '192.0.2.1' }
  assert.equal((await client.request(get('/', claims))).status, 403)
  assert.equal(backend.started, 0)
})
