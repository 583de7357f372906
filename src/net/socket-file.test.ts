import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { folder } from '../../test/support/program.ts'
import { checkSocketPath, SocketFile } from './socket-file.ts'

function server(t: TestContext): Server {
  // Whoever only looks whether somebody is there has gone before it is answered.
  const made = createServer((socket) => socket.on('error', () => {}).end('here'))
  t.after(() => made.close())
  return made
}

async function bind(to: Server, path: string): Promise<void> {
  to.listen(path)
  await once(to, 'listening')
}

/** What whoever connects reads, or the error code. */
function reach(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('data', (bytes) => resolve(String(bytes)))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
}

/** The file that a killed program leaves behind. */
async function leaveBehind(path: string): Promise<void> {
  const code = 'require("node:net").createServer().listen(process.argv[1], () => console.log("ready"))'
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const codeIs = (code: string) => (error: NodeJS.ErrnoException) => error.code === code

test('a new socket is reached under its path, has its permissions, and leaves nothing else', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'a.sock')
  const listening = server(t)
  let boundIn = ''
  const file = await SocketFile.create(path, 0o640, async (bound) => {
    boundIn = dirname(bound)
    assert.equal(statSync(boundIn).mode & 0o777, 0o700, 'others could enter the folder that it is bound in')
    await bind(listening, bound)
  })
  assert.equal(dirname(boundIn), dir)
  assert.equal(lstatSync(path).mode & 0o777, 0o640)
  assert.deepEqual(readdirSync(dir), ['a.sock'])
  assert.equal(await reach(path), 'here')
  file.remove()
  assert.deepEqual(readdirSync(dir), [])
  file.remove()
})

test('without a mode the permissions are those that the umask gives', async (t) => {
  const path = join(folder(t), 'a.sock')
  const listening = server(t)
  const umask = process.umask(0o077)
  t.after(() => process.umask(umask))
  await SocketFile.create(path, null, (bound) => bind(listening, bound))
  assert.equal(lstatSync(path).mode & 0o777, 0o700)
})

test('what a dead program left is replaced', async (t) => {
  const path = join(folder(t), 'a.sock')
  await leaveBehind(path)
  assert.equal(await reach(path), 'ECONNREFUSED')
  await SocketFile.create(path, null, (bound) => bind(server(t), bound))
  assert.equal(await reach(path), 'here')
})

test('a socket that somebody listens on is in use', async (t) => {
  const path = join(folder(t), 'a.sock')
  await bind(server(t), path)
  await assert.rejects(checkSocketPath(path), codeIs('EADDRINUSE'))
  await assert.rejects(
    SocketFile.create(path, null, () => assert.fail('bound')),
    codeIs('EADDRINUSE'),
  )
  assert.equal(await reach(path), 'here')
})

test('another kind of file is an error, and stays', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'precious')
  writeFileSync(path, 'text')
  await assert.rejects(checkSocketPath(path), codeIs('ENOTSOCK'))
  assert.equal(readFileSync(path, 'utf8'), 'text')
  mkdirSync(join(dir, 'folder'))
  await assert.rejects(checkSocketPath(join(dir, 'folder')), codeIs('ENOTSOCK'))
  symlinkSync(path, join(dir, 'link'))
  await assert.rejects(checkSocketPath(join(dir, 'link')), codeIs('ENOTSOCK'))
})

test('a folder that is not there, and a path that is too long, have a code that says so', async (t) => {
  const dir = folder(t)
  await assert.rejects(checkSocketPath(join(dir, 'nowhere', 'a.sock')), codeIs('ENOENT'))
  writeFileSync(join(dir, 'file'), '')
  await assert.rejects(checkSocketPath(join(dir, 'file', 'a.sock')), codeIs('ENOTDIR'))
  await assert.rejects(checkSocketPath(join(dir, 'a'.repeat(108 - dir.length))), codeIs('ENAMETOOLONG'))
})

test('whoever comes first gets the path; nothing of the other one is left', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'a.sock')
  const first = server(t)
  const second = SocketFile.create(path, null, async (bound) => {
    await bind(server(t), bound)
    await bind(first, path)
  })
  await assert.rejects(second, codeIs('EADDRINUSE'))
  assert.deepEqual(readdirSync(dir), ['a.sock'])
  assert.equal(await reach(path), 'here')
})

test('two that find the same dead socket: one gets the path', async (t) => {
  const path = join(folder(t), 'a.sock')
  await leaveBehind(path)
  const outcomes = await Promise.allSettled(
    [1, 2, 3].map(() => SocketFile.create(path, null, (bound) => bind(server(t), bound))),
  )
  const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : ''))
  assert.deepEqual(errors.sort(), ['', 'EADDRINUSE', 'EADDRINUSE'])
})

test('a file that is another one by now is not removed', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'a.sock')
  const file = await SocketFile.create(path, null, (bound) => bind(server(t), bound))
  const aside = join(dir, 'aside')
  linkSync(path, aside)
  await bind(server(t), join(dir, 'other'))
  renameSync(join(dir, 'other'), path)
  file.remove()
  assert.equal(await reach(path), 'here')
  assert.ok(existsSync(aside))
})
