// The access log: one line a request, whatever became of it, with fields that are true and cannot be forged.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startActingBackend } from '../support/acting-backend.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answerChunked, chunk, get, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { type BackendEntry, type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { fin, request, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

type Line = Record<string, string | number>

/** A proxy that logs to a file; `lines` waits for as many as there should be, and for no more. */
async function logging(
  scope: Scope,
  format: 'json' | 'combined' | NonNullable<ProxyOptions['config']>,
  backends: readonly BackendEntry[],
  options: ProxyOptions = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-access-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const file = join(folder, 'access.log')
  const access = typeof format === 'string' ? { format, file } : { ...format, file }
  const config = { logging: { access }, ...options.config }
  const proxy = scope.use(await startProxy(backends, { ...options, config }))
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(proxy.port))
  const lines = async (count: number, path = file): Promise<string[]> => {
    const giveUpAt = performance.now() + 5000
    let text = ''
    while (text.split('\n').length <= count && performance.now() < giveUpAt) {
      text = await readFile(path, 'utf8').catch(() => '')
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(text.split('\n').length - 1, count, `lines in ${JSON.stringify(text)}`)
    return text.split('\n').slice(0, -1)
  }
  const records = async (count: number): Promise<Line[]> => (await lines(count)).map((line) => JSON.parse(line) as Line)
  return { proxy, file, open, lines, records }
}

leakTest('json: a request with everything that can be known of it', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, records } = await logging(scope, 'json', [backend.url])
  const client = await open()
  const before = Date.now()
  const fields = { Host: 'shop.example', 'User-Agent': 'test/1', Referer: 'http://from.example/', 'X-Act-Size': 5000 }
  await client.request(post('/path?q=1', 'hello', { ...fields, 'X-Act-Delay': 30 }), 'POST')
  const [line] = await records(1)
  assert.ok(Date.parse(String(line!.time)) >= before - 1 && Date.parse(String(line!.time)) <= Date.now())
  assert.ok(Number(line!.duration_ms) >= 25 && Number(line!.duration_ms) < 5000, String(line!.duration_ms))
  assert.ok(Number(line!.first_byte_ms) >= 25 && Number(line!.first_byte_ms) <= Number(line!.duration_ms))
  // A first request waits for no kept connection: what its backend is asked by has to be made.
  assert.ok(Number(line!.connect_ms) > 0 && Number(line!.connect_ms) < Number(line!.duration_ms))
  assert.ok(Number(line!.queue_ms) >= 0 && Number(line!.queue_ms) < Number(line!.duration_ms) - 25)
  const { time: _, duration_ms: __, first_byte_ms: ___, connect_ms: ____, queue_ms: _____, ...rest } = line!
  assert.deepEqual(rest, {
    listener: 'test',
    client: '127.0.0.1',
    method: 'POST',
    host: 'shop.example',
    target: '/path?q=1',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes_received: 5,
    bytes_sent: 5000,
    route: 'default',
    pool: 'default',
    backend: backend.url,
    attempts: 1,
    error: '',
    request_id: seenValues(backend.requests[0], 'x-request-id')[0]!,
    user_agent: 'test/1',
    referer: 'http://from.example/',
  })
})

leakTest('json: sizes are those of bodies, whatever their framing', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, records } = await logging(scope, 'json', [backend.url])
  const client = await open()
  await client.request(
    `${postChunked('/', { 'X-Act-Size': 100_000, 'X-Act-Chunks': 9 })}${chunk('abc')}${chunk('de')}0\r\n\r\n`,
    'POST',
  )
  await client.request(get('/', { 'X-Act-Size': 77 }).replace('GET', 'HEAD'), 'HEAD')
  await client.request(get('/', { 'X-Act-Status': 204 }))
  assert.deepEqual(
    (await records(3)).map(({ bytes_received, bytes_sent, status }) => [bytes_received, bytes_sent, status]),
    [
      [5, 100_000, 200],
      [0, 0, 200],
      [0, 0, 204],
    ],
  )
})

leakTest('json: retries are counted, and the last backend named', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const refusing = `http://127.0.0.1:${await refusingPort()}`
  const { open, records } = await logging(scope, 'json', [refusing, backend.url], { pool: { strategy: 'first' } })
  await (await open()).request(get('/'))
  const [line] = await records(1)
  assert.deepEqual([line!.attempts, line!.backend, line!.status, line!.error], [2, backend.url, 200, ''])
})

leakTest('json: what went wrong is named', async (scope) => {
  const refusing = `http://127.0.0.1:${await refusingPort()}`
  const { open, records } = await logging(scope, 'json', [refusing])
  const reply = await (await open()).request(get('/'))
  const [line] = await records(1)
  assert.deepEqual([line!.status, line!.error, line!.attempts], [503, 'connect_refused', 1])
  assert.equal(line!.request_id, fieldValue(reply, 'x-request-id'))
  assert.equal(line!.bytes_sent, reply.body.length)
})

leakTest('json: a client that leaves is a 499, and a cut answer keeps its status', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, records } = await logging(scope, 'json', [backend.url])
  const leaving = await open()
  leaving.write(get('/', { 'X-Act-Hold': 'for ever' }))
  await until('the request is at the backend', () => backend.active === 1)
  leaving.reset()
  assert.deepEqual(
    (await records(1)).map(({ status, error }) => [status, error]),
    [[499, 'client_gone']],
  )
  const broken = scope.use(await startScriptedBackend([[request(), write(answerChunked() + chunk('half')), fin()]]))
  const other = await logging(scope, 'json', [broken.url])
  await (await other.open()).write(get('/')).read()
  assert.deepEqual(
    (await other.records(1)).map(({ status, error }) => [status, error]),
    [[200, 'reset_in_answer']],
  )
})

leakTest('json: a request that was refused has its line, too', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, records } = await logging(scope, 'json', [backend.url])
  for (const bytes of ['nonsense\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', get(`/${'x'.repeat(9000)}`)]) {
    await (await open()).request(bytes)
  }
  assert.deepEqual(
    (await records(3)).map(({ status, error, client, listener }) => [status, error, client, listener]),
    [
      [400, 'bad_request_line', '127.0.0.1', 'test'],
      [400, 'bad_host', '127.0.0.1', 'test'],
      [414, 'target_too_long', '127.0.0.1', 'test'],
    ],
  )
})

leakTest(
  'json: every request of a pipeline and of many connections has exactly one line, also with workers',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const { open, records } = await logging(scope, 'json', [backend.url], { workers: 2 })
    const clients = await Promise.all(Array.from({ length: 8 }, open))
    await Promise.all(
      clients.map(async (client, c) => {
        client.write(Array.from({ length: 50 }, (_, i) => get(`/${c}/${i}`)).join(''))
        for (let i = 0; i < 50; i++) await client.reply()
      }),
    )
    const targets = (await records(400)).map(({ target }) => target)
    assert.equal(new Set(targets).size, 400)
  },
)

/** Values that try to end a string, a line, or to speak to a terminal. */
const hostile = ['"}\\', 'a","status":200,"x":"', '\\x22\\', 'tab\there', '\xe4\xf6\xfc', '\x9b31mred', '\x85next']

leakTest('json: hostile values stay within their string', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, lines } = await logging(scope, 'json', [backend.url])
  const client = await open()
  for (const value of hostile) {
    const target = '/"\\\'<>{}'
    assert.equal(
      (await client.request(get(target, { 'User-Agent': value, Referer: value, Cookie: value }))).status,
      200,
    )
  }
  for (const [i, line] of (await lines(hostile.length)).entries()) {
    const record = JSON.parse(line) as Line
    assert.deepEqual([record.user_agent, record.referer, record.status], [hostile[i], hostile[i], 200])
    assert.equal(record.target, '/"\\\'<>{}')
    assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/)
  }
})

const COMBINED =
  /^(\S+) - - \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$/

leakTest('combined: the format that every tool reads', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, lines } = await logging(scope, 'combined', [backend.url])
  const client = await open()
  await client.request(get('/x?y', { 'User-Agent': 'test/1', Referer: 'http://r/', 'X-Act-Size': 12 }))
  await client.request('GET /old HTTP/1.0\r\n\r\n')
  const [first, second] = (await lines(2)).map((line) => COMBINED.exec(line)?.slice(1) ?? assert.fail(line))
  assert.deepEqual(
    [first![0], ...first!.slice(2)],
    ['127.0.0.1', 'GET /x?y HTTP/1.1', '200', '12', 'http://r/', 'test/1'],
  )
  assert.deepEqual(second!.slice(2), ['GET /old HTTP/1.0', '200', '8', '-', '-'])
  const at = Date.parse(first![1]!.replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 '))
  assert.ok(Math.abs(at - Date.now()) < 10_000, first![1])
})

leakTest('combined: hostile values stay within their quotes', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, lines } = await logging(scope, 'combined', [backend.url])
  const client = await open()
  for (const value of hostile) await client.request(get('/"quote"', { 'User-Agent': value }))
  await (await open()).request('nonsense" "-" 200\r\n\r\n')
  for (const line of await lines(hostile.length + 1)) {
    assert.match(line, COMBINED)
    assert.doesNotMatch(line, /[^\x20-\x7e]/)
  }
})

leakTest('after a rotation the next line goes to a new file', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { proxy, file, open, lines } = await logging(scope, 'json', [backend.url])
  const client = await open()
  await client.request(get('/1'))
  await lines(1)
  await rename(file, `${file}.1`)
  proxy.running.reopenLogs()
  await client.request(get('/2'))
  assert.match((await lines(1))[0]!, /"target":"\/2"/)
  assert.match((await lines(1, `${file}.1`))[0]!, /"target":"\/1"/)
})

leakTest('json: a kept connection has no time of connecting; an answer of our own asked nobody', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const routes = [
    { name: 'api', match: { path: '/api' }, pool: 'default' },
    { name: 'fixed', match: { path: '/fixed' }, respond: { status: 200, body: 'here' } },
  ]
  const { open, records } = await logging(scope, 'json', [backend.url], { config: { routes } })
  const client = await open()
  for (const path of ['/api', '/api', '/fixed']) await client.request(get(path))
  const [first, second, own] = await records(3)
  assert.ok(Number(first!.connect_ms) > 0 && Number(second!.queue_ms) >= 0)
  assert.deepEqual([second!.connect_ms, second!.attempts], [null, 1])
  assert.deepEqual([own!.connect_ms, own!.queue_ms, own!.first_byte_ms, own!.attempts], [null, null, null, 0])
})

leakTest('json: time in steps is time in the queue, not at the backend', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const guard = scope.use(await startActingBackend())
  const url = `${guard.url}/`
  const routes = [{ name: 'all', match: '*', pool: 'default', forward_auth: { url, request_headers: ['x-act-delay'] } }]
  const { open, records } = await logging(scope, 'json', [backend.url], { config: { routes } })
  await (await open()).request(get('/', { 'X-Act-Delay': 40 }))
  const [line] = await records(1)
  assert.ok(Number(line!.queue_ms) >= 35, String(line!.queue_ms))
  assert.ok(Number(line!.duration_ms) >= Number(line!.queue_ms) + 35, String(line!.duration_ms))
})

leakTest('json: a trace is named, secrets in queries are not, and a client that goes says so', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { open, records } = await logging(scope, { fields: ['target', 'referer', 'trace_id', 'client_gone'] }, [
    backend.url,
  ])
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const client = await open()
  const referer = 'http://a/?Access-Token=abc#token=def'
  await client.request(
    get('/a?%74oken=abc&x=1', { Referer: referer, traceparent: `00-${traceId}-00f067aa0ba902b7-01` }),
  )
  client.write(get('/b', { 'X-Act-Hold': 'for ever', traceparent: 'nonsense' }))
  await until('the request is at the backend', () => backend.active === 1)
  client.reset()
  const [first, second] = (await records(2)).map(({ time: _, ...rest }) => rest)
  assert.deepEqual(first, {
    target: '/a?%74oken=***&x=1',
    referer: 'http://a/?Access-Token=***#token=***',
    trace_id: traceId,
  })
  assert.deepEqual(second, { target: '/b', client_gone: true, referer: '' })
})

leakTest('a sample has whatever failed; paths and routes that are left out have nothing', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const routes = [
    { name: 'quiet', match: { path: '/quiet' }, pool: 'default', access_log: false },
    { name: 'rest', match: '*', pool: 'default' },
  ]
  const options = { config: { routes } }
  const { open, lines } = await logging(
    scope,
    { template: '{request.path} {status}', sample: '0%' },
    [backend.url],
    options,
  )
  const client = await open()
  for (let i = 0; i < 20; i++) await client.request(get('/well'))
  await client.request(get('/quiet', { 'X-Act-Status': 500 }))
  await client.request(get('/ill', { 'X-Act-Status': 500 }))
  assert.deepEqual(await lines(1), ['/ill 500'])
  const other = await logging(scope, { template: '{request.path}', skip: ['/healthz', '/a/*'] }, [backend.url], options)
  const second = await other.open()
  for (const path of ['/healthz', '/a/b', '/quiet', '/seen']) await second.request(get(path))
  assert.deepEqual(await other.lines(1), ['/seen'])
})

leakTest('template: hostile values stay within their place, whatever they are', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const template = '"{header.user-agent}" "{cookie.x}" "{query.q}" "{header.x-long}" end'
  const redact = { defaults: false }
  const { open, lines } = await logging(scope, { template, redact }, [backend.url])
  const client = await open()
  for (const value of hostile) {
    await client.request(get('/?q="x', { 'User-Agent': value, Cookie: `x=${value}`, 'X-Long': value }))
  }
  for (const line of await lines(hostile.length)) {
    assert.match(line, /^"[^"]*" "[^"]*" "[^"]*" "[^"]*" end$/)
    assert.match(line, /^[\x20-\x7e]*$/)
  }
})

leakTest('nothing is lost at a stop', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const { proxy, open, lines } = await logging(scope, 'json', [backend.url])
  const client = await open()
  for (let i = 0; i < 5; i++) await client.request(get(`/${i}`))
  proxy.running.drain()
  assert.equal(await proxy.running.stopped, 'drained')
  await lines(5)
})
