// What of a message goes through and what does not: methods, statuses, interim answers, targets, trailers, hop-by-hop fields.
import assert from 'node:assert/strict'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { bytes, head, request, wait, write } from '../support/scripted-backend.ts'
import { acting, scripted, seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

// --- answers without a body ---

leakTest('an answer to HEAD has the length of GET and no body', async (scope) => {
  const { backend, client } = await acting(scope)
  for (let i = 0; i < 2; i++) {
    const reply = await client.request(get('/', { 'X-Act-Size': 5000 }).replace('GET', 'HEAD'), 'HEAD')
    assert.equal(fieldValue(reply, 'content-length'), '5000')
    assert.equal(reply.body.length, 0)
  }
  assert.equal((await client.request(get('/after'))).body.toString(), 'GET /after')
  assert.equal(backend.connections, 1)
})

leakTest('an answer to HEAD that announces chunks has no body either', async (scope) => {
  const { client } = await scripted(scope, [[request(), write(answerChunked()), request(), write(answer('next'))]])
  assert.equal((await client.request(get('/').replace('GET', 'HEAD'), 'HEAD')).status, 200)
  assert.equal((await client.request(get('/'))).body.toString(), 'next')
})

for (const [status, line] of [
  [204, '204 No Content\r\n'],
  [204, '204 No Content\r\nContent-Length: 0\r\n'],
  [304, '304 Not Modified\r\nETag: "x"\r\n'],
  [304, '304 Not Modified\r\nContent-Length: 1234\r\n'],
  [205, '205 Reset Content\r\nContent-Length: 0\r\n'],
] as const) {
  leakTest(`${JSON.stringify(line)} ends with its head, and both connections go on`, async (scope) => {
    const { backend, client } = await scripted(scope, [
      [request(), write(`HTTP/1.1 ${line}\r\n`), request(), write(answer('next'))],
    ])
    const reply = await client.request(get('/'))
    assert.equal(reply.status, status)
    assert.equal(reply.body.length, 0)
    if (status === 204) assert.deepEqual(fieldValues(reply, 'content-length'), [], 'RFC 9110 §8.6')
    if (line.includes('1234')) assert.equal(fieldValue(reply, 'content-length'), '1234')
    assert.equal((await client.request(get('/'))).body.toString(), 'next')
    assert.equal(backend.connections.length, 1)
  })
}

leakTest('the status and the reason of the backend are passed on, also a strange one and none', async (scope) => {
  const { client } = await scripted(scope, [
    [
      ...[request(), write('HTTP/1.1 299 Strange, but true\r\nContent-Length: 0\r\n\r\n')],
      ...[request(), write('HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n')],
    ],
  ])
  assert.equal((await client.request(get('/'))).startLine, 'HTTP/1.1 299 Strange, but true')
  assert.equal((await client.request(get('/'))).startLine, 'HTTP/1.1 599 ')
})

// --- methods and targets ---

leakTest('every method goes through, also ones nobody knows, in the case they came', async (scope) => {
  const { backend, client } = await acting(scope)
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'REPORT', 'QUERY', 'M-SEARCH']
  for (const method of methods) {
    assert.equal((await client.request(post('/x', '').replace('POST', method), method)).status, 200)
  }
  assert.deepEqual(
    backend.requests.map(({ method }) => method),
    methods,
  )
})

for (const method of ['TRACE', 'CONNECT']) {
  leakTest(`${method} is not for this proxy: 501`, async (scope) => {
    const { backend, client } = await acting(scope)
    const target = method === 'CONNECT' ? 'example.com:443' : '/'
    const reply = await client.request(`${method} ${target} HTTP/1.1\r\nHost: example.com\r\n\r\n`)
    assert.equal(reply.status, 501)
    assert.equal(backend.started, 0)
  })
}

leakTest('the target goes through byte for byte: nothing is decoded, merged or resolved', async (scope) => {
  const { backend, client } = await acting(scope)
  const targets = [
    '/a/../b',
    '//double',
    '/%2e%2E/%2F',
    '/?q=a&b=%20+',
    '/a;x=1',
    '/~u/(1)',
    "/quote'",
    '/[x]|^`{}',
    '/?',
  ]
  for (const target of targets) assert.equal((await client.request(get(target))).status, 200, target)
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    targets,
  )
})

leakTest('an absolute-form target decides about Host, and becomes origin-form', async (scope) => {
  const { backend, client } = await acting(scope)
  for (const [target, path, host] of [
    ['http://real.example/x?y', '/x?y', 'real.example'],
    ['http://real.example:8080', '/', 'real.example:8080'],
    ['HTTP://Real.Example?only=query', '/?only=query', 'Real.Example'],
  ]) {
    assert.equal((await client.request(get(target!, { Host: 'lie.example' }))).status, 200)
    const seen = backend.requests.at(-1)!
    assert.equal(seen.target, path)
    assert.deepEqual(seenValues(seen, 'host'), [host])
  }
})

leakTest('OPTIONS * reaches the backend as OPTIONS *, in both forms', async (scope) => {
  const { backend, client } = await acting(scope)
  for (const target of ['*', 'http://t.example']) {
    assert.equal((await client.request(get(target).replace('GET', 'OPTIONS'), 'OPTIONS')).status, 200)
    assert.equal(backend.requests.at(-1)?.target, '*')
  }
  assert.equal((await client.request(get('*'))).status, 400)
})

leakTest('a base path of the backend is put before the path, and not before *', async (scope) => {
  const { backend } = await acting(scope)
  const proxy = scope.use(await startProxy([`${backend.url}/base/`]))
  const client = scope.use(await RawClient.open(proxy.port))
  await client.request(get('/x?y=/z'))
  await client.request(get('*').replace('GET', 'OPTIONS'), 'OPTIONS')
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    ['/base/x?y=/z', '*'],
  )
})

leakTest('Max-Forwards counts down for OPTIONS, ends here at 0, and is left alone elsewhere', async (scope) => {
  const { backend, client } = await acting(scope)
  const options = (max: number): string => get('/', { 'Max-Forwards': max }).replace('GET', 'OPTIONS')
  assert.equal((await client.request(options(3), 'OPTIONS')).status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'max-forwards'), ['2'])
  const own = await client.request(options(0), 'OPTIONS')
  assert.equal(own.status, 204)
  assert.match(fieldValue(own, 'allow') ?? '', /GET/)
  assert.equal(backend.started, 1)
  await client.request(get('/', { 'Max-Forwards': 0 }))
  assert.deepEqual(seenValues(backend.requests[1], 'max-forwards'), ['0'])
})

leakTest('OPTIONS with Max-Forwards: 0 and a body leaves the connection in step', async (scope) => {
  const { client } = await acting(scope)
  client.write(post('/', 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n', { 'Max-Forwards': 0 }).replace('POST', 'OPTIONS'))
  assert.equal((await client.reply('OPTIONS')).status, 204)
  client.write(get('/next'))
  const next = await client.read()
  if (next.kind === 'reply') assert.equal(next.reply.body.toString(), 'GET /next')
  else assert.equal(next.kind, 'closed')
})

// --- trailers ---

leakTest('trailers of a request reach the backend, with the announcement', async (scope) => {
  const { backend, client } = await acting(scope)
  const head = postChunked('/', { Trailer: 'X-Sum' })
  assert.equal((await client.request(`${head}${chunk('hello')}0\r\nX-Sum: 42\r\n\r\n`, 'POST')).status, 200)
  assert.deepEqual(backend.requests[0]?.trailers, [['X-Sum', '42']])
  assert.deepEqual(seenValues(backend.requests[0], 'trailer'), ['X-Sum'])
})

leakTest('trailers of an answer reach the client, with the announcement', async (scope) => {
  const { client } = await scripted(scope, [
    [request(), write(`${answerChunked({ Trailer: 'X-Sum' })}${chunk('hello')}0\r\nX-Sum: 42\r\n\r\n`)],
  ])
  const reply = await client.request(get('/', { TE: 'trailers', Connection: 'TE' }))
  assert.deepEqual(reply.trailers, [['X-Sum', '42']])
  assert.equal(fieldValue(reply, 'trailer'), 'X-Sum')
})

leakTest('trailers that would frame, route or authorise are dropped, both ways', async (scope) => {
  const framing = 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'
  const bad = 'Host: evil\r\nAuthorization: x\r\nX-Forwarded-For: 6.6.6.6\r\n'
  const { backend, client } = await scripted(scope, [
    [request(), write(`${answerChunked()}${chunk('hello')}0\r\n${framing}${bad}X-Good: 1\r\n\r\n`)],
  ])
  const reply = await client.request(`${postChunked('/')}${chunk('hello')}0\r\n${bad}X-Good: 1\r\n\r\n`, 'POST')
  assert.deepEqual(reply.trailers, [['X-Good', '1']])
  assert.deepEqual(backend.requests[0]?.trailers, [['X-Good', '1']])
})

leakTest('TE reaches the backend only as `trailers`, and named by Connection', async (scope) => {
  const { backend, client } = await acting(scope)
  await client.request(get('/', { TE: 'gzip;q=0.5, trailers', Connection: 'TE' }))
  assert.deepEqual(seenValues(backend.requests[0], 'te'), ['trailers'])
  assert.deepEqual(seenValues(backend.requests[0], 'connection'), ['TE'])
  await client.request(get('/', { TE: 'gzip' }))
  assert.deepEqual(seenValues(backend.requests[1], 'te'), [])
})

// --- Expect and interim answers ---

leakTest('Expect: 100-continue is passed on, and so is the 100; then the body', async (scope) => {
  const { backend, client } = await scripted(scope, [
    [head(), write('HTTP/1.1 100 Continue\r\n\r\n'), request(), write(answer('thanks'))],
  ])
  client.write(post('/', '', { Expect: '100-continue' }, 5))
  await until('the 100 has come', () => client.received.includes('100 Continue\r\n\r\n'))
  client.write('hello')
  const reply = await client.reply('POST')
  assert.equal(reply.body.toString(), 'thanks')
  assert.deepEqual(
    reply.interim.map(({ startLine }) => startLine),
    ['HTTP/1.1 100 Continue'],
  )
  assert.deepEqual(fieldValues(backend.requests[0]!, 'expect'), ['100-continue'])
})

leakTest('a final answer instead of the 100 is passed on, and the connection closed', async (scope) => {
  const { client } = await scripted(scope, [[head(), write(answer('no', {}, '417 Expectation Failed'))]])
  const reply = await client.request(post('/', '', { Expect: '100-continue' }, 5), 'POST')
  assert.equal(reply.status, 417)
  assert.equal(reply.interim.length, 0)
  await client.ended()
})

leakTest('a client that sends its body at once need not be told to continue', async (scope) => {
  const { backend, client } = await scripted(scope, [
    [request(), write(answer('thanks')), request(), write(answer('2'))],
  ])
  const reply = await client.request(post('/', 'hello', { Expect: '100-continue' }), 'POST')
  assert.equal(reply.body.toString(), 'thanks')
  assert.equal((await client.request(get('/'))).body.toString(), '2')
  assert.equal(backend.connections.length, 1)
})

leakTest('an expectation nobody knows is a 417', async (scope) => {
  const { backend, client } = await acting(scope)
  assert.equal((await client.request(post('/', 'x', { Expect: '200-maybe' }), 'POST')).status, 417)
  assert.equal(backend.started, 0)
})

leakTest('early hints and other interim answers arrive before the final one, with their fields', async (scope) => {
  const { client } = await acting(scope)
  client.write(get('/', { 'X-Act-1xx': '103,102,103' }))
  const reply = await client.reply()
  assert.equal(reply.status, 200)
  assert.deepEqual(
    reply.interim.map((message) => [message.startLine.slice(9, 12), fieldValue(message, 'x-interim')]),
    [
      ['103', '103'],
      ['102', '102'],
      ['103', '103'],
    ],
  )
})

leakTest('an interim answer arrives at once, not with the final one', async (scope) => {
  const go = deferred()
  const { client } = await scripted(scope, [
    [request(), write('HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n'), wait(go.promise), write(answer('final'))],
  ])
  client.write(get('/'))
  await until('the hint has come', () => client.received.includes('Link: </x.css>\r\n\r\n'))
  go.resolve()
  assert.equal((await client.reply()).body.toString(), 'final')
})

// --- flow ---

leakTest('server-sent events flow one by one as they are made', async (scope) => {
  const events = Array.from({ length: 5 }, (_, i) => ({ text: `data: ${i}\n\n`, go: deferred() }))
  const { client } = await scripted(scope, [
    [
      request(),
      write(answerChunked({ 'Content-Type': 'text/event-stream' })),
      ...events.flatMap(({ text, go }) => [wait(go.promise), write(chunk(text))]),
      write(lastChunk),
    ],
  ])
  client.write(get('/events', { Accept: 'text/event-stream' }))
  await until('the head has come', () => client.received.includes('\r\n\r\n'))
  for (const { text, go } of events) {
    assert.ok(!client.received.includes(text))
    go.resolve()
    await until(`${JSON.stringify(text)} has come`, () => client.received.includes(text))
  }
  assert.equal((await client.reply()).body.toString(), events.map(({ text }) => text).join(''))
})

leakTest('a request body flows as it is made', async (scope) => {
  const { backend, client } = await scripted(scope, [[bytes(1_000_000)]])
  client.write(postChunked('/'))
  for (let i = 0; i < 3; i++) {
    client.write(chunk(`part ${i}`))
    await until(`part ${i} is at the backend`, () => backend.connections[0]?.received.includes(`part ${i}`) === true)
  }
})

// --- hop-by-hop fields ---

leakTest('hop-by-hop fields of a request end here, the ones named by Connection too', async (scope) => {
  const { backend, client } = await acting(scope)
  await client.request(
    get('/', {
      Connection: 'X-Mine, keep-alive, x-yours',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      'Proxy-Authorization': 'Basic eA==',
      'X-Mine': 1,
      'X-Yours': 2,
      'X-Stays': 3,
    }),
  )
  const names = backend.requests[0]!.fields.map(([name]) => name.toLowerCase())
  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'x-mine', 'x-yours']) {
    assert.ok(!names.includes(name), name)
  }
  assert.deepEqual(seenValues(backend.requests[0], 'x-stays'), ['3'])
})

leakTest('hop-by-hop fields of an answer end here, the ones named by Connection too', async (scope) => {
  const { client } = await scripted(scope, [
    [
      request(),
      write(
        answer('hello', {
          Connection: 'keep-alive, X-Mine',
          'Keep-Alive': 'timeout=5',
          'Proxy-Connection': 'keep-alive',
          'Proxy-Authenticate': 'Basic',
          Upgrade: 'h2c',
          'X-Mine': 1,
          'X-Stays': 3,
        }),
      ),
    ],
  ])
  const reply = await client.request(get('/'))
  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'upgrade', 'x-mine']) {
    assert.deepEqual(fieldValues(reply, name), [], name)
  }
  assert.equal(fieldValue(reply, 'x-stays'), '3')
})

leakTest('end-to-end fields pass in order, repeated ones too, values untouched', async (scope) => {
  const lines = 'X-A: 1\r\nx-b:  two  words \r\nX-A: 3\r\nX-Empty:\r\nX-Obs: \xe4\xf6\r\nCookie: a=1\r\nCookie: b=2\r\n'
  const { backend, client } = await scripted(scope, [
    [request(), write(`HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\nSet-Cookie: b=2\r\n${lines}\r\n`)],
  ])
  const reply = await client.request(`GET / HTTP/1.1\r\nHost: t\r\n${lines}\r\n`)
  const expected = [
    ['X-A', '1'],
    ['x-b', 'two  words'],
    ['X-A', '3'],
    ['X-Empty', ''],
    ['X-Obs', '\xe4\xf6'],
    ['Cookie', 'a=1'],
    ['Cookie', 'b=2'],
  ]
  const names = new Set(expected.map(([name]) => name))
  assert.deepEqual(
    backend.requests[0]!.fields.filter(([name]) => names.has(name)),
    expected,
  )
  assert.deepEqual(
    reply.fields.filter(([name]) => names.has(name)),
    expected,
  )
  assert.deepEqual(fieldValues(reply, 'set-cookie'), ['a=1', 'b=2'])
})

leakTest('an answer without Date gets one; one with Date keeps it', async (scope) => {
  const { client } = await scripted(scope, [
    [request(), write(answer('')), request(), write(answer('', { Date: 'Mon, 01 Jan 2024 00:00:00 GMT' }))],
  ])
  const own = fieldValue(await client.request(get('/')), 'date')
  assert.ok(Math.abs(Date.parse(own ?? '') - Date.now()) < 5000, own)
  assert.deepEqual(fieldValues(await client.request(get('/')), 'date'), ['Mon, 01 Jan 2024 00:00:00 GMT'])
})
