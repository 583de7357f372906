// Started by systemd's rules with sockets that are there already: through the launcher, under an old Node and a new one.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, existsSync, linkSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { ask } from '../support/load.ts'
import { PassedSocket } from '../support/passed-socket.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, writeConfig } from '../support/program.ts'
import { until } from '../support/wait.ts'
import { CliProcess, launcher, oldNode, root } from './cli-process.ts'

interface Passing {
  readonly node: string
  readonly dir: string
  readonly descriptors: readonly number[]
  /** Default: how many descriptors there are. */
  readonly count?: number
  readonly names?: string
  /** Default: as the rules want it. */
  readonly pid?: string
}

/** `frontdesk run`, with the variables that go with the descriptors. The shell's number becomes that of the launcher. */
function activate(t: TestContext, o: Passing): CliProcess {
  const count = o.count ?? o.descriptors.length
  const names = o.names === undefined ? '' : `LISTEN_FDNAMES=${o.names}`
  const script = `export LISTEN_FDS=${count} LISTEN_PID=${o.pid ?? '$$'} ${names}; exec "$0" "$@"`
  const args = [script, o.node, launcher, 'run', '--workers', '2']
  const env = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') }
  return new CliProcess(t, args, { node: 'sh', script: '-c', cwd: o.dir, env, descriptors: o.descriptors })
}

async function configured(t: TestContext, ...names: string[]): Promise<string> {
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const dir = folder(t)
  writeConfig(dir, {
    listeners: names.map((name, index) => ({ name: `l${index}`, listen: `systemd:${name}` })),
    backends: [backend.url],
    state_file: null,
  })
  return dir
}

const nodes = [
  ['this Node', process.execPath, false],
  ['an old Node', oldNode ?? '', oldNode === undefined ? 'needs an old Node on the machine' : false],
] as const

for (const [what, node, skip] of nodes) {
  test(`sockets by name and by number, under ${what}`, { skip }, async (t) => {
    const dir = await configured(t, 'web', '2')
    const path = join(dir, 'app.sock')
    const web = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
    const other = await PassedSocket.listen({ port: 0, host: '127.0.0.2' })
    const app = await PassedSocket.listen({ path: `${path}.here` })
    const spare = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
    const sockets = [web, other, app, spare]
    const program = activate(t, { node, dir, descriptors: sockets.map(({ fd }) => fd), names: 'web:web:app:spare' })
    linkSync(`${path}.here`, path)
    for (const socket of sockets) socket.close()
    const [line] = await program.says(/.*"event":"started".*/)
    const { listeners } = JSON.parse(line) as { listeners: Record<string, unknown>[] }
    assert.deepEqual(
      listeners.map(({ name, host, port, inherited }) => ({ name, host, port, inherited })),
      [
        { name: 'l0', host: '127.0.0.1', port: web.port, inherited: 'web' },
        { name: 'l1', host: '', port: 0, inherited: '2' },
      ],
    )
    assert.deepEqual(
      listeners.map(({ others }) => others),
      [[`http://127.0.0.2:${other.port}`], undefined],
    )
    assert.match(
      `${program.stdout}${program.stderr}`,
      /"unused_socket".*no listener asks for the socket spare \(file descriptor 6\)/,
    )
    for (let nth = 0; nth < 5; nth++) {
      assert.equal((await ask(web.port)).status, 200)
      assert.equal((await ask(other.port, { host: '127.0.0.2' })).status, 200)
      assert.equal((await ask(0, { socketPath: path })).status, 200)
    }
    program.child.kill('SIGTERM')
    assert.equal((await program.ended()).code, 0)
    // Nobody holds them any more, the launcher neither.
    assert.equal((await ask(web.port)).error, 'ECONNREFUSED')
    assert.equal((await ask(0, { socketPath: path })).error, 'ECONNREFUSED')
  })

  test(`a socket that nobody asked for yet is used live, given up, and not to be had again, under ${what}`, {
    skip,
  }, async (t) => {
    const dir = await configured(t, 'web')
    const configure = (...names: string[]): void => {
      const config = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as object
      const listeners = names.map((name) => ({ name: `l-${name}`, listen: `systemd:${name}` }))
      writeConfig(dir, { ...config, listeners })
      program.child.kill('SIGHUP')
    }
    const web = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
    const spare = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
    const program = activate(t, { node, dir, descriptors: [web.fd, spare.fd], names: 'web:spare' })
    for (const socket of [web, spare]) socket.close()
    await program.says(/"event":"started"/)
    configure('web', 'spare')
    await program.says(/listener l-spare listens on systemd:spare/)
    assert.equal((await ask(spare.port)).status, 200)
    assert.equal((await ask(web.port)).status, 200)
    configure('web')
    await program.says(/listener l-spare on systemd:spare is closed/)
    assert.equal((await ask(spare.port)).error, 'ECONNREFUSED')
    configure('web', 'spare')
    await program.says(/the socket with file descriptor 4 was given up when the listener that had it was removed/)
    assert.equal((await ask(web.port)).status, 200)
    configure('web', 'other')
    await program.says(/systemd:other: no such socket was passed/)
    assert.equal((await ask(web.port)).status, 200)
  })

  test(`what keeps a passed socket from being used is told, under ${what}; exit 69`, { skip }, async (t) => {
    const dir = await configured(t, 'web')
    const fails = async (o: Omit<Passing, 'node' | 'dir'>, message: RegExp): Promise<void> => {
      const { code, stderr } = await activate(t, { node, dir, ...o }).ended()
      assert.match(stderr, message)
      assert.equal(code, 69)
    }
    const web = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => web.close())
    const descriptors = [web.fd]
    await fails(
      { descriptors, names: 'wob' },
      /^frontdesk: cannot listen on systemd:web: no such socket was passed, only 0 \(wob\)\n.*FileDescriptorName=web/,
    )
    await fails({ descriptors, names: 'web', pid: '1' }, /systemd:web: LISTEN_PID is 1, this process is \d+\n/)

    const file = openSync(join(dir, 'config.json'), 'r')
    t.after(() => closeSync(file))
    await fails({ descriptors: [file], names: 'web' }, /systemd:web: file descriptor 3 is no socket/)

    const datagrams = createSocket('udp4').bind(0, '127.0.0.1')
    await once(datagrams, 'listening')
    t.after(() => datagrams.close())
    await fails({ descriptors: [descriptorOf(datagrams)], names: 'web' }, /file descriptor 3 does not listen for conn/)

    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as { port: number }).port, '127.0.0.1')
    const [accepted] = await once(server, 'connection')
    t.after(() => {
      client.destroy()
      accepted.destroy()
      server.close()
    })
    await fails({ descriptors: [descriptorOf(accepted)], names: 'web' }, /does not listen for conn.*Accept=no/)
  })
}

/** The descriptor below one of Node's sockets. */
function descriptorOf(socket: object): number {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  const holder = symbol === undefined ? socket : (socket as Record<symbol, { handle: object }>)[symbol]!
  const { handle, _handle = handle } = holder as { handle?: { fd: number }; _handle?: { fd: number } }
  return _handle!.fd
}

const activator = '/usr/bin/systemd-socket-activate'

test('systemd-socket-activate starts it at the first connection, which is served', {
  skip: existsSync(activator) ? false : `${activator} is not installed`,
}, async (t) => {
  const dir = await configured(t, 'web', 'app')
  const port = await refusingPort()
  const path = join(dir, 'app.sock')
  const options = ['-l', `127.0.0.1:${port}`, '-l', path, '--fdname=web:app', ...keep(process.env)]
  const args = [...options, oldNode ?? process.execPath, launcher, 'run', '--workers', '2']
  const program = new CliProcess(t, args.slice(1), { node: activator, script: args[0]!, cwd: dir })
  await until('it listens', () => existsSync(path))
  assert.equal((await ask(port)).status, 200)
  assert.equal((await ask(0, { socketPath: path })).status, 200)
  program.child.kill('SIGTERM')
  assert.equal((await program.ended()).code, 0)
})

/** It passes on no variables but those that it is told to. */
function keep(env: NodeJS.ProcessEnv): string[] {
  return ['PATH', 'HOME'].filter((name) => env[name] !== undefined).flatMap((name) => ['-E', name])
}
