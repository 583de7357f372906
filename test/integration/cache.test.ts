// The cache through real sockets: what is served from it, what one request fetches for many, and what happens when things go wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheStand, type Handler, read } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { deferred, until } from '../support/wait.ts'

const fresh =
  (body: string, headers: Record<string, string> = {}): Handler =>
  (_request, response, count) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'X-Count': String(count), ...headers })
    response.end(body)
  }

leakTest('a second request is answered from the cache, with its age and state', async () => {
  await using stand = await cacheStand()
  stand.answer(fresh('hello', { ETag: '"a"' }))
  const first = await stand.get('/a')
  assert.equal(first.cache, 'frontdesk; fwd=uri-miss; stored')
  assert.equal(first.headers.age, undefined)
  const second = await stand.get('/a')
  assert.match(second.cache, /^frontdesk; hit; ttl=(60|59)$/)
  assert.match(second.headers.age!, /^[01]$/)
  assert.deepEqual([second.text, second.headers['x-count'], second.headers['content-length']], ['hello', '0', '5'])
  assert.equal((await stand.get('/a?b')).headers['x-count'], '0', 'the query is part of the key')
  assert.deepEqual(stand.asked, ['GET /a', 'GET /a?b'])
})

leakTest('HEAD, ranges and conditions are answered from what is stored', async () => {
  await using stand = await cacheStand()
  stand.answer(fresh('0123456789', { ETag: '"v"' }))
  await stand.get('/a')
  const head = await stand.get('/a', {}, 'HEAD')
  assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, '10', ''])
  const part = await stand.get('/a', { Range: 'bytes=2-4' })
  assert.deepEqual([part.status, part.text, part.headers['content-range']], [206, '234', 'bytes 2-4/10'])
  const beyond = await stand.get('/a', { Range: 'bytes=20-' })
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */10'])
  const same = await stand.get('/a', { 'If-None-Match': '"v"' })
  assert.deepEqual([same.status, same.text, same.headers.etag], [304, '', '"v"'])
  assert.equal((await stand.get('/a', { 'If-None-Match': '"w"' })).status, 200)
  assert.deepEqual(stand.asked, ['GET /a'])
})

leakTest('a client with a condition makes the whole answer be stored, and is told what it asked', async () => {
  await using stand = await cacheStand()
  stand.answer(fresh('content', { ETag: '"v"' }))
  const got = await stand.get('/a', { 'If-None-Match': '"v"' })
  assert.equal(got.status, 304)
  assert.equal(stand.requests[0]!.headers['if-none-match'], undefined)
  const next = await stand.get('/a')
  assert.match(next.cache, /hit/)
  assert.equal(next.text, 'content')
})

leakTest('what is stale is validated, and its head is put right', async () => {
  await using stand = await cacheStand()
  stand.answer((request, response, count) => {
    const same = request.headers['if-none-match'] === '"v"'
    response.writeHead(same ? 304 : 200, {
      ETag: '"v"',
      'Cache-Control': 'max-age=60',
      Age: count === 0 ? '100' : '0',
      'X-Count': count,
    })
    response.end(same ? undefined : 'body')
  })
  await stand.get('/a')
  const second = await stand.get('/a')
  assert.deepEqual([second.status, second.text, second.headers['x-count']], [200, 'body', '1'])
  assert.match(second.cache, /^frontdesk; fwd=stale; fwd-status=304; ttl=(60|59)$/)
  assert.match((await stand.get('/a')).cache, /hit/)
  assert.equal(stand.asked.length, 2)
})

for (const workers of [0, 2]) {
  leakTest(`many at once cost one request, the body comes as it arrives (${workers} workers)`, async () => {
    await using stand = await cacheStand(true, { workers })
    const go = deferred()
    const size = 300_000
    stand.answer(async (_request, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Length': size })
      response.write('x'.repeat(1000))
      await go.promise
      response.end('y'.repeat(size - 1000))
    })
    const opened = await Promise.all(Array.from({ length: 200 }, () => stand.open('/big')))
    assert.equal(stand.asked.length, 1, 'all have their head, and the origin has not even finished')
    const firstBytes = await Promise.all(
      opened.map((response) => new Promise<Buffer>((resolve) => response.once('data', resolve))),
    )
    assert.ok(firstBytes.every((bytes) => bytes.length <= 1000))
    const whole = opened.map(async (response, at) => firstBytes[at]!.length + (await read(response)).body.length)
    go.resolve()
    assert.deepEqual(new Set(await Promise.all(whole)), new Set([size]))
    assert.equal(stand.asked.length, 1)
    assert.match((await stand.get('/big')).cache, /hit/)
  })
}

leakTest('an answer for one client alone does not make the others wait in a row', async () => {
  await using stand = await cacheStand()
  const waiting: (() => void)[] = []
  stand.answer((_request, response) => {
    waiting.push(() => {
      response.writeHead(200, { 'Cache-Control': 'private' })
      response.end('mine')
    })
  })
  const all = Array.from({ length: 50 }, () => stand.get('/a'))
  await until('the first is asked', () => waiting.length === 1)
  waiting[0]!()
  // None of them has been answered, and all have been asked.
  await until('all others ask for themselves', () => waiting.length === 50)
  for (const answer of waiting.slice(1)) answer()
  assert.ok((await Promise.all(all)).every(({ text }) => text === 'mine'))
})

leakTest('a leader whose client leaves before the answer: somebody else leads', async () => {
  await using stand = await cacheStand()
  const responses: (() => void)[] = []
  stand.answer((_request, response) => {
    responses.push(() => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' })
      response.end('late')
    })
  })
  const { connect } = await import('node:net')
  const leaver = connect(stand.proxy.port, '127.0.0.1')
  leaver.write('GET /a HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n')
  await until('the first is asked', () => responses.length === 1)
  // The same key: the same host.
  const host = { Host: '127.0.0.1:1' }
  const others = [stand.get('/a', host), stand.get('/a', host)]
  leaver.destroy()
  await until('another one asks', () => responses.length === 2)
  responses[1]!()
  for (const got of await Promise.all(others)) assert.equal(got.text, 'late')
  assert.equal(stand.asked.length, 2)
})

leakTest('a leader whose client leaves in the middle of the answer: it is fetched to its end', async () => {
  await using stand = await cacheStand()
  const go = deferred()
  stand.answer(async (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60' })
    response.write('x'.repeat(100_000))
    await go.promise
    response.end('y'.repeat(100_000))
  })
  const leaver = await stand.open('/a')
  const other = await stand.open('/a')
  leaver.destroy()
  go.resolve()
  assert.equal((await read(other)).body.length, 200_000)
  const kept = await stand.get('/a')
  assert.match(kept.cache, /hit/)
  assert.equal(kept.body.length, 200_000)
})

leakTest('a slow reader does not slow the others', async () => {
  await using stand = await cacheStand()
  const size = 4_000_000
  stand.answer((_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Length': size })
    response.end(Buffer.alloc(size, 1))
  })
  const slow = await stand.open('/a')
  slow.pause()
  const quick = await stand.get('/a')
  assert.equal(quick.body.length, size)
  assert.equal((await read(slow)).body.length, size)
  assert.equal(stand.asked.length, 1)
})

leakTest('a body that breaks off is cut for all, and never stored', async () => {
  await using stand = await cacheStand()
  const go = deferred()
  stand.answer(async (_request, response, count) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Length': 100_000 })
    if (count > 0) {
      response.end('z'.repeat(100_000))
      return
    }
    response.write('x'.repeat(50_000))
    await go.promise
    response.destroy()
  })
  const both = [await stand.open('/a'), await stand.open('/a')]
  go.resolve()
  for (const response of both) await assert.rejects(read(response))
  const next = await stand.get('/a')
  assert.match(next.cache, /stored/)
  assert.equal(next.body.length, 100_000)
})

leakTest('an answer too long to be kept goes to everybody who reads it, and is not stored', async () => {
  await using stand = await cacheStand(true, { config: { cache_store: { memory: '16MB', max_object: '1MB' } } })
  const part = Buffer.alloc(65_536, 7)
  stand.answer((_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60' })
    let sent = 0
    const more = (): void => {
      while (sent < 100) {
        sent++
        if (!response.write(part)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  const [a, b] = await Promise.all([stand.get('/a'), stand.get('/a')])
  assert.deepEqual([a.body.length, b.body.length], [6_553_600, 6_553_600])
  assert.doesNotMatch((await stand.get('/a')).cache, /hit/)
})

leakTest('stale-while-revalidate: the client has its answer, one request goes out behind it', async () => {
  await using stand = await cacheStand()
  stand.answer((_request, response, count) => {
    response.writeHead(200, {
      'Cache-Control': 'max-age=60, stale-while-revalidate=600',
      Age: count === 0 ? '100' : '0',
      'X-Count': String(count),
    })
    response.end('body')
  })
  await stand.get('/a')
  const stale = await stand.get('/a')
  assert.deepEqual([stale.headers['x-count'], stale.text], ['0', 'body'])
  assert.match(stale.cache, /hit; ttl=-/)
  await until('it was asked again', () => stand.asked.length === 2)
  await until('it is stored', () => true)
  let next = await stand.get('/a')
  for (let tries = 0; tries < 100 && next.headers['x-count'] === '0'; tries++) next = await stand.get('/a')
  assert.equal(next.headers['x-count'], '1')
  assert.equal(stand.asked.length, 2)
})

leakTest('stale-if-error, and an origin that is down: what is stored stands in, and says so', async () => {
  await using stand = await cacheStand()
  stand.answer((_request, response, count) => {
    if (count === 0) response.writeHead(200, { 'Cache-Control': 'max-age=60, stale-if-error=600', Age: '100' })
    else response.writeHead(500)
    response.end(count === 0 ? 'good' : 'broken')
  })
  await stand.get('/a')
  const error = await stand.get('/a')
  assert.deepEqual([error.status, error.text], [200, 'good'])
  assert.match(error.cache, /fwd=stale; fwd-status=500/)
  await stand.down()
  const down = await stand.get('/a')
  assert.deepEqual([down.status, down.text], [200, 'good'])
  assert.match(down.cache, /fwd=stale.*detail=/)
  assert.equal((await stand.get('/never')).status, 503)
})

leakTest('an unsafe request makes what is stored invalid', async () => {
  await using stand = await cacheStand()
  stand.answer((request, response, count) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'X-Count': String(count), Location: '/b' })
    response.end(request.method)
  })
  await stand.get('/a')
  await stand.get('/b')
  assert.match((await stand.get('/a')).cache, /hit/)
  await stand.get('/a', {}, 'DELETE')
  assert.match((await stand.get('/a')).cache, /fwd=uri-miss/)
  assert.match((await stand.get('/b')).cache, /fwd=uri-miss/)
})

leakTest('Vary keeps answers apart, and tags are not shown', async () => {
  await using stand = await cacheStand()
  stand.answer((request, response) => {
    const language = String(request.headers['accept-language'] ?? '')
    response.writeHead(200, {
      'Cache-Control': 'max-age=60',
      Vary: 'Accept-Language',
      'Cache-Tag': 'one two',
      'Surrogate-Key': 'x',
    })
    response.end(language)
  })
  const first = await stand.get('/a', { 'Accept-Language': 'de' })
  assert.deepEqual([first.headers['cache-tag'], first.headers['surrogate-key']], [undefined, undefined])
  assert.equal((await stand.get('/a', { 'Accept-Language': 'fr' })).text, 'fr')
  const again = await stand.get('/a', { 'Accept-Language': 'de' })
  assert.deepEqual([again.text, again.headers['cache-tag']], ['de', undefined])
  assert.match(again.cache, /hit/)
  assert.equal(stand.asked.length, 2)
})

leakTest('only-if-cached: what is stored, or 504', async () => {
  await using stand = await cacheStand()
  stand.answer(fresh('x'))
  assert.equal((await stand.get('/a', { 'Cache-Control': 'only-if-cached' })).status, 504)
  await stand.get('/a')
  assert.equal((await stand.get('/a', { 'Cache-Control': 'only-if-cached' })).status, 200)
  assert.equal(stand.asked.length, 1)
})

leakTest('each coding is made once', async () => {
  await using stand = await cacheStand(true, { route: { compression: true } })
  stand.answer((_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/plain', ETag: '"v"' })
    response.end('all work and no play '.repeat(5000))
  })
  await stand.get('/a')
  const coded = () => stand.get('/a', { 'Accept-Encoding': 'gzip' })
  let got = await coded()
  for (let tries = 0; tries < 500 && got.headers['content-length'] === undefined; tries++) got = await coded()
  assert.equal(got.headers['content-encoding'], 'gzip')
  assert.ok(Number(got.headers['content-length']) < 2000, 'it has a length: it was there whole')
  assert.deepEqual([got.headers.etag, got.headers.vary], ['W/"v"', 'Accept-Encoding'])
  assert.equal((await stand.get('/a')).body.length, 105_000)
  assert.equal(stand.asked.length, 1)
})

leakTest('answers that vary by what a gate tells the backend are kept apart by it', async () => {
  const { createServer } = await import('node:http')
  const gate = createServer((request, response) => {
    response.writeHead(200, { 'X-User': String(request.headers.cookie) })
    response.end()
  })
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  const { port } = gate.address() as { port: number }
  await using stand = await cacheStand(true, {
    route: { forward_auth: { url: `http://127.0.0.1:${port}/`, copy_headers: ['X-User'] } },
  })
  stand.answer((request, response) => {
    response.writeHead(200, { 'Cache-Control': 'public, max-age=60', Vary: 'X-User' })
    response.end(String(request.headers['x-user']))
  })
  for (const user of ['ann', 'bob', 'ann', 'bob']) assert.equal((await stand.get('/a', { Cookie: user })).text, user)
  assert.equal(stand.asked.length, 2)
  gate.closeAllConnections()
  await new Promise((resolve) => gate.close(resolve))
})

test('two clients with the same credentials field do not share what is not said to be public', async () => {
  await using stand = await cacheStand()
  stand.answer((request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60' })
    response.end(request.headers.authorization)
  })
  assert.equal((await stand.get('/a', { Authorization: 'Basic YTph' })).text, 'Basic YTph')
  assert.equal((await stand.get('/a', { Authorization: 'Basic Yjpi' })).text, 'Basic Yjpi')
})
