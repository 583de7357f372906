// Where a message ends is never a matter of opinion: one reading, or none.
import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, get, post, postChunked } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { type Outcome, RawClient } from '../support/raw-client.ts'
import { request, startScriptedBackend, write } from '../support/scripted-backend.ts'

interface Place {
  readonly backend: ActingBackend
  /** The outcome of these bytes on a new connection. */
  send(bytes: string, method?: string): Promise<Outcome>
}

async function place(scope: Scope): Promise<Place> {
  const backend = scope.use(await startActingBackend())
  const proxy = scope.use(await startProxy([backend.url]))
  return {
    backend,
    async send(bytes, method = 'POST') {
      const client = scope.use(await RawClient.open(proxy.port))
      return client.write(bytes).read(method)
    },
  }
}

/** What the client gets when the backend answers with these bytes. */
async function answered(scope: Scope, bytes: string): Promise<Outcome> {
  const backend = scope.use(await startScriptedBackend([[request(), write(bytes)]]))
  const proxy = scope.use(await startProxy([backend.url], { pool: { retries: { attempts: 0 } } }))
  const client = scope.use(await RawClient.open(proxy.port))
  return client.write(get('/')).read()
}

const statusOfOutcome = (outcome: Outcome): number => (outcome.kind === 'reply' ? outcome.reply.status : 0)

async function refused({ backend, send }: Place, bytes: string, statuses: readonly number[] = [400]): Promise<void> {
  const outcome = await send(bytes)
  assert.ok(
    statuses.includes(statusOfOutcome(outcome)),
    `${JSON.stringify(bytes.slice(0, 120))} got ${statusOfOutcome(outcome)}`,
  )
  assert.equal(backend.started, 0, 'nothing reaches the backend')
}

leakTest('CVE-2022-45059: Connection cannot remove what frames and routes a message', async (scope) => {
  const { backend, send } = await place(scope)
  const outcome = await send(
    post('/', 'hello', { Connection: 'host, content-length, transfer-encoding, x-gone', 'X-Gone': '1' }),
  )
  assert.equal(statusOfOutcome(outcome), 200)
  const names = backend.requests[0]?.fields.map(([name]) => name.toLowerCase()) ?? []
  assert.ok(names.includes('host') && names.includes('content-length'), names.join(' '))
  assert.ok(!names.includes('x-gone'))
  assert.equal(backend.requests[0]?.body, 'hello')
})

leakTest('CVE-2023-40225: an empty Content-Length is refused, and a forwarded one is written anew', async (scope) => {
  const at = await place(scope)
  await refused(at, post('/', 'hello', { 'Content-Length': '' }))
  assert.equal(statusOfOutcome(await at.send(post('/', 'hello', { 'Content-Length': '0005' }))), 200)
  assert.ok(
    at.backend.requests[0]?.fields.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '5'),
  )
})

leakTest('CVE-2024-27982: no line is ever skipped: a space before the colon and folding are refused', async (scope) => {
  const at = await place(scope)
  await refused(at, 'POST / HTTP/1.1\r\nHost: t.example\r\nContent-Length : 5\r\n\r\nhello')
  await refused(at, 'POST / HTTP/1.1\r\nHost: t.example\r\nX-A: 1\r\n Content-Length: 5\r\n\r\nhello')
  await refused(at, 'POST / HTTP/1.1\r\nHost: t.example\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n')
  const spaced = await answered(scope, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length : 4\r\n\r\nhello')
  assert.equal(statusOfOutcome(spaced), 502)
})

leakTest('CVE-2022-32213: Transfer-Encoding is exactly chunked, or the message is refused', async (scope) => {
  const at = await place(scope)
  const wrong = [
    'identity',
    'gzip',
    'gzip, chunked',
    'chunked, chunked',
    'chunked, identity',
    'xchunked',
    '"chunked"',
    '',
  ]
  for (const coding of wrong) {
    await refused(at, `${postChunked('/', { 'Transfer-Encoding': coding })}0\r\n\r\n`, [400, 501])
    assert.equal(
      statusOfOutcome(await answered(scope, `${answerChunked({ 'Transfer-Encoding': coding })}0\r\n\r\n`)),
      502,
      coding,
    )
  }
  assert.equal(statusOfOutcome(await at.send(`${postChunked('/', { 'Transfer-Encoding': 'CHUNKED' })}0\r\n\r\n`)), 200)
})

leakTest('CVE-2013-2028: chunk sizes are counted exactly or refused', async (scope) => {
  const at = await place(scope)
  for (const size of ['ffffffffffffffff', '8000000000000000', '10000000000000005', '20000000000001', '-1']) {
    await refused(at, `${postChunked('/')}${size}\r\nhello\r\n0\r\n\r\n`, [400, 413])
    const outcome = await answered(scope, `${answerChunked()}${size}\r\nhello\r\n0\r\n\r\n`)
    assert.ok(outcome.kind === 'closed' || statusOfOutcome(outcome) === 502, size)
  }
})

leakTest('CVE-2023-25725: an empty field name hides nothing: the message is refused', async (scope) => {
  const at = await place(scope)
  await refused(at, 'POST / HTTP/1.1\r\nHost: t.example\r\n: x\r\nContent-Length: 5\r\n\r\nhello')
  assert.equal(statusOfOutcome(await answered(scope, 'HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 5\r\n\r\nhello')), 502)
})

leakTest('CVE-2022-37436: a malformed head of an answer is a 502, and nothing of it becomes a body', async (scope) => {
  for (const line of ['bad line', 'X A: 1', 'X-A: a\0b', '\r', ' X-A: 1\r\nX-B: 2']) {
    const outcome = await answered(scope, `HTTP/1.1 200 OK\r\n${line}\r\nContent-Security-Policy: none\r\n\r\nhello`)
    if (outcome.kind !== 'reply') continue
    assert.equal(outcome.reply.status, 502, JSON.stringify(line))
    assert.ok(!outcome.reply.raw.includes('Content-Security-Policy'))
  }
})

leakTest(
  'CVE-2023-25690: nothing in a request can add a line or a word to what is written to the backend',
  async (scope) => {
    const at = await place(scope)
    const encoded = '/a%0d%0aX-Evil:%201%20HTTP/1.1?x=%0aGET%20/y'
    assert.equal(statusOfOutcome(await at.send(get(encoded), 'GET')), 200)
    assert.equal(at.backend.requests[0]?.target, encoded)
    assert.ok(at.backend.requests[0]?.fields.every(([name]) => name.toLowerCase() !== 'x-evil'))
    for (const target of ['/a b', '/a\tb', '/a\rb', '/a\nb', '/a\0b', '/a\x7fb']) {
      const outcome = await at.send(get(target), 'GET')
      assert.equal(statusOfOutcome(outcome), 400, JSON.stringify(target))
    }
    assert.equal(at.backend.started, 1)
  },
)

leakTest(
  'CVE-2025-66490: the path goes on as it came: encoded separators and dot segments are not rewritten',
  async (scope) => {
    const at = await place(scope)
    for (const target of ['/a%2Fb', '/a/%2e%2e/b', '//a', '/a;x=1/b', '/%C3%A9?q=%2F']) {
      assert.equal(statusOfOutcome(await at.send(get(target), 'GET')), 200, target)
      assert.equal(at.backend.requests.at(-1)?.target, target)
    }
  },
)

leakTest('CVE-2022-38150: no reason phrase, however odd, does more than get dropped', async (scope) => {
  for (const reason of ['', '%s%n', '__proto__', 'caf\xe9', 'x'.repeat(4000), '"\\', '200', '\xff\xfe']) {
    const outcome = await answered(scope, answer('hello', {}, `200 ${reason}`))
    const status = statusOfOutcome(outcome)
    assert.ok(status === 200 || status === 502, `${JSON.stringify(reason.slice(0, 40))}: ${status}`)
  }
})

leakTest('http-proxy issue 1647: a Trailer field of the client breaks nothing', async (scope) => {
  const at = await place(scope)
  for (const trailer of ['X-Sum', 'Content-Length', ', ,', 'x\xe9', 'Host, Transfer-Encoding']) {
    const outcome = await at.send(post('/', 'hello', { Trailer: trailer }))
    assert.equal(statusOfOutcome(outcome), 200, trailer)
  }
  assert.equal(at.backend.requests.length, 5)
})

leakTest('measured: raw UTF-8 in a field value beside a Content-Length passes byte for byte', async (scope) => {
  const name = 'attachment; filename="\xe2\x82\xac.txt"'
  const outcome = await answered(scope, answer('hello', { 'Content-Disposition': name }))
  assert.ok(outcome.kind === 'reply' && outcome.reply.status === 200)
  assert.ok(outcome.reply.fields.some(([, value]) => value === name))
})
