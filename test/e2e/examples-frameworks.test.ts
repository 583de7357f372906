// The examples inside other servers: what is theirs stays theirs, what is passed on arrives whole, WebSockets too.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import WebSocket from 'ws'
import { copyExample, demoBackends, Example } from '../support/example.ts'
import { leakTest } from '../support/leaks.ts'
import { ask } from '../support/load.ts'

for (const name of ['express', 'fastify'] as const) {
  leakTest(`${name}: requests below /api go to two servers in turn, others do not`, async (scope) => {
    const backends = await demoBackends(scope, 'a', 'b')
    const { port } = await Example.program(scope, {
      dir: copyExample(scope, name),
      file: 'server.ts',
      env: { BACKENDS: backends.join(' ') },
    })

    const own = await ask(port)
    assert.deepEqual([own.status, own.body], [200, `${name === 'express' ? 'Express' : 'Fastify'} says hello\n`])
    for (const path of ['/apix', '/elsewhere']) {
      const { status, headers } = await ask(port, { path })
      assert.deepEqual([status, headers.via], [404, undefined], path)
    }

    const headers = { 'content-type': 'application/json' }
    const answers = [
      await ask(port, { path: '/api/users?a=b' }),
      await ask(port, { path: '/api/users', method: 'POST', headers, body: '{"a":1}' }),
      await ask(port, { path: '/api' }),
    ]
    const seen = answers.map(({ status, body }) => {
      const { backend, path, body: sent } = JSON.parse(body) as Record<string, unknown>
      return [status, backend, path, sent]
    })
    assert.deepEqual(seen, [
      [200, 'a', '/users?a=b', undefined],
      [200, 'b', '/users', '{"a":1}'],
      [200, 'a', '/', undefined],
    ])
  })

  leakTest(`${name}: WebSockets below /api`, async (scope) => {
    const [backend] = await demoBackends(scope, 'a')
    const { port } = await Example.program(scope, {
      dir: copyExample(scope, name),
      file: 'server.ts',
      env: { BACKENDS: backend! },
    })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/ws`)
    await once(socket, 'open')
    socket.send('hello')
    assert.equal(String((await once(socket, 'message'))[0]), 'hello')
    socket.close()
    await once(socket, 'close')

    const other = new WebSocket(`ws://127.0.0.1:${port}/other`)
    const [error] = (await once(other, 'error')) as [Error]
    assert.match(error.message, /404/)
  })
}
