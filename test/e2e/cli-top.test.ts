// `frontdesk top` in a real terminal: what it shows, its keys, sizes, signals, a stream that breaks.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { skipTmux, Tmux } from '../support/tmux.ts'
import { CliProcess, cli, launcher, root } from './cli-process.ts'

async function backend(t: TestContext): Promise<{ url: string; server: Server }> {
  const server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

interface Stand {
  readonly dir: string
  readonly admin: string
  readonly urls: readonly string[]
}

/** A Frontdesk with backends, and its address. */
async function stand(t: TestContext, count: number, more: Record<string, unknown> = {}): Promise<Stand> {
  const dir = folder(t)
  const urls: string[] = []
  for (let i = 0; i < count; i++) urls.push((await backend(t)).url)
  writeConfig(dir, { backends: urls, health_check_frequency: '1s', ...more })
  const program = await Program.start(t, dir, { workers: 1 })
  return { dir, admin: `http://127.0.0.1:${program.adminPort}`, urls }
}

/** `top` in a shell. */
async function openTop(
  t: TestContext,
  { dir, admin }: Pick<Stand, 'dir' | 'admin'>,
  size: { width?: number; height?: number } = {},
  args = '',
): Promise<Tmux> {
  const tmux = await Tmux.start(t, { ...size, cwd: dir, env: { FRONTDESK_ADMIN: admin } })
  await tmux.enter(`echo before; ${process.execPath} ${launcher} top ${args}; echo "ended with $?"`)
  await tmux.shows(/q quit/)
  return tmux
}

async function states(t: TestContext, { dir, admin }: Stand): Promise<[state: string, weight: number][]> {
  const { stdout } = await cli(t, ['backends', 'list', '--json'], { cwd: dir, env: { FRONTDESK_ADMIN: admin } })
  return (JSON.parse(stdout) as { state: string; weight: number }[]).map(({ state, weight }) => [state, weight])
}

test('top shows backends, drains, enables and weighs them, and gives the terminal back', {
  skip: skipTmux,
}, async (t) => {
  const it = await stand(t, 2)
  const [first, second] = it.urls as [string, string]
  const top = await openTop(t, it)
  await top.shows(new RegExp(`> ${first} +up +1 [\\s\\S]*  ${second} +up +1 `))

  await top.press('d')
  await top.shows(new RegExp(`drain ${first}\\? It gets no new requests\\. y/n`))
  await top.press('n')
  await top.shows(/q quit/)
  assert.deepEqual((await states(t, it))[0], ['up', 1])
  await top.press('d', 'y')
  await top.shows(new RegExp(`> ${first} +draining[\\s\\S]*is draining: e puts it back`))
  assert.deepEqual((await states(t, it))[0], ['draining', 1])
  await top.press('e')
  await top.shows(new RegExp(`> ${first} +up `))

  await top.press('Down', 'w')
  await top.shows(new RegExp(`weight of ${second}, now 1: _`))
  await top.press('7', '9', 'BSpace', 'Enter')
  await top.shows(new RegExp(`> ${second} +up +7 `))
  assert.deepEqual((await states(t, it))[1], ['up', 7])

  await top.press('q')
  const after = await top.shows(/ended with 0/)
  assert.match(after, /^before$/m)
  assert.doesNotMatch(after, /req\/s/)
  await top.enter('stty -a | grep -o -- "-*icanon"')
  await top.shows(/^icanon$/m)
})

test('top filters, sorts, pauses and helps', { skip: skipTmux }, async (t) => {
  const it = await stand(t, 3)
  const top = await openTop(t, it)
  const port = new URL(it.urls[1]!).port
  await top.shows(new RegExp(`:${port} +up`))
  await top.press('/')
  await top.type(port)
  const found = await top.shows(/1 of 3 backends/)
  assert.doesNotMatch(found, new RegExp(it.urls[0]!))
  await top.press('Escape')
  await top.shows(/^3 backends, sorted: configured$/m)
  await top.press('s', 's')
  await top.shows(/▾REQ\/S[\s\S]*sorted: req\/s/)
  await top.press('p')
  await top.shows(/PAUSED/)
  await top.press('p', '?')
  await top.shows(/change its weight[\s\S]*any key closes it/)
  await top.press('x')
  await top.shows(/BACKEND/)
})

test('top at 40 columns and at 200, and when the window changes', { skip: skipTmux }, async (t) => {
  const it = await stand(t, 2)
  const top = await openTop(t, it, { width: 40, height: 12 })
  const port = new URL(it.urls[0]!).port
  await top.shows(new RegExp(`BACKEND +STATE +REQ/S$[\\s\\S]*^> 127\\.0\\.0\\.1:${port} +up +0$`, 'm'))
  await top.resize(200, 30)
  await top.shows(/BACKEND +STATE +WEIGHT +OPEN +REQ\/S +ERR +P50 +P99 +LAST CHECK[\s\S]*ok \d s ago/)
  await top.resize(74, 10)
  const small = await top.shows(/BACKEND +STATE +WEIGHT +OPEN +REQ\/S/)
  assert.doesNotMatch(small, /LAST CHECK/)
})

test('of many backends top shows those that fit', { skip: skipTmux }, async (t) => {
  const dir = folder(t)
  const port = await refusingPort()
  const backends = Array.from(
    { length: 1000 },
    (_, i) => `http://127.0.${Math.floor(i / 250)}.${(i % 250) + 1}:${port}`,
  )
  writeConfig(dir, { pools: { default: { backends, health_check: { interval: '1h' } } } })
  const program = await Program.start(t, dir, { workers: 1 })
  const top = await openTop(t, { dir, admin: `http://127.0.0.1:${program.adminPort}` }, { height: 20 })
  await top.shows(/^> http:\/\/127\.0\.0\.1:\d+ [\s\S]*^1000 backends/m)
  await top.press('End')
  const screen = await top.shows(/^> http:\/\/127\.0\.3\.250:/m)
  assert.equal(screen.match(/http:\/\/127\.0\.3\./g)?.length, 13)
  await top.press('Home')
  await top.shows(/^> http:\/\/127\.0\.0\.1:/m)
})

test('a stream that breaks is said, and top goes on when Frontdesk is back', { skip: skipTmux }, async (t) => {
  const dir = folder(t)
  const admin = await refusingPort()
  writeConfig(dir, { backends: [(await backend(t)).url] })
  const args = ['--port', '0', '--admin-port', String(admin), '--workers', '1']
  const first = new CliProcess(t, args, { cwd: dir })
  await first.says(/"event":"started"/)
  const top = await openTop(t, { dir, admin: String(admin) })
  await top.shows(/1 backend, sorted/)
  first.signal('SIGKILL')
  await first.closed
  await top.shows(/stream lost \d+ s ago \(.+\); figures are old; trying again/)
  const second = new CliProcess(t, args, { cwd: dir })
  await second.says(/"event":"started"/)
  await top.shows(/1 backend, sorted/)
  await top.press('q')
  await top.shows(/ended with 0/)
})

test('Ctrl-Z gives the terminal back, fg goes on; TERM ends it cleanly', { skip: skipTmux }, async (t) => {
  const it = await stand(t, 1)
  const top = await openTop(t, it)
  await top.shows(/1 backend, sorted/)
  await top.press('C-z')
  await top.shows(/Stopped/)
  await top.enter('stty -a | grep -o -- "-*icanon"')
  await top.shows(/^icanon$/m)
  await top.enter('fg')
  await top.shows(/1 backend, sorted/)
  await top.press('C-z')
  await top.shows(/Stopped[\s\S]*fg[\s\S]*Stopped/)
  await top.enter('clear; kill -TERM %1; fg; echo "ended with $?"')
  await top.shows(/ended with 0/)
})

test('a crash gives the terminal back and shows the error', { skip: skipTmux }, async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'x'))
  const script = join(dir, 'x', 'crash.ts')
  writeFileSync(
    script,
    `import { FullScreen } from ${JSON.stringify(join(root, 'src/cli/top/full-screen.ts'))}
const screen = new FullScreen({ input: process.stdin, output: process.stdout, onKey() { throw new Error('a key too many') }, onChange() {}, onEnd() {} })
screen.open()
screen.draw(['the page'])
`,
  )
  const tmux = await Tmux.start(t, { cwd: dir })
  await tmux.enter(`${process.execPath} ${script}`)
  await tmux.shows(/^the page$/m)
  await tmux.press('x')
  const after = await tmux.shows(/a key too many/)
  assert.doesNotMatch(after, /^the page$/m)
  await tmux.enter('stty -a | grep -o -- "-*icanon"')
  await tmux.shows(/^icanon$/m)
})

test('who may only look is told so', { skip: skipTmux }, async (t) => {
  const it = await stand(t, 1, { admin: { token: 'full-token-of-the-test', read_token: 'read-token-of-the-test' } })
  const top = await openTop(t, it, {}, '--token read-token-of-the-test')
  await top.shows(/read only[\s\S]*> http/)
  await top.press('d')
  await top.shows(/read only: a change needs the full token/)
  const refused = await cli(t, ['backends', 'drain', it.urls[0]!, '--token', 'read-token-of-the-test'], {
    cwd: it.dir,
    env: { FRONTDESK_ADMIN: it.admin },
  })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /a change needs the full token/)
})

test('without a terminal top says so; --once prints one table or its figures', async (t) => {
  const it = await stand(t, 2)
  const env = { FRONTDESK_ADMIN: it.admin }
  const none = await cli(t, ['top'], { cwd: it.dir, env })
  assert.deepEqual([none.code, none.stdout], [2, ''])
  assert.match(none.stderr, /top needs a terminal[\s\S]*top --once/)
  const { stdout, code } = await cli(t, ['top', '--once'], { cwd: it.dir, env })
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`LAST CHECK\n  ${it.urls[0]} +up [\\s\\S]*\n  ${it.urls[1]} +up [^\n]*\n$`))
  const figures = JSON.parse((await cli(t, ['top', '--once', '--json'], { cwd: it.dir, env })).stdout) as {
    requests: { rate: number }
    backends: unknown[]
  }
  assert.deepEqual([figures.requests.rate, figures.backends.length], [0, 2])
})
