// An embedded Frontdesk in a process of its own: it says nothing, catches no signal, and keeps nothing alive once closed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { within } from '../support/wait.ts'
import { root } from './cli-process.ts'

/** Runs a program of TypeScript as if it lay in the repository's root. */
async function run(t: TestContext, program: string) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], { cwd: root, env })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
  const [code, signal] = (await within('the end of the process', once(child, 'close'), 20_000)) as unknown[]
  return { code, signal, output }
}

const setting = `
  import { createServer } from 'node:http'
  import { once } from 'node:events'
  import { createFrontdesk } from 'frontdesk'
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const backends = ['http://127.0.0.1:' + server.address().port]
`

for (const workers of [0, 2]) {
  test(`after close() the process ends by itself, having said nothing (workers: ${workers})`, async (t) => {
    const program = `${setting}
      const signals = () => ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT', 'exit', 'uncaughtException',
        'unhandledRejection', 'beforeExit'].map((name) => process.listenerCount(name)).join()
      const before = signals()
      const proxy = await createFrontdesk({ port: 0, admin_port: 0, backends, workers: ${workers} })
      await proxy.start()
      const events = proxy.events()
      const answer = await fetch('http://127.0.0.1:' + proxy.listeners[0].port)
      if (await answer.text() !== 'hello') process.exitCode = 2
      if (signals() !== before) process.exitCode = 3
      await proxy.close()
      server.close()
      server.closeAllConnections()
      if (process.exitCode === undefined) process.exitCode = 42
    `
    assert.deepEqual(await run(t, program), { code: 42, signal: null, output: '' })
  })
}

test('an import does nothing, and a start that fails keeps no process alive', async (t) => {
  assert.deepEqual(await run(t, `import 'frontdesk'`), { code: 0, signal: null, output: '' })
  const program = `${setting}
    const listeners = [{ name: 'a', listen: '127.0.0.1:' + server.address().port }]
    for (const workers of [0, 1]) {
      const proxy = await createFrontdesk({ listeners, backends, workers })
      await proxy.start().catch(({ code }) => { process.exitCode = code === 'EADDRINUSE' ? 42 : 1 })
    }
    server.close()
  `
  assert.deepEqual(await run(t, program), { code: 42, signal: null, output: '' })
})

test('a signal means what the program says it means: without a handler of its own, the end', async (t) => {
  const program = `${setting}
    const proxy = await createFrontdesk({ port: 0, backends })
    await proxy.start()
    process.kill(process.pid, 'SIGTERM')
  `
  assert.deepEqual(await run(t, program), { code: null, signal: 'SIGTERM', output: '' })
})
