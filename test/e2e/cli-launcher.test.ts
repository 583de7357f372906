// bin/frontdesk.js: which Node runs the program, and what signals and exit codes look like through it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { refusingPort } from '../support/ports.ts'
import { CliProcess, cli, launcher, oldNode, root } from './cli-process.ts'

const bundled = join(root, 'node_modules', '.bin', 'node')
const skip =
  oldNode === undefined || !existsSync(bundled) ? 'needs an old Node on the machine and the bundled one' : false

/** A proxy under the old Node, in a process group of its own, with an event stream open through it: three events, or as the query says. */
async function proxyWithStream(
  t: TestContext,
  query = '?count=3&interval=300',
): Promise<{ proxy: CliProcess; stream: IncomingMessage }> {
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const port = await refusingPort()
  const args = ['proxy', '--from', `127.0.0.1:${port}`, '--to', backend.url, '--workers', '1']
  const proxy = new CliProcess(t, args, { node: oldNode!, detached: true })
  await proxy.says(/"event":"started"/)
  const request = get(`http://127.0.0.1:${port}/sse${query}`, { agent: false })
  const [stream] = (await once(request, 'response')) as [IncomingMessage]
  return { proxy, stream }
}

async function events(stream: IncomingMessage): Promise<number> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text.match(/^id: /gm)?.length ?? 0
}

test('under an old Node the bundled one runs the program; exit codes are its own', { skip }, async (t) => {
  const version = await cli(t, ['version', '--json'], { node: oldNode! })
  assert.match((JSON.parse(version.stdout) as { node: string }).node, /^24\./)
  assert.equal(version.code, 0)
  assert.equal((await cli(t, ['nonsense'], { node: oldNode! })).code, 2)
  const admin = `127.0.0.1:${await refusingPort()}`
  assert.equal((await cli(t, ['status', '--admin', admin], { node: oldNode! })).code, 1)
})

test('without a Node new enough it says in one line what is needed, and exits 69', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-launcher-'))
  t.after(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'bin'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  copyFileSync(launcher, join(dir, 'bin', 'frontdesk.js'))
  const ended = await cli(t, ['version'], { node: oldNode!, script: join(dir, 'bin', 'frontdesk.js') })
  assert.match(ended.stderr, /^frontdesk: needs Node 24 or newer, this is \d+\.\d+\.\d+ .*\n$/)
  assert.equal(ended.code, 69)
})

test('one Ctrl-C, which the whole group gets, drains', { skip }, async (t) => {
  const { proxy, stream } = await proxyWithStream(t)
  proxy.signal('SIGINT')
  assert.equal(await events(stream), 3)
  assert.equal((await proxy.ended()).code, 0)
})

test('a signal that only the launcher gets is passed on; a second TERM does not force', { skip }, async (t) => {
  const { proxy, stream } = await proxyWithStream(t)
  proxy.child.kill('SIGTERM')
  await proxy.says(/"event":"draining"/)
  proxy.child.kill('SIGTERM')
  assert.equal(await events(stream), 3)
  assert.equal((await proxy.ended()).code, 0)
})

test('a second Ctrl-C forces, and the launcher exits with 130', { skip }, async (t) => {
  const { proxy, stream } = await proxyWithStream(t, '')
  stream.on('error', () => {})
  const pressing = setInterval(() => proxy.signal('SIGINT'), 100)
  t.after(() => clearInterval(pressing))
  assert.equal((await proxy.ended()).code, 130)
})

test('when the launcher dies, the program drains and ends', { skip }, async (t) => {
  const { proxy, stream } = await proxyWithStream(t)
  proxy.child.kill('SIGKILL')
  assert.equal(await events(stream), 3)
  const ended = await proxy.ended()
  assert.equal(ended.signal, 'SIGKILL')
  assert.match(ended.stdout, /"event":"draining".*launcher(.|\n)*"event":"stopped"/)
})
