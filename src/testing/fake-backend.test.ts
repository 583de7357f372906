import assert from 'node:assert/strict'
import { Agent, get, request } from 'node:http'
import { test } from 'node:test'
import { fakeBackend } from './fake-backend.ts'
import { fakeTcpBackend } from './fake-tcp-backend.ts'
import { send } from './test-answer.ts'

const ask = (port: number, asked = {}) => send({ port, secure: false }, asked)

test('it answers as it is told, for ever or once, and remembers what it was asked', async () => {
  await using backend = await fakeBackend({ name: 'a' })
  assert.equal((await ask(backend.port)).text, 'a')
  backend.answer({ status: 201, headers: { 'X-Two': ['1', '2'] }, body: { ok: true } })
  backend.answerOnce(({ text }) => ({ body: text.toUpperCase() })).answerOnce('reset')
  const posted = await ask(backend.port, {
    method: 'POST',
    path: '/x?y=1',
    body: 'hello',
    headers: { 'X-A': ['1', '2'] },
  })
  assert.deepEqual([posted.status, posted.text], [200, 'HELLO'])
  assert.equal((await ask(backend.port)).error, 'ECONNRESET')
  const later = await ask(backend.port)
  assert.deepEqual([later.status, later.json(), later.headers['x-two']], [201, { ok: true }, '1, 2'])
  const seen = backend.requests[1]!
  assert.deepEqual(
    [seen.method, seen.target, seen.path, seen.query, seen.text, seen.headers['x-a']],
    ['POST', '/x?y=1', '/x', '?y=1', 'hello', '1, 2'],
  )
  assert.ok(seen.rawHeaders.some(([name, value]) => name === 'X-A' && value === '2'))
  assert.equal((await backend.waitFor(4)).length, 4)
  backend.clear()
  assert.equal(backend.requests.length, 0)
})

test('its faults are faults', async () => {
  await using backend = await fakeBackend()
  const errorOf = async (fault: 'close' | 'cut' | 'garbage'): Promise<string> => {
    backend.answer(fault)
    return (await ask(backend.port)).error
  }
  assert.equal(await errorOf('close'), 'ECONNRESET')
  assert.equal(await errorOf('cut'), 'ECONNRESET')
  assert.match(await errorOf('garbage'), /^HPE_/)
  backend.answer('hang')
  assert.equal((await ask(backend.port, { timeoutMs: 20 })).error, 'timeout')
  backend.answer(() => {
    throw new Error('no')
  })
  assert.match((await ask(backend.port)).text, /the script of the fake backend failed: Error: no/)
})

test('down it refuses, and resets what is open; up it has the same port', async () => {
  await using backend = await fakeBackend()
  const { url, port } = backend
  const agent = new Agent({ keepAlive: true })
  const socketGone = new Promise((resolve) => {
    get({ port, host: '127.0.0.1', agent }, (response) => response.resume()).on('socket', (socket) =>
      socket.on('close', resolve),
    )
  })
  await backend.waitFor(1)
  await backend.down()
  await socketGone
  assert.equal((await ask(port)).error, 'ECONNREFUSED')
  await backend.down()
  await backend.up()
  assert.equal(backend.url, url)
  assert.equal((await ask(port)).status, 200)
  assert.equal(backend.connections, 2)
  agent.destroy()
})

test('a client that goes away is no matter', async () => {
  await using backend = await fakeBackend({ answer: 'hang' })
  const outgoing = request({ port: backend.port, host: '127.0.0.1' }).on('error', () => undefined)
  outgoing.end()
  await backend.waitFor(1)
  assert.equal(backend.active, 1)
  outgoing.destroy()
})

test('a TCP backend says everything back, or what its script says', async () => {
  await using echo = await fakeTcpBackend({ name: 'echo' })
  await using greeting = await fakeTcpBackend({ onConnection: (socket) => socket.end('hello\n') })
  const talk = (port: number, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      import('node:net').then(({ connect }) => {
        let got = ''
        const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(text))
        socket
          .on('data', (part) => (got += part))
          .on('end', () => resolve(got))
          .on('error', reject)
      }, reject)
    })
  assert.equal(await talk(echo.port, 'abc'), 'abc')
  assert.equal(await talk(greeting.port, 'abc'), 'hello\n')
  const { text, ended } = await echo.connection()
  assert.deepEqual([text, ended], ['abc', true])
  assert.match(echo.url, /^tcp:\/\/127\.0\.0\.1:\d+$/)
})
