// The disk behind the cache follows the configuration: over restarts, to another folder, away, and where it cannot be used.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { diskFolder, onDisk, untilDisk, untilOnDisk } from '../support/cache-disk-stand.ts'
import { type CacheStand, cacheStand, read } from '../support/cache-stand.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest } from '../support/leaks.ts'
import { refusingPort } from '../support/ports.ts'
import { until } from '../support/wait.ts'

const asked = { by: 'test', cause: 'test' }

const disk = (path: string, size = '64MB') => ({ disk: { path, size } })

/** The origin's name and port are part of what is stored: one host for all. */
const host = { host: 'example.test' }

async function start(store: object, log = new MemoryLog(), workers = 0): Promise<CacheStand> {
  const listeners = [{ name: 'test', listen: `127.0.0.1:${await refusingPort()}`, pool: 'default' }]
  const config = { listeners, cache_store: store, admin: { listen: `127.0.0.1:${await refusingPort()}` } }
  const made = await cacheStand(true, { workers, log, ownPorts: true, config: config as never })
  made.answer((_, response: ServerResponse) => {
    response.setHeader('Cache-Control', 'max-age=600')
    response.end('stored')
  })
  return made
}

leakTest('what was stored is there after a restart, for every worker', async (scope) => {
  const dir = diskFolder(scope)
  const first = await start(disk(dir))
  await first.get('/a', host)
  await untilOnDisk(first, 1)
  await first[Symbol.asyncDispose]()
  const second = await start(disk(dir), new MemoryLog(), 2)
  scope.defer(() => second[Symbol.asyncDispose]())
  for (let i = 0; i < 8; i++) assert.equal((await second.get('/a', host)).text, 'stored')
  assert.deepEqual(second.asked, [])
  assert.equal((await onDisk(second))?.state, 'ok')
})

leakTest('purged is purged on disk, too, after a restart as before', async (scope) => {
  const dir = diskFolder(scope)
  const first = await start(disk(dir))
  await first.get('/a', host)
  await first.get('/b', host)
  await untilOnDisk(first, 2)
  assert.deepEqual(await first.proxy.running.cache.purge({ url: '*://example.test/a' }), { purged: 1, soft: false })
  await first[Symbol.asyncDispose]()
  const second = await start(disk(dir))
  scope.defer(() => second[Symbol.asyncDispose]())
  await second.get('/b', host)
  await second.get('/a', host)
  assert.deepEqual(second.asked, ['GET /a'])
})

leakTest('another folder, none, and the first again, while it runs', async (scope) => {
  const [one, two] = [diskFolder(scope), diskFolder(scope)]
  const made = await start(disk(one), new MemoryLog(), 2)
  scope.defer(() => made[Symbol.asyncDispose]())
  const { running } = made.proxy
  const patch = (store: object | null) => running.configuration.patch({ cache_store: store } as never, asked)
  await made.get('/a', host)
  await untilOnDisk(made, 1)
  await patch(disk(two))
  assert.equal((await onDisk(made))?.path, two)
  await made.get('/a', host)
  assert.equal(made.askedFor('/a'), 1, 'memory has stayed')
  await patch({ disk: null })
  assert.equal(await onDisk(made), null)
  await patch(disk(one))
  await untilOnDisk(made, 1)
  await patch(disk(one, '80MB'))
  await untilDisk(
    made,
    'it is open again, as large as it is to be',
    (now) => now?.state === 'ok' && now.size === 80 * 2 ** 20,
  )
  await untilOnDisk(made, 1)
  await made.get('/b', host)
  await untilOnDisk(made, 2)
})

leakTest('what began with a memory that is left: purged meanwhile, it does not come back from disk', async (scope) => {
  const made = await start(disk(diskFolder(scope)))
  scope.defer(() => made[Symbol.asyncDispose]())
  const { running } = made.proxy
  const body = 'x'.repeat(100_000)
  let end = (): void => undefined
  made.answer((_, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': body.length })
    response.write(body.slice(1))
    end = () => response.end('x')
    if (made.asked.length > 1) end()
  })
  const first = await made.open('/a', host)
  const before = made.cache
  await running.configuration.patch({ cache_store: { memory: '64MB' } } as never, asked)
  assert.notEqual(made.cache, before)
  await running.cache.purge({ all: true })
  end()
  assert.equal((await read(first)).body.length, body.length)
  await until('it is stored where it began', () => before.totals().stored === 1)
  // What is written later is written after it.
  await made.get('/b', host)
  await untilDisk(made, 'what came later is on disk', (now) => (now?.entries ?? 0) > 0)
  assert.match((await made.get('/a', host)).cache, /uri-miss/)
  assert.equal(made.askedFor('/a'), 2)
})

leakTest('who writes while the memory is changed makes what is in the new one invalid, too', async (scope) => {
  const made = await start(disk(diskFolder(scope)))
  scope.defer(() => made[Symbol.asyncDispose]())
  let end = (): void => undefined
  made.answer((request, response) => {
    response.setHeader('Cache-Control', 'max-age=600')
    if (request.method === 'GET') response.end('stored')
    else end = () => response.end()
  })
  const post = made.get('/a', host, 'POST')
  await made.untilAsked(1)
  await made.proxy.running.configuration.patch({ cache_store: { memory: '64MB' } } as never, asked)
  await made.get('/a', host)
  end()
  await post
  assert.match((await made.get('/a', host)).cache, /uri-miss/)
})

leakTest('a folder that another process has: memory does alone until it lets go', async (scope) => {
  const dir = diskFolder(scope)
  const first = await start(disk(dir))
  await first.get('/a', host)
  await untilOnDisk(first, 1)
  const log = new MemoryLog()
  const second = await start(disk(dir), log, 2)
  scope.defer(() => second[Symbol.asyncDispose]())
  assert.match((await onDisk(second))?.problem ?? '', /another process/)
  await first[Symbol.asyncDispose]()
  // A reload of anything does not wait for it, nor is it kept from being made.
  await second.proxy.running.configuration.patch({ limits: { body_size: '1MB' } } as never, asked)
  await log.waitFor('cache_disk_opened')
  // What the first one had stored is there; whether it still holds is asked.
  await untilOnDisk(second, 1)
  await second.get('/a', host)
  assert.deepEqual(second.asked, ['GET /a'])
  assert.equal(log.named('cache_disk_failed').length, 1)
})

leakTest('a folder that cannot be used: memory does alone at the start; a change to it is refused', async (scope) => {
  const dir = diskFolder(scope)
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const log = new MemoryLog()
  const made = await start(disk(file), log)
  scope.defer(() => made[Symbol.asyncDispose]())
  assert.match(log.named('cache_disk_failed')[0]!.message, /not a folder.*: cached answers are kept in memory only/)
  await made.get('/a', host)
  assert.match((await made.get('/a', host)).cache, /hit/)
  const told = await onDisk(made)
  assert.equal(told?.state, 'degraded')
  const scraped = await (await fetch(`http://127.0.0.1:${made.proxy.adminPort}/metrics`)).text()
  assert.match(scraped, /^frontdesk_cache_disk_up 0$/m)
  assert.match(told?.problem ?? '', /not a folder/)
  const { configuration } = made.proxy.running
  await configuration.patch({ limits: { body_size: '1MB' } } as never, asked)
  await configuration.patch({ cache_store: disk(join(dir, 'cache')) } as never, asked)
  assert.equal((await onDisk(made))?.state, 'ok')
  await assert.rejects(configuration.patch({ cache_store: disk(file) } as never, asked), /not a folder/)
  assert.equal((await onDisk(made))?.state, 'ok')
})
