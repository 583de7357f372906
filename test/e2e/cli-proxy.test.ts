// `frontdesk proxy` over TCP, TLS and a Unix socket, and `frontdesk check --connect` on what they need.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { type Authority, haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { refusingPort } from '../support/ports.ts'
import { within } from '../support/wait.ts'
import { CliProcess, cli } from './cli-process.ts'

const skip = (await haveOpenssl()) ? false : 'needs the openssl program'

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-proxy-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

async function authority(t: TestContext): Promise<Authority> {
  const made = await makeAuthority()
  t.after(() => made.remove())
  return made
}

async function port(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that sends its name and then what it is sent. */
const echo = (t: TestContext, name: string): Promise<number> =>
  port(
    t,
    createServer((socket) => {
      socket.on('error', () => {})
      socket.write(`${name} `)
      socket.pipe(socket)
    }),
  )

/** Sends, ends its side (unless told otherwise), and gives back all that came. */
async function exchange(socket: Socket, text: string, send: 'end' | 'write' = 'end'): Promise<string> {
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  socket[send](text)
  await within('the end of the connection', once(socket, 'close'))
  return received
}

async function serve(t: TestContext, args: readonly string[]): Promise<{ url: string; port: number }> {
  const served = new CliProcess(t, ['proxy', ...args, '--workers', '1'], { cwd: folder(t) })
  const [line] = await served.says(/^\{.*"event":"started".*$/m)
  const { listeners } = JSON.parse(line!) as { listeners: { url: string; port: number }[] }
  return listeners[0]!
}

test('proxy --from tcp:// spreads connections over --to tcp://', async (t) => {
  const [red, green] = [await echo(t, 'red'), await echo(t, 'green')]
  const to = ['--to', `tcp://127.0.0.1:${red}`, '--to', `tcp://127.0.0.1:${green}`]
  const listener = await serve(t, ['--from', 'tcp://127.0.0.1:0', ...to])
  assert.equal(listener.url, `tcp://localhost:${listener.port}`)
  const answers: string[] = []
  for (let i = 0; i < 4; i++) answers.push(await exchange(connect(listener.port, '127.0.0.1'), 'hello'))
  assert.deepEqual(answers.sort(), ['green hello', 'green hello', 'red hello', 'red hello'])
})

test('proxy --from https:// --tls terminates TLS', { skip }, async (t) => {
  const ca = await authority(t)
  const { certPath, keyPath } = await ca.issue()
  const blue = await startDemoBackend({ name: 'blue', host: '127.0.0.1', port: 0 })
  t.after(() => blue.close())
  const listener = await serve(t, [
    '--from',
    'https://127.0.0.1:0',
    '--tls',
    `${certPath},${keyPath}`,
    '--to',
    blue.url,
  ])
  assert.equal(listener.url, `https://localhost:${listener.port}`)
  const socket = connectTls({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca: ca.pem })
  await within('the handshake', once(socket, 'secureConnect'))
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const answer = await exchange(socket, request, 'write')
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*blue/)
})

test('proxy --from unix: serves a socket', async (t) => {
  const path = join(folder(t), 'proxy.sock')
  const listener = await serve(t, ['--from', `unix:${path}`, '--to', `tcp://127.0.0.1:${await echo(t, 'red')}`])
  assert.equal(listener.url, `unix:${path}`)
  assert.equal(await exchange(connect(path), 'hello'), 'red hello')
})

test('proxy says in one line what does not fit, and exits 2', async (t) => {
  const ended = await cli(t, ['proxy', '--from', 'http://:0', '--to', 'tcp://127.0.0.1:1'])
  assert.equal(ended.stderr, 'frontdesk: --from http:// cannot serve tcp://127.0.0.1:1\n  --from tcp://ADDRESS\n')
  assert.equal(ended.code, 2)
})

test('the start-up message says of every listener where it is and what it does', { skip }, async (t) => {
  const ca = await authority(t)
  const { certPath: cert, keyPath: key } = await ca.issue()
  const [http, https, tcp, sni] = [
    await refusingPort(),
    await refusingPort(),
    await refusingPort(),
    await refusingPort(),
  ]
  const dir = folder(t)
  const socket = join(dir, 'web.sock')
  const config = {
    port: http,
    admin_port: await refusingPort(),
    backends: [`http://127.0.0.1:${await echo(t, 'red')}`],
    tls: { port: https, cert, key, redirect_http: true },
    listeners: [
      { name: 'pg', listen: `127.0.0.1:${tcp}`, protocol: 'tcp', pool: 'db' },
      { name: 'sni', listen: `:${sni}`, protocol: 'tls-passthrough', sni: { '*': 'db', 'a.b': 'other' } },
      { name: 'local', listen: `unix:${socket}` },
    ],
    pools: {
      db: { backends: [`tcp://127.0.0.1:${await echo(t, 'red')}`] },
      other: { backends: [`tcp://127.0.0.1:${await refusingPort()}`], health_check: { method: 'none' } },
    },
    workers: 1,
    logging: { format: 'text' },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const served = new CliProcess(t, [], { cwd: dir })
  const [block] = await served.says(/^ {2}frontdesk [\s\S]*Ctrl-C drains and stops$/m)
  const rows = block!.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '))
  assert.deepEqual(rows.slice(2, 7), [
    `pg  tcp://localhost:${tcp}  round-robin → 1 backend (1 up)`,
    `sni  tls://localhost:${sni}  server name → 2 pools → 2 backends (1 up, 1 not checked yet)`,
    `local  unix:${socket}  round-robin → 1 backend (1 up)`,
    `default  http://localhost:${http}  redirects to https (port ${https})`,
    `default-tls  https://localhost:${https}  round-robin → 1 backend (1 up)`,
  ])
  assert.equal(rows.at(-1), `try  curl -i --unix-socket ${socket} http://localhost/  Ctrl-C drains and stops`)
})

test('check --connect verifies backends with the settings of their pool, and shows the certificates', {
  skip,
}, async (t) => {
  const ca = await authority(t)
  const own = await ca.issue({ days: 3 })
  const { cert, key } = await ca.issue({ names: ['DNS:db.internal'] })
  const secured = await port(t, createTlsServer({ cert, key }))
  const plain = await echo(t, 'red')
  const shut = await refusingPort()
  const url = `tls://127.0.0.1:${secured}`
  const dir = folder(t)
  const tcp = (name: string) => ({ name, listen: `127.0.0.1:${10_000 + name.length}`, protocol: 'tcp', pool: name })
  const config = {
    listeners: [
      { ...tcp('good'), tls: { certificates: [{ cert: own.certPath, key: own.keyPath }] } },
      { name: 'sni', listen: 'unix:/run/x.sock', protocol: 'tls-passthrough', sni: { '*': 'plain', 'a.b': 'foreign' } },
      tcp('another'),
    ],
    pools: {
      good: { backends: [url], tls: { ca: ca.path, server_name: 'db.internal' } },
      foreign: { backends: [url], tls: { server_name: 'db.internal' } },
      another: { backends: [url], tls: { ca: ca.path } },
      plain: { backends: [`tcp://127.0.0.1:${plain}`, `tcp://127.0.0.1:${shut}`] },
    },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const connected = await cli(t, ['check', '--connect', '--json'], { cwd: dir })
  const { backends, certificates } = JSON.parse(connected.stdout) as {
    backends: { pool: string; ok: boolean; detail: string }[]
    certificates: { name: string; days_left: number }[]
  }
  const [good, foreign, another, open, refused] = backends
  assert.deepEqual(
    backends.map(({ ok }) => ok),
    [true, false, false, true, false],
  )
  assert.match(good!.detail, /^127\.0\.0\.1 in \d+ ms, TLSv1\.3$/)
  assert.match(foreign!.detail, /unknown authority.*"ca" in "tls" of the pool/)
  assert.match(another!.detail, /good for DNS:db\.internal, and 127\.0\.0\.1 was looked for; .*"server_name"/)
  assert.match(open!.detail, /^127\.0\.0\.1 in \d+ ms$/)
  assert.match(refused!.detail, /connection refused/)
  assert.equal(connected.code, 1)
  assert.deepEqual(
    certificates.map(({ name, days_left }) => [name, days_left]),
    [
      [own.certPath, 2],
      [ca.path, 3649],
    ],
  )
  const shown = await cli(t, ['check', '--connect'], { cwd: dir })
  assert.match(shown.stdout, /^ {2}good +127\.0\.0\.1:10004 +tls: round-robin → 1 backend of pool good$/m)
  assert.match(shown.stdout, /^ {2}sni +unix:\/run\/x\.sock +tls-passthrough: server name → 2 pools$/m)
  assert.match(shown.stdout, /^ {2}\/.*\/issued-\d+\.pem +good +localhost +until .* \(2 days\)$/m)
  assert.match(shown.stderr, /^warning: the certificate .*\.pem \(localhost\) expires in 2 days/m)
})

test('check --connect checks backends as their pools do: PROXY header, what is said, and what is expected', async (t) => {
  const heard: string[] = []
  const redis = await port(
    t,
    createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString('latin1'))
        if (/^PROXY UNKNOWN\r\n(?:.*)PING\r\n$/s.test(heard.join(''))) socket.write('+PONG\r\n')
      })
    }),
  )
  const loading = await port(
    t,
    createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => socket.write('-LOADING\r\n'))
    }),
  )
  const dir = folder(t)
  const health_check = { send: 'PING\r\n', receive: '+PONG', timeout: '5s' }
  const tcp = (name: string) => ({ name, listen: `unix:${dir}/${name}`, protocol: 'tcp', pool: name })
  const config = {
    listeners: [tcp('a'), tcp('b')],
    pools: {
      a: { backends: [`tcp://127.0.0.1:${redis}`], health_check, send_proxy_protocol: 'v1' },
      b: { backends: [`tcp://127.0.0.1:${loading}`], health_check },
    },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const { stdout, code } = await cli(t, ['check', '--connect'], { cwd: dir })
  assert.match(stdout, /^ {2}a +tcp:\S+ +reached +127\.0\.0\.1 in \d+ ms, expected answer$/m)
  assert.match(stdout, /^ {2}b +tcp:\S+ +failed +127\.0\.0\.1 in .*health check failed: unexpected answer "-LOAD"$/m)
  assert.match(stdout, /1 backend failed from here; Frontdesk would start and leave it out/)
  assert.equal(code, 1)
})

test('check --connect warns as a start does; what has expired is an error, and exits 1', { skip }, async (t) => {
  const ca = await authority(t)
  const early = await ca.issue({ names: ['IP:127.0.0.1'], startsInDays: 2, days: 60 })
  const old = await ca.issue({ names: ['DNS:old.example'], days: -1 })
  const { path: crl } = await ca.crl({ days: -1 })
  const dir = folder(t)
  const secure = (name: string, { certPath: cert, keyPath: key }: { certPath: string; keyPath: string }) => ({
    name,
    listen: `unix:${dir}/${name}`,
    tls: { certificates: [{ cert, key }], client_auth: { mode: 'optional', ca: ca.path, crl } },
  })
  const config = {
    listeners: [secure('early', early), secure('old', old)],
    pools: { default: { backends: [`http://127.0.0.1:${await echo(t, 'red')}`] } },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config, null, 1))
  const shown = await cli(t, ['check', '--connect'], { cwd: dir })
  assert.match(shown.stderr, /^warning: .*is not valid before /m)
  assert.match(shown.stderr, /^error: config\.json:\d+:\d+: .*certificates\[0\]: the certificate .* expired at /m)
  assert.match(shown.stderr, /^error: config\.json:\d+:\d+: .*crl: the revocation list .* expired at .*every client/m)
  assert.match(shown.stdout, /issued-1\.pem +early +IP Address:127\.0\.0\.1 +not valid before /)
  assert.match(shown.stdout, /\.crl +early, old +revocation list +expired /)
  assert.match(shown.stdout, /what has expired is refused/)
  assert.equal(shown.code, 1)
  const { stdout } = await cli(t, ['check', '--connect', '--json'], { cwd: dir })
  const { valid, warnings, errors } = JSON.parse(stdout) as {
    valid: boolean
    warnings: string[]
    errors: { path: string; line: number; message: string }[]
  }
  assert.deepEqual([valid, warnings.length, errors.length], [true, 1, 2])
  assert.deepEqual(
    errors.map(({ path }) => path),
    ['listeners[0].tls.client_auth.crl', 'listeners[1].tls.certificates[0]'],
  )
  assert.equal(typeof errors[0]!.line, 'number')
})

test('check --connect --json warns of pools that verify nothing', async (t) => {
  const dir = folder(t)
  const pools = { default: { backends: [`https://127.0.0.1:${await refusingPort()}`], tls: { verify: false } } }
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ port: 8080, pools }))
  const { stdout } = await cli(t, ['check', '--connect', '--json'], { cwd: dir })
  assert.match((JSON.parse(stdout) as { warnings: string[] }).warnings[0]!, /pool default: .*not verified/)
})

test('check --connect says which certificate cannot be used, and where it is named', { skip }, async (t) => {
  const ca = await authority(t)
  const [one, other] = [await ca.issue(), await ca.issue()]
  const dir = folder(t)
  const tls = { port: 8443, cert: one.certPath, key: other.keyPath }
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ backends: ['http://localhost:3000'], tls }))
  const ended = await cli(t, ['check', '--connect'], { cwd: dir })
  assert.match(
    ended.stderr,
    /^config\.json:1:\d+: tls: .* does not match the certificate in .*; they are not one pair$/m,
  )
  assert.match(ended.stderr, /mend it, then "frontdesk check --connect -c config\.json"$/m)
  assert.equal(ended.code, 78)
  assert.equal((await cli(t, ['check'], { cwd: dir })).code, 0)
  const json = await cli(t, ['check', '--connect', '--json'], { cwd: dir })
  const { valid, errors } = JSON.parse(json.stdout) as { valid: boolean; errors: Record<string, unknown>[] }
  assert.deepEqual([valid, json.code, json.stderr], [false, 78, ''])
  assert.deepEqual(Object.keys(errors[0]!), ['path', 'message', 'hint', 'file', 'line', 'column'])
})
