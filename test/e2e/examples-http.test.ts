// The examples that pass on HTTP requests, run as their pages say and asked by real clients.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { copyExample, demoBackends, Example, examples } from '../support/example.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { type Answered, ask } from '../support/load.ts'
import { until } from '../support/wait.ts'
import { CliProcess } from './cli-process.ts'

const backendOf = ({ headers }: Answered): unknown => headers['x-backend']
/** What a demo backend says that it got. */
const received = ({ body }: Answered): { path: string; headers: Record<string, string> } => JSON.parse(body)

leakTest('three-lines: each backend in turn', async (scope) => {
  const code = readFileSync(join(examples, 'three-lines/proxy.ts'), 'utf8')
  assert.equal(code.split('\n').filter((line) => line !== '').length, 3)
  const [first, second] = await demoBackends(scope, 'a', 'b')
  // Three lines have no place for variables.
  const program = code
    .replace('8080', '0')
    .replace('http://localhost:8082', first!)
    .replace('http://localhost:8083', second!)
  const script = '--input-type=module-typescript'
  const child = new CliProcess(scope.t, ['--eval', `${program}\nconsole.log(proxy.listeners[0].port)`], { script })
  const port = Number((await child.says(/^\d+$/m))[0])
  const names: unknown[] = []
  for (let i = 0; i < 4; i++) names.push(backendOf(await ask(port)))
  assert.deepEqual(names, ['a', 'b', 'a', 'b'])
  child.signal('SIGTERM')
  assert.deepEqual(await child.ended(), { code: null, signal: 'SIGTERM', stdout: `${port}\n`, stderr: '' })
})

leakTest('canary: five in a hundred, exactly; all of them with X-Canary', async (scope) => {
  const [stable, canary] = await demoBackends(scope, 'stable', 'canary')
  const { port } = await Example.run(scope, {
    dir: copyExample(scope, 'canary'),
    file: 'config.jsonc',
    env: { STABLE: stable!, CANARY: canary! },
  })
  const answers: Answered[] = []
  for (let i = 0; i < 40; i++) answers.push(...(await Promise.all(Array.from({ length: 10 }, () => ask(port)))))
  const count = (name: string): number => answers.filter((answer) => backendOf(answer) === name).length
  assert.deepEqual([count('stable'), count('canary')], [380, 20])
  for (const answer of answers) assert.equal(answer.headers['x-version'], backendOf(answer))
  const asked = await Promise.all(Array.from({ length: 20 }, () => ask(port, { headers: { 'X-Canary': '1' } })))
  assert.deepEqual([...new Set(asked.map(backendOf))], ['canary'])
})

async function gateway(scope: Scope): Promise<Example> {
  const [catalogue, orders] = await demoBackends(scope, 'catalogue', 'orders')
  return Example.run(scope, {
    dir: copyExample(scope, 'api-gateway'),
    file: 'config.jsonc',
    env: { CATALOGUE: catalogue!, ORDERS: orders! },
  })
}

const page = ({ headers, body }: Answered): { error: string; request: string; type: unknown } => ({
  ...(JSON.parse(body) as { error: string; request: string }),
  type: headers['content-type'],
})

leakTest('api-gateway: orders want a password, and the backend hears whose it was', async (scope) => {
  const { port } = await gateway(scope)
  const password = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })

  const stranger = await ask(port, { path: '/orders/7' })
  assert.deepEqual(
    [stranger.status, stranger.headers['www-authenticate']?.startsWith('Basic realm="Orders"')],
    [401, true],
  )
  const { error, request, type } = page(stranger)
  assert.deepEqual([error, /^\w{20,}$/.test(request), type], ['401', true, 'application/json'])
  assert.equal((await ask(port, { path: '/orders/7', headers: password('ann:wrong') })).status, 401)

  const ann = await ask(port, { path: '/orders/7?full', headers: { ...password('ann:secret'), 'X-User': 'root' } })
  assert.deepEqual([ann.status, backendOf(ann), received(ann).path], [200, 'orders', '/7?full'])
  assert.deepEqual([received(ann).headers['x-user'], received(ann).headers.authorization], ['ann', undefined])

  const body = Buffer.alloc(65 * 1024)
  const large = await ask(port, { path: '/orders/', method: 'POST', headers: password('ann:secret'), body })
  assert.deepEqual([large.status, page(large).error], [413, '413'])
})

leakTest('api-gateway: the catalogue is for pages of the shop, and not for the hasty', async (scope) => {
  const { port } = await gateway(scope)
  const preflight = (origin: string): Promise<Answered> => {
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' }
    return ask(port, { path: '/catalogue/', method: 'OPTIONS', headers })
  }
  const allowed = 'access-control-allow-origin'
  const shop = 'https://shop.example.com'
  assert.deepEqual([(await preflight(shop)).status, (await preflight(shop)).headers[allowed]], [204, shop])
  assert.equal((await preflight('https://elsewhere.example.com')).headers[allowed], undefined)

  const startedMs = performance.now()
  const answers: Answered[] = []
  while (answers.length < 50 && answers.at(-1)?.status !== 429)
    answers.push(await ask(port, { path: '/catalogue/books', headers: { Origin: shop } }))
  const [last, good] = [answers.pop()!, answers]
  for (const answer of good)
    assert.deepEqual([answer.status, backendOf(answer), received(answer).path], [200, 'catalogue', '/books'])
  // Three at once, and another each two seconds.
  const regained = Math.floor((performance.now() - startedMs) / 2000)
  assert.ok(good.length >= 3 && good.length <= 3 + regained + 1, `${good.length} passed`)
  assert.deepEqual([last.status, page(last).error, last.headers[allowed]], [429, '429', shop])
  assert.match(String(last.headers['retry-after']), /^[12]$/)
  assert.match(String(last.headers['ratelimit-policy']), /q=/)
})

leakTest('api-gateway: what no route takes gets 404', async (scope) => {
  const { port } = await gateway(scope)
  for (const path of ['/', '/cataloguex', '/orders/../elsewhere'])
    assert.deepEqual([path, (await ask(port, { path })).status], [path, 404])
  assert.equal((await ask(port, { path: '/catalogue/', method: 'DELETE' })).status, 404)
})

/** A server that answers when it is told to. */
async function patientBackend(scope: Scope): Promise<{ url: string; held: ServerResponse[] }> {
  const held: ServerResponse[] = []
  const server = createServer((_, response) => void held.push(response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, held }
}

leakTest('own-strategy: a backend is filled before the next one begins', async (scope) => {
  const backends = [await patientBackend(scope), await patientBackend(scope), await patientBackend(scope)]
  const env = { FRONTDESK_BACKEND: backends.map(({ url }) => url).join(' ') }
  const example = await Example.run(scope, {
    dir: copyExample(scope, 'own-strategy'),
    file: 'frontdesk.config.ts',
    env,
  })
  const held = (): number[] => backends.map((backend) => backend.held.length)
  const askedSoFar: Promise<Answered>[] = []
  const send = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      askedSoFar.push(ask(example.port))
      await until('a backend has it', () => held().reduce((a, b) => a + b) === askedSoFar.length)
    }
  }
  await send(8)
  assert.deepEqual(held(), [8, 0, 0])
  await send(3)
  assert.deepEqual(held(), [8, 3, 0])
  for (const response of backends[0]!.held) response.end()
  await Promise.all(askedSoFar.slice(0, 8))
  while ((await example.active())[0] !== 0);
  await send(1)
  assert.deepEqual(held(), [9, 3, 0])
  for (const { held: waiting } of backends) for (const response of waiting) response.end()
  assert.ok((await Promise.all(askedSoFar)).every(({ status }) => status === 200))
})

leakTest('own-middleware: tenants by their keys, strangers are turned away', async (scope) => {
  const [url] = await demoBackends(scope, 'a')
  const example = await Example.run(scope, {
    dir: copyExample(scope, 'own-middleware'),
    file: 'frontdesk.config.ts',
    env: { FRONTDESK_BACKEND: url! },
  })
  const { port } = example
  for (const headers of [
    {},
    { 'X-API-Key': 'guessed' },
    { 'X-API-Key': 'constructor' },
    { 'X-Tenant': 'ann' },
  ] as const) {
    const stranger = await ask(port, { headers })
    assert.deepEqual(
      [stranger.status, stranger.body, backendOf(stranger)],
      [401, 'an X-API-Key is needed\n', undefined],
    )
  }
  const ann = await ask(port, { path: '/a', headers: { 'X-API-Key': 'key-of-ann', 'X-Tenant': 'ben' } })
  const { headers } = received(ann)
  assert.deepEqual([ann.status, headers['x-tenant'], headers['x-api-key']], [200, 'ann', undefined])
  assert.equal(ann.headers['cache-control'], 'private')
  await example.says(/^ann GET \/a 200 \d+\.\d ms$/m)
  await example.says(/^somebody GET \/ 401 /m)
  assert.equal((await ask(port, { path: '/healthz' })).status, 204)
})
