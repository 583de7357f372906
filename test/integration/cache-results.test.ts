// What the cache made of each request: log lines, live requests, metrics and statistics say the same of it.
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheResults } from '../../src/state/names.ts'
import { cacheStand, read } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { SseClient } from '../support/sse-client.ts'
import { deferred, until } from '../support/wait.ts'

leakTest('every result is in the access log, in live requests and in the metrics, each once', async (scope) => {
  const file = join(tmpdir(), `frontdesk-cache-results-${process.pid}.log`)
  scope.defer(() => rmSync(file, { force: true }))
  const logging = { access: { file, template: '{request.path} {cache}' } }
  const route = {
    name: 'shop',
    match: { path: '/s/*' },
    cache: { stale_if_error: '1h', bypass: { header: { 'X-Fresh': true } } },
  }
  const stand = await cacheStand(false, { workers: 2, admin: true, route, config: { logging } as never })
  scope.defer(() => stand[Symbol.asyncDispose]())
  const gate = deferred<void>()
  stand.answer((request, response, count) => {
    if (request.url === '/s/slow') {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' }).write('slow')
      void gate.promise.then(() => response.end())
      return
    }
    const isSame = request.headers['if-none-match'] !== undefined && request.url === '/s/same'
    const isBroken = request.url === '/s/broken' && count > 0
    response.writeHead(isBroken ? 503 : isSame ? 304 : 200, {
      'Cache-Control': request.url === '/s/mine' ? 'private' : 'max-age=60',
      ETag: '"1"',
    })
    response.end(isSame ? undefined : 'text')
  })
  const follower = scope.use(
    await SseClient.open(stand.proxy.adminPort, { path: '/requests?follow=1&cache=stale,revalidated' }),
  )
  await follower.waitFor('hello')
  const wanted: [path: string, result: string][] = []
  const ask = async (path: string, result: string, headers?: Record<string, string>): Promise<void> => {
    wanted.push([path, result])
    await stand.get(path, headers)
  }
  await ask('/s/a', 'miss')
  await ask('/s/a', 'hit')
  await ask('/s/a', 'bypass', { 'X-Fresh': '1' })
  await ask('/s/mine', 'miss')
  await ask('/s/same', 'miss')
  await ask('/s/broken', 'miss')
  const slow = await Promise.all([stand.open('/s/slow'), stand.open('/s/slow')])
  wanted.push(['/s/slow', 'miss'], ['/s/slow', 'collapsed'])
  gate.resolve()
  await Promise.all(slow.map(read))
  stand.moveClock(61_000)
  await ask('/s/same', 'revalidated')
  await ask('/s/broken', 'stale')
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  await until('every request has its line', () => lines().length === wanted.length)
  assert.deepEqual(lines().sort(), wanted.map((pair) => pair.join(' ')).sort())
  const told = await follower.waitFor('request', 2).then(() => follower.named('request').map(({ data }) => data.cache))
  assert.deepEqual(told.sort(), ['revalidated', 'stale'])

  const text = await (await fetch(`http://127.0.0.1:${stand.proxy.adminPort}/metrics`)).text()
  for (const result of cacheResults) {
    const count = wanted.filter(([, one]) => one === result).length
    assert.ok(count > 0, `${result} occurred`)
    assert.match(
      text,
      new RegExp(`^frontdesk_cache_requests_total\\{route="shop",result="${result}"\\} ${count}$`, 'm'),
    )
  }
  assert.match(text, /^frontdesk_cache_not_stored_total\{route="shop",reason="private"\} 1$/m)
  assert.match(text, /^frontdesk_cache_entries 4$/m)
  const [, used] = /^frontdesk_cache_bytes (\d+)$/m.exec(text) ?? []
  const [, size] = /^frontdesk_cache_size_bytes (\d+)$/m.exec(text) ?? []
  assert.ok(Number(used) > 0 && Number(used) < Number(size), `${used} of ${size}`)
  follower.close()
})

leakTest(
  'Cache-Status says why an answer is not stored; what is left out stays so where no backend is there',
  async (scope) => {
    const stand = await cacheStand({ bypass: { header: { 'X-Fresh': true } } }, { admin: true })
    scope.defer(() => stand[Symbol.asyncDispose]())
    const fields: Readonly<Record<string, Record<string, string>>> = {
      '/private': { 'Cache-Control': 'private, max-age=60' },
      '/set-cookie': { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=b' },
      '/nothing-said': {},
    }
    stand.answer((request, response) => {
      response.writeHead(200, fields[request.url ?? ''] ?? {}).end('text')
    })
    for (const path of Object.keys(fields)) {
      assert.equal((await stand.get(path)).cache, `frontdesk; fwd=uri-miss; detail=${path.slice(1)}`)
    }
    assert.equal((await stand.get('/private', { 'X-Fresh': '1' })).cache, 'frontdesk; fwd=bypass')

    const admin = `http://127.0.0.1:${stand.proxy.adminPort}`
    const drained = await fetch(`${admin}/backends`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: stand.originUrl, state: 'drain' }),
    })
    assert.equal(drained.status, 200, await drained.text())
    assert.equal((await stand.get('/private', { 'X-Fresh': '1' })).status, 503, 'no backend takes requests')
    const text = await (await fetch(`${admin}/metrics`)).text()
    assert.match(text, /^frontdesk_cache_requests_total\{route="default",result="miss"\} 3$/m)
  },
)
