// The engine of the cache between clients, backends and the store: who waits for whom, and what each of them is told.
import assert from 'node:assert/strict'
import { cacheStand, read } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { deferred, until } from '../support/wait.ts'

leakTest('what is for caches alone is not shown, whatever the method', async () => {
  await using stand = await cacheStand()
  stand.answer((_request, response) => response.writeHead(200, { 'Cache-Tag': 'a', 'Surrogate-Key': 'b' }).end())
  const { headers } = await stand.get('/a', {}, 'POST')
  assert.deepEqual([headers['cache-tag'], headers['surrogate-key']], [undefined, undefined])
})

leakTest('the age that an answer had when it came is told to the client that asked for it, on all ways', async () => {
  await using stand = await cacheStand()
  const says = { 'Cache-Control': 'max-age=600', Age: '100', ETag: '"v"' }
  const condition = { 'If-None-Match': '"other"' }
  stand.answer((_request, response) => response.writeHead(200, says).end('whole'))
  for (const [path, headers] of [
    ['/a', {}],
    ['/b', condition],
  ] as const) {
    assert.equal((await stand.get(path, headers)).headers.age, '100', path)
  }
  stand.answer((request, response) => {
    response.writeHead(200, says).write('part')
    if (request.url === '/c') goes.promise.then(() => response.end())
    else goesToo.promise.then(() => response.end())
  })
  const [goes, goesToo] = [deferred(), deferred()]
  const [plain, conditional] = [await stand.open('/c'), await stand.open('/d', condition)]
  assert.deepEqual([plain.headers.age, conditional.headers.age], ['100', '100'])
  goes.resolve()
  goesToo.resolve()
  await Promise.all([read(plain), read(conditional)])
})

leakTest('an answer that is coming in goes to those alone who may have it once it is stored', async () => {
  await using stand = await cacheStand()
  const go = deferred()
  const old = new Date(Date.now() - 1e9).toUTCString()
  stand.answer(async (request, response, count) => {
    response.writeHead(
      200,
      request.url === '/old' ? { 'Cache-Control': 'max-age=600', Age: '100' } : { 'Last-Modified': old },
    )
    response.write(String(count))
    if (count === 0) await go.promise
    response.end()
  })
  const first = [await stand.open('/old'), await stand.open('/heuristic')]
  const joined = await stand.open('/old')
  assert.match(String(joined.headers['cache-status']), /collapsed/)
  assert.equal((await stand.get('/old', { 'Cache-Control': 'max-age=10' })).text, '1')
  assert.equal((await stand.get('/heuristic', { Cookie: 'user=ann' })).text, '1')
  assert.equal((await stand.get('/old', { 'Cache-Control': 'no-cache' })).text, '2')
  go.resolve()
  for (const response of [...first, joined]) assert.equal((await read(response)).text, '0')
})

leakTest('a request whose answer is not stored keeps nobody waiting, and nobody from waiting', async () => {
  await using stand = await cacheStand({ no_store: { header: { 'X-Preview': '*' } } })
  const waiting: (() => void)[] = []
  stand.answer((_request, response) => {
    waiting.push(() => response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('x'))
  })
  const alone = [stand.get('/a', { 'Cache-Control': 'no-store' }), stand.get('/a', { 'X-Preview': '1' })]
  await until('both are asked', () => waiting.length === 2)
  for (const answer of waiting.splice(0)) answer()
  await Promise.all(alone)
  const many = Array.from({ length: 20 }, () => stand.get('/a'))
  await until('one is asked', () => waiting.length === 1)
  waiting[0]!()
  for (const got of await Promise.all(many)) assert.equal(got.text, 'x')
  assert.equal(stand.asked.length, 3)
})

leakTest('what comes of asking in the background and is not stored is not read', async () => {
  await using stand = await cacheStand()
  let written = 0
  let isOver = false
  stand.answer((_request, response, count) => {
    if (count === 0) {
      response.writeHead(200, { 'Cache-Control': 'max-age=1, stale-while-revalidate=600' }).end('stored')
      return
    }
    response.writeHead(200, { 'Cache-Control': 'private' })
    response.on('close', () => {
      isOver = true
    })
    const more = (): void => {
      while (!isOver && response.write(Buffer.alloc(65_536))) written++
      if (!isOver) response.once('drain', more)
    }
    more()
  })
  await stand.get('/a')
  stand.moveClock(5000)
  assert.equal((await stand.get('/a')).text, 'stored')
  await until('it is asked, and not listened to', () => isOver)
  assert.ok(written < 1000, `${written}`)
})

for (const workers of [0, 2]) {
  leakTest(
    `of an answer too long to be kept a slow client gets all, as one that is quick (${workers} workers)`,
    async () => {
      await using stand = await cacheStand(true, {
        workers,
        config: { cache_store: { memory: '16MB', max_object: '1MB' } },
      })
      const size = 16 * 1024 * 1024
      const go = deferred()
      stand.answer(async (_request, response) => {
        response.writeHead(200, { 'Cache-Control': 'max-age=60' }).write('first')
        await go.promise
        response.end(Buffer.alloc(size - 5, 'x'))
      })
      const slow = await stand.open('/a')
      const quick = await stand.open('/a')
      assert.match(String(quick.headers['cache-status']), /collapsed/)
      go.resolve()
      const whole = read(quick)
      let got = 0
      for await (const part of slow as AsyncIterable<Buffer>) {
        got += part.length
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.deepEqual([got, (await whole).body.length, stand.asked.length], [size, size, 1])
      await until('nothing comes in any more', () => stand.cache.totals().filling === 0)
    },
  )
}
