// Cache poisoning and cache deception: nothing that is not part of the key changes what others get, and nobody's own answer
// becomes everybody's. The rows are those of docs/guide/caching.md.
import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { cacheStand, type Handler } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'

/** Says what it was asked, as an application does that makes links of it. */
const echo: Handler = (request, response) => {
  response.writeHead(200, { 'Cache-Control': 'max-age=60' })
  response.end(JSON.stringify([request.method, request.url, request.headers]))
}

const fieldsOf = (request: IncomingMessage): string => JSON.stringify(request.headers)

leakTest('fields that say where a client thinks it is neither reach a backend nor tell answers apart', async () => {
  await using stand = await cacheStand()
  stand.answer(echo)
  const evil = 'evil.example'
  const names = ['X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-For', 'Forwarded']
  for (const [i, name] of names.entries()) {
    await stand.get(`/f${i}`, { [name]: evil })
    assert.doesNotMatch(fieldsOf(stand.requests.at(-1)!), /evil/, name)
    assert.match((await stand.get(`/f${i}`)).cache, /hit/, name)
  }
})

leakTest('a host that a believed proxy tells of has answers of its own', async () => {
  await using stand = await cacheStand(true, { config: { trusted_proxies: ['127.0.0.1'] } as never })
  stand.answer(echo)
  const one = await stand.get('/', { 'X-Forwarded-Host': 'one.example' })
  const two = await stand.get('/', { 'X-Forwarded-Host': 'two.example' })
  assert.match(one.text, /one\.example/)
  assert.doesNotMatch(two.text, /one\.example/)
  assert.match((await stand.get('/', { 'X-Forwarded-Host': 'one.example' })).cache, /hit/)
})

leakTest('fields that frameworks take for the request line do not reach a backend, in any spelling', async () => {
  await using stand = await cacheStand()
  stand.answer(echo)
  const names = ['X-Original-URL', 'X-Rewrite-URL', 'X-Original-Host', 'X-Host', 'X-HTTP-Host-Override']
  const methods = ['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method']
  const schemes = ['X-Scheme', 'X-Url-Scheme', 'Front-End-Https', 'X-Override-URL']
  for (const name of [...names, ...methods, ...schemes].flatMap((one) => [one, one.replaceAll('-', '_')])) {
    await stand.get(`/page?${name}`, { [name]: 'evil' })
    assert.doesNotMatch(fieldsOf(stand.requests.at(-1)!), /evil/, name)
  }
})

leakTest('a request with a body goes by the cache', async () => {
  await using stand = await cacheStand()
  stand.answer(echo)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(`${stand.proxy.url}/fat`, { method: 'GET', headers: { 'Content-Length': 3 } })
    sent.on('response', (one) => resolve(one.resume())).on('error', reject)
    sent.end('a=b')
  })
  assert.match(String(response.headers['cache-status']), /fwd=bypass/)
  assert.match((await stand.get('/fat')).cache, /fwd=uri-miss/)
})

leakTest('a field that Connection keeps from the backend does not select what others get', async () => {
  await using stand = await cacheStand({ key: { headers: ['X-Tenant'], cookies: ['theme'] } })
  stand.answer((request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' })
    const { 'accept-language': language, 'x-tenant': tenant, cookie } = request.headers
    response.end(`${language} ${tenant} ${cookie}`)
  })
  const victim = { 'Accept-Language': 'de', 'X-Tenant': 'one', Cookie: 'theme=dark' }
  for (const named of ['Accept-Language', 'x-tenant', 'COOKIE']) {
    const answer = await stand.get('/hop', { ...victim, Connection: `keep-alive, ${named}` })
    assert.match(answer.text, /undefined/, 'the backend does not get it')
    assert.match(answer.cache, /fwd=bypass/)
  }
  assert.equal((await stand.get('/hop', victim)).text, 'de one theme=dark')
})

leakTest('a parameter that is not keyed hides none that is', async () => {
  await using stand = await cacheStand({ key: { query: { except: ['utm_*'] } } })
  stand.answer(echo)
  await stand.get('/p?id=1&utm_source=a')
  assert.match((await stand.get('/p?id=1&utm_source=b')).cache, /hit/)
  for (const query of ['id=1&utm_a=1;id=2', 'id=1&utm_a=1%26id=2&id=2', 'id=2', 'id=1&%69d=2'])
    assert.match((await stand.get(`/p?${query}`)).cache, /miss/, query)
})

leakTest('of keyed parameters every spelling counts that a backend may take for one', async () => {
  await using stand = await cacheStand({ key: { query: { only: ['id'] } } })
  stand.answer(echo)
  await stand.get('/p?id=1&x=1')
  assert.match((await stand.get('/p?id=1&x=2')).cache, /hit/)
  for (const query of ['%69d=2', 'id[]=2', 'ID=2', 'id%00=2', 'x=1;id=2'])
    assert.match((await stand.get(`/p?id=1&${query}`)).cache, /miss/, query)
})

leakTest('no ending of a path makes an answer public', async () => {
  await using stand = await cacheStand()
  let says: Record<string, string> = {}
  stand.answer((_request, response) => response.writeHead(200, says).end('account of alice'))
  const paths = [
    '/account/x.css',
    '/account;a.css',
    '/account%2Fx.css',
    '/account%3B.js',
    '/account.png',
    '/account/..%2Fx.ico',
  ]
  const cookie = { Cookie: 'session=alice' }
  const old = new Date(Date.now() - 1e9).toUTCString()
  const answers: Record<string, string>[] = [
    {},
    { 'Content-Type': 'text/css' },
    { 'Last-Modified': old },
    { 'Cache-Control': 'private' },
    { 'Cache-Control': 'no-store, max-age=60' },
    { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'session=alice' },
  ]
  for (const answer of answers) {
    says = answer
    for (const path of paths) {
      await stand.get(path, cookie)
      const other = await stand.get(path)
      assert.doesNotMatch(other.cache, /hit/, `${path} ${JSON.stringify(answer)}`)
      await stand.proxy.running.cache.purge({ all: true })
    }
  }
})

leakTest('paths that some backend may take for the same are kept apart, and go on as they are keyed', async () => {
  await using stand = await cacheStand({ status: 'key' })
  stand.answer(echo)
  const paths = ['/a', '/a/', '/a;x', '/a%2F', '/a%3Bx', '//a', '/a%5C', '/A']
  for (const path of paths) {
    const answer = await stand.get(path)
    assert.match(answer.cache, /fwd=uri-miss/, path)
    assert.ok(answer.cache.endsWith(`${path}"`), answer.cache)
    assert.equal(JSON.parse(answer.text)[1], path, 'what the backend is asked for')
  }
  for (const [path, same] of [
    ['/%61', '/a'],
    ['/x/../a', '/a'],
    ['/a%2f', '/a%2F'],
  ] as const) {
    assert.match((await stand.get(path)).cache, /hit/, `${path} is ${same}`)
  }
  for (const path of ['/a%00.css', '/a%0a']) assert.equal((await stand.get(path)).status, 400, path)
})

leakTest('hosts: case and default port are one, everything else is another', async () => {
  await using stand = await cacheStand()
  stand.answer(echo)
  await stand.get('/', { Host: 'Example.COM' })
  for (const host of ['example.com', 'example.com:80'])
    assert.match((await stand.get('/', { Host: host })).cache, /hit/)
  for (const host of ['example.com:81', 'www.example.com', 'example.org'])
    assert.match((await stand.get('/', { Host: host })).cache, /miss/, host)
})

leakTest('backends are told of one host in one form alone', async () => {
  await using stand = await cacheStand()
  stand.answer(echo)
  const forms = ['Example.COM', 'example.com:80', 'EXAMPLE.com:0080', 'example.com']
  for (const [i, host] of forms.entries()) {
    await stand.get(`/${i}`, { Host: host })
    const { headers } = stand.requests.at(-1)!
    assert.deepEqual([headers.host, headers['x-forwarded-host']], ['example.com', 'example.com'], host)
  }
  await stand.get('/other', { Host: 'Example.COM:8080' })
  assert.equal(stand.requests.at(-1)!.headers.host, 'example.com:8080')
  await stand.get('/posted', { Host: 'Example.COM' }, 'POST')
  assert.equal(stand.requests.at(-1)!.headers.host, 'Example.COM')
})

leakTest('errors of our own are never stored, those of backends only if they say so', async () => {
  await using stand = await cacheStand()
  let says: Record<string, string> = {}
  stand.answer((request, response) => response.writeHead(request.headers['x-bad'] ? 400 : 200, says).end('text'))
  await stand.get('/e', { 'X-Bad': '1' })
  assert.doesNotMatch((await stand.get('/e')).cache, /hit/)
  const tooLong = await stand.get('/long', { 'X-Long': 'x'.repeat(17_000) })
  assert.equal(tooLong.status, 431)
  says = { 'Cache-Control': 'max-age=60' }
  assert.equal((await stand.get('/long')).status, 200)
})

leakTest('clients get no coding that they do not take, whoever asked first', async () => {
  await using stand = await cacheStand()
  stand.answer((request, response) => {
    const coding = String(request.headers['accept-encoding'] ?? '').split(/[,;]/, 1)[0]!
    const isCoded = ['gzip', 'br', 'zstd'].includes(coding)
    response.writeHead(200, {
      'Cache-Control': 'max-age=60',
      Vary: 'Accept-Encoding',
      ...(isCoded && { 'Content-Encoding': coding }),
    })
    response.end('x')
  })
  for (const accepted of ['br, gzip', 'gzip;q=0, identity', 'GZIP', 'gzip, br;q=0.1', 'identity', 'deflate']) {
    const { headers } = await stand.get('/', { 'Accept-Encoding': accepted })
    const coding = headers['content-encoding']
    const takes = new Set(
      accepted
        .toLowerCase()
        .split(',')
        .filter((one) => !one.includes('q=0,') && !/q=0$/.test(one))
        .map((one) => one.split(';', 1)[0]!.trim()),
    )
    assert.ok(coding === undefined || takes.has(coding), `${coding} for ${accepted}`)
  }
  assert.equal((await stand.get('/')).headers['content-encoding'], undefined)
})
