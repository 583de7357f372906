// What is kept on disk, as clients see it: stored by one process, served by the next.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { diskFolder, untilOnDisk } from '../support/cache-disk-stand.ts'
import { type CacheStand, cacheStand } from '../support/cache-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { refusingPort } from '../support/ports.ts'

/** The same name whatever port the origin and the listener have. */
const host = { host: 'example.test' }
const page = Buffer.alloc(100_000, 'all of the page. ')

async function stand(path: string, port: number, workers = 0): Promise<CacheStand> {
  const listeners = [{ name: 'test', listen: `127.0.0.1:${port}`, pool: 'default' }]
  const config = { listeners, cache_store: { memory: '4MB', disk: { path, size: '32MB' } } }
  const made = await cacheStand(true, { workers, ownPorts: true, config: config as never })
  made.answer((request, response: ServerResponse) => {
    const language = request.headers['accept-language'] ?? 'none'
    response.setHeader('Cache-Control', 'max-age=600')
    response.setHeader('Vary', 'Accept-Language')
    response.setHeader('ETag', '"1"')
    if (request.method === 'POST') response.end('done')
    else response.end(request.url === '/page' ? page : `${request.url} ${language}`)
  })
  return made
}

const folder = async (scope: Scope): Promise<{ path: string; port: number }> => ({
  path: join(diskFolder(scope), 'disk'),
  port: await refusingPort(),
})

leakTest('stored by one process, a hit in the next: variants, ranges, conditions and all', async (scope) => {
  const { path, port } = await folder(scope)
  const first = await stand(path, port)
  const german = { ...host, 'accept-language': 'de' }
  await first.get('/page', host)
  await first.get('/a', german)
  await first.get('/a', { ...host, 'accept-language': 'fr' })
  await untilOnDisk(first, 3)
  await first[Symbol.asyncDispose]()

  const second = await stand(path, port, 2)
  scope.defer(() => second[Symbol.asyncDispose]())
  // Many at once: it is read once, and all have it.
  const all = await Promise.all(Array.from({ length: 40 }, () => second.get('/page', host)))
  const whole = all[0]!
  assert.ok(all.every(({ body }) => body.equals(page)))
  assert.match(whole.cache, /^frontdesk; hit; ttl=\d+/)
  assert.deepEqual(whole.body, page)
  assert.ok(Number(whole.headers.age) >= 0)
  const part = await second.get('/page', { ...host, range: 'bytes=99990-' })
  assert.deepEqual([part.status, part.text], [206, page.subarray(99_990).toString()])
  assert.equal((await second.get('/page', { ...host, 'if-none-match': '"1"' })).status, 304)
  assert.equal((await second.get('/a', german)).text, '/a de')
  assert.equal((await second.get('/a', { ...host, 'accept-language': 'fr' })).text, '/a fr')
  assert.deepEqual(second.asked, [])
  // What is not there is asked for, and what is in memory is not replaced by what is on disk.
  assert.equal((await second.get('/a', { ...host, 'accept-language': 'it' })).text, '/a it')
  assert.deepEqual(second.asked, ['GET /a'])
  const hits: number[] = []
  second.cache.list(({ url, hits: count }) => hits.push(url.endsWith('/page') ? count : 0) > 0)
  assert.ok(Math.max(...hits) >= 30)
})

leakTest('an unsafe method reaches what is on disk, over a restart', async (scope) => {
  const { path, port } = await folder(scope)
  const first = await stand(path, port)
  await first.get('/a', host)
  await first.get('/b', host)
  await untilOnDisk(first, 2)
  await first[Symbol.asyncDispose]()
  const second = await stand(path, port)
  await second.get('/a', host, 'POST')
  await second[Symbol.asyncDispose]()
  const third = await stand(path, port)
  scope.defer(() => third[Symbol.asyncDispose]())
  await third.get('/a', host)
  await third.get('/b', host)
  assert.deepEqual(third.asked, ['GET /a'])
})

leakTest('what memory has no room for comes back from disk', async (scope) => {
  const { path, port } = await folder(scope)
  const made = await stand(path, port)
  scope.defer(() => made[Symbol.asyncDispose]())
  const body = Buffer.alloc(50_000, 'x')
  made.answer((_request, response: ServerResponse) => {
    response.setHeader('Cache-Control', 'max-age=600')
    response.end(body)
  })
  const paths = Array.from({ length: 150 }, (_, i) => `/${i}`)
  for (const one of paths) await made.get(one, host)
  await untilOnDisk(made, 150)
  assert.ok(made.cache.totals().entries < 100)
  for (const one of paths) assert.deepEqual((await made.get(one, host)).body, body)
  assert.equal(made.asked.length, 150)
})
