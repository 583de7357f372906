// One memory for all workers: what one has stored the others serve; it outlives workers, and changes of other settings.
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CacheStand, cacheStand, type Got, read } from '../support/cache-stand.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

const asked = { by: 'test', cause: 'test' }
const storable = (_: IncomingMessage, response: ServerResponse): void => {
  response.setHeader('Cache-Control', 'max-age=600')
  response.setHeader('Cache-Tag', 'one two')
  response.end('stored')
}

async function stand(scope: Scope, workers: number, cache: unknown = true, config: object = {}) {
  const threads = scope.use(new Threads())
  const log = new MemoryLog()
  // A change says where it listens: on a port that is known.
  const listeners = [{ name: 'test', listen: `127.0.0.1:${await refusingPort()}`, pool: 'default' }]
  const made = await cacheStand(cache, { workers, log, ownPorts: true, config: { listeners, ...config } as never })
  scope.defer(() => made[Symbol.asyncDispose]())
  made.answer(storable)
  const { running } = made.proxy
  const patch = (change: object) => running.configuration.patch(change as never, asked)
  const states = (): string =>
    running
      .status()
      .workers.map(({ state, main }) => (main === true ? `main ${state}` : state))
      .sort()
      .join(' ')
  return { made, running, patch, states, threads, log }
}

/** On so many connections of their own that every worker gets some of them. */
async function everywhere({ proxy }: CacheStand, path: string, times = 16): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: times }, () => ask(proxy.port, { path })))
  for (const { status, error } of answers) assert.equal(status, 200, error)
  return answers.map(({ headers }) => String(headers['cache-status'] ?? ''))
}

async function allHit(made: CacheStand, path: string): Promise<void> {
  const before = made.askedFor(path)
  for (const line of await everywhere(made, path)) assert.match(line, /; hit/)
  assert.equal(made.askedFor(path), before, 'nobody asked the origin')
}

leakTest('stored by one worker, served by all; it stays over every change of other settings', async (scope) => {
  const { made, patch } = await stand(scope, 2)
  await made.get('/a')
  await allHit(made, '/a')
  await patch({ limits: { body_size: '1MB' } })
  await allHit(made, '/a')
  await patch({ cache: { stale_if_error: '1m' } })
  await allHit(made, '/a')
  assert.equal(made.askedFor('/a'), 1)
})

leakTest('more and fewer workers, and none: all find what is stored', async (scope) => {
  const { made, patch, states } = await stand(scope, 1)
  await made.get('/a')
  await patch({ workers: 3 })
  await allHit(made, '/a')
  await patch({ workers: 0 })
  await allHit(made, '/a')
  assert.match(states(), /main running/)
  await made.get('/b')
  await patch({ workers: 2 })
  await allHit(made, '/b')
  await allHit(made, '/a')
})

leakTest('a worker dies: what it has stored is still there, its successor and the others serve it', async (scope) => {
  const { made, threads, log } = await stand(scope, 2)
  await made.get('/a')
  for (const thread of [...threads.started]) {
    const restarts = log.named('worker_restarted').length
    await threads.kill(thread)
    await log.waitFor('worker_restarted', restarts + 1)
    await allHit(made, '/a')
  }
  assert.equal(made.askedFor('/a'), 1)
  assert.equal(made.proxy.running.cacheStore!.totals().filling, 0)
})

leakTest(
  'a worker dies while an answer comes in: whoever follows is served, and the room is given back',
  async (scope) => {
    const { made, threads, log } = await stand(scope, 2)
    let open: ServerResponse | null = null
    made.answer((_, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=600', 'content-length': '100000' })
      response.write(Buffer.alloc(50_000, 'a'))
      open = response
    })
    const leader = await made.open('/big')
    leader.on('error', () => undefined)
    leader.resume()
    await made.untilAsked(1)
    const store = made.proxy.running.cacheStore!
    await until('it comes in', () => store.totals().filling === 1)
    made.answer(storable)
    for (const thread of [...threads.started]) {
      const restarts = log.named('worker_restarted').length
      await threads.kill(thread)
      await log.waitFor('worker_restarted', restarts + 1)
    }
    ;(open as ServerResponse | null)?.destroy()
    await until('nothing comes in any more', () => store.totals().filling === 0)
    assert.equal((await made.get('/big')).text, 'stored')
    await allHit(made, '/big')
  },
)

leakTest('another size is another memory, empty at first; requests under way end as they began', async (scope) => {
  const { made, patch, running } = await stand(scope, 2)
  await made.get('/a')
  const first = running.cacheStore!
  let rest: (() => void) | null = null
  made.answer((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600', 'content-length': '40000' })
    response.write(Buffer.alloc(20_000, 'x'))
    rest = () => response.end(Buffer.alloc(20_000, 'y'))
  })
  const slow = await made.open('/slow')
  await patch({ cache_store: { memory: '64MB' } })
  assert.notEqual(running.cacheStore, first)
  assert.equal(running.cacheStore!.totals().entries, 0)
  made.answer(storable)
  for (const line of (await everywhere(made, '/a')).slice(-1)) assert.match(line, /frontdesk/)
  await allHit(made, '/a')
  assert.equal(made.askedFor('/a'), 2)
  rest!()
  const got: Got = await read(slow)
  assert.equal(got.body.length, 40_000)
  assert.equal(running.cacheStore!.totals().entries, 1, 'what began before is not in the new memory')
})

leakTest('turned on and off while it runs', async (scope) => {
  const { made, patch, running } = await stand(scope, 2, false)
  assert.deepEqual(await everywhere(made, '/a', 4), ['', '', '', ''])
  assert.equal(running.cacheStore, null)
  await patch({ cache: true })
  await made.get('/a')
  await allHit(made, '/a')
  await patch({ cache: false })
  assert.deepEqual(await everywhere(made, '/a', 4), ['', '', '', ''])
  assert.equal(running.cacheStore, null)
  await patch({ cache: true })
  assert.equal(running.cacheStore!.totals().entries, 0)
  assert.equal((await running.cache.stats()).enabled, true)
})

leakTest('a change that is refused leaves the memory as it is', async (scope) => {
  const { made, patch, running } = await stand(scope, 2)
  await made.get('/a')
  const store = running.cacheStore
  await assert.rejects(
    patch({
      cache_store: { memory: '64MB' },
      listeners: [{ name: 'test', listen: '192.0.2.1:8080', pool: 'default' }],
    }),
  )
  assert.equal(running.cacheStore, store)
  await allHit(made, '/a')
})
