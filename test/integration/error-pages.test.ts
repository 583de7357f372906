// Error pages through a real data plane: errors of our own and of backends in the words of the route.
import assert from 'node:assert/strict'
import type { ErrorPageSpec, RouteSpec, TemplateSpec } from '../../src/core/route-spec.ts'
import { routeSpec } from '../support/control-kit.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { middlewares, type RouteStand, routed, use } from '../support/route-stand.ts'
import { until } from '../support/wait.ts'

const variable = (name: string): TemplateSpec[number] => ({ name })

const page = (from: number, to: number, over: Partial<ErrorPageSpec> = {}): ErrorPageSpec => ({
  from,
  to,
  intercept: false,
  contentType: 'text/html; charset=utf-8',
  body: ['<h1>', variable('status'), '</h1>', variable('request.uri')],
  ...over,
})

async function paged(
  scope: Scope,
  errorPages: readonly ErrorPageSpec[],
  over: Partial<RouteSpec> = {},
  options: Parameters<typeof routed>[2] = {},
): Promise<RouteStand> {
  const stand = await routed(scope, [routeSpec({}, { errorPages, ...over })], options)
  scope.defer(() => until('no place is taken', () => stand.plane.state.active(slotOf(stand)) === 0))
  return stand
}

const slotOf = ({ plane }: RouteStand): number => plane.snapshot.pools[0]!.backends[0]!.slot

leakTest('an error of our own is told by the first page for it; its fields stay', async (scope) => {
  const pages = [page(503, 503, { body: ['gone'], contentType: 'text/plain' }), page(400, 599)]
  const stand = await paged(scope, pages, { bodySize: 10 })
  const large = await (await stand.open()).request(post('/a?<b>', 'x'.repeat(11)))
  assert.equal(large.status, 413)
  assert.equal(fieldValue(large, 'content-type'), 'text/html; charset=utf-8')
  assert.equal(large.body.toString(), '<h1>413</h1>/a?&lt;b&gt;')
  assert.match(fieldValue(large, 'proxy-status') ?? '', /http_request_error/)
  await stand.backend().close()
  const gone = await stand.client.request(get('/'))
  assert.equal(gone.status, 503)
  assert.equal(gone.body.toString(), 'gone')
  assert.deepEqual(fieldValues(gone, 'content-type'), ['text/plain'])
  assert.equal(fieldValue(gone, 'cache-control'), 'no-store')
  assert.equal(fieldValue(gone, 'retry-after'), '1')
  const head = await stand.client.request(get('/').replace('GET', 'HEAD'), 'HEAD')
  assert.equal(fieldValue(head, 'content-length'), '4')
})

leakTest(
  'answers of backends are replaced only where a page says so, and their connection serves on',
  async (scope) => {
    const stand = await paged(scope, [page(404, 404), page(500, 599, { intercept: true })])
    const ask = (status: number, more = {}) =>
      stand.client.request(get('/x', { 'X-Act-Status': status, 'X-Act-Body': 'theirs', ...more }))
    assert.equal((await ask(404)).body.toString(), 'theirs')
    assert.equal((await ask(200)).body.toString(), 'theirs')
    const replaced = await ask(502, { 'X-Act-Header': 'ETag="1"' })
    assert.equal(replaced.status, 502)
    assert.equal(replaced.body.toString(), '<h1>502</h1>/x')
    assert.equal(fieldValue(replaced, 'x-backend'), 'default')
    assert.equal(fieldValue(replaced, 'etag'), undefined)
    assert.equal(fieldValues(replaced, 'date').length, 1)
    assert.equal(fieldValue(replaced, 'proxy-status'), undefined)
    assert.equal(fieldValue(await ask(500, { 'X-Act-Header': 'Retry-After=7' }), 'retry-after'), '7')
    assert.equal(stand.backend().connections, 1)
    const totals = stand.plane.state.backendTotals(slotOf(stand))
    assert.deepEqual(totals.requests.slice(2), [1, 0, 1, 2])
  },
)

leakTest('a body that is dropped: read where it is short, cut where it is long, never waited for', async (scope) => {
  const stand = await paged(scope, [page(500, 500, { intercept: true })])
  const ask = (fields: Record<string, string | number>) =>
    stand.client.request(get('/', { 'X-Act-Status': 500, ...fields }))
  for (const fields of [{ 'X-Act-Size': 200_000 }, { 'X-Act-Size': 100_000, 'X-Act-Chunks': 30 }]) {
    assert.equal((await ask(fields)).body.toString(), '<h1>500</h1>/')
    await until('it has been read', () => stand.plane.state.active(slotOf(stand)) === 0)
  }
  assert.equal(stand.backend().connections, 1)
  assert.equal(stand.backend().aborted, 0)
  for (const fields of [{ 'X-Act-Size': 500_000_000 }, { 'X-Act-Size': 50_000_000, 'X-Act-Chunks': 1000 }]) {
    assert.equal((await ask(fields)).body.toString(), '<h1>500</h1>/')
    await until('it is cut', () => stand.plane.state.active(slotOf(stand)) === 0)
  }
  assert.equal((await ask({ 'X-Act-Until-Close': 1 })).status, 500)
  assert.equal((await ask({})).status, 500)
})

leakTest('a place is held as long as its answer is being read', async (scope) => {
  const stand = await paged(scope, [page(500, 500, { intercept: true })])
  const fields = { 'X-Act-Status': 500, 'X-Act-Size': 100_000, 'X-Act-Chunks': 2, 'X-Act-Cut': 50_000 }
  assert.equal((await stand.client.request(get('/', fields))).body.toString(), '<h1>500</h1>/')
  await until('the place is given back', () => stand.plane.state.active(slotOf(stand)) === 0)
  assert.equal((await stand.client.request(get('/'))).status, 200)
})

leakTest('a backend that answers with an error before it has read the request', async (scope) => {
  const stand = await paged(scope, [page(400, 599, { intercept: true })], {}, { implicit: '' })
  const client = await stand.open()
  // The body never comes: the error of the backend does not wait for it.
  client.write(post('/', 'x', { 'X-Act-Status': 200 }, 100))
  await until('it is asked', () => stand.backend().started === 1)
  stand.backend().resetAll()
  const reply = await client.reply()
  assert.equal(reply.status, 502)
  assert.equal(reply.body.toString(), '<h1>502</h1>/')
  assert.equal(fieldValue(reply, 'connection'), 'close')
})

leakTest("edits and steps of the route see the page's answer, too", async (scope) => {
  const seen: string[] = []
  const plugins = middlewares({
    look: { onResponse: (response) => void seen.push(`${response.status} ${response.header('content-type')}`) },
  })
  const over = { responseHeaders: { remove: [], set: [{ name: 'X-Env', value: ['e'] }], add: [] }, ...use('look') }
  const stand = await paged(scope, [page(500, 500, { intercept: true })], over, { plugins })
  const reply = await stand.client.request(get('/', { 'X-Act-Status': 500 }))
  assert.equal(fieldValue(reply, 'x-env'), 'e')
  assert.deepEqual(seen, ['500 text/html; charset=utf-8'])
})

leakTest('retries on a status come before the page', async (scope) => {
  const retries = { attempts: 1, onStatus: [503] }
  const stand = await paged(scope, [page(503, 503, { intercept: true })], { retries })
  assert.equal((await stand.client.request(get('/', { 'X-Act-Status': 503 }))).body.toString(), '<h1>503</h1>/')
})
