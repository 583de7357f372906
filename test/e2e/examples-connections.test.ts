// The examples that pass on more than requests and answers: WebSockets, TCP, TLS. With real clients, a database too.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import WebSocket from 'ws'
import { PostgresTemplate, pgbench, skipWithoutPostgres } from '../support/data-servers.ts'
import { copyExample, demoBackends, Example } from '../support/example.ts'
import { leakTest, Scope } from '../support/leaks.ts'
import { skipWithout } from '../support/peers.ts'
import { until, within } from '../support/wait.ts'

const run = promisify(execFile)

/** Somebody in a room of the chat. */
class Guest {
  readonly heard: string[] = []
  readonly socket: WebSocket
  /** Of the cookie that binds him. */
  cookie = ''
  readonly #name: string

  static async enter(scope: Scope, at: { port: number; room: string; name: string; cookie?: string }): Promise<Guest> {
    const guest = new Guest(at)
    scope.defer(() => guest.leave())
    await once(guest.socket, 'open')
    await guest.hears(/^\w+: hello /)
    return guest
  }

  private constructor({ port, room, name, cookie }: { port: number; room: string; name: string; cookie?: string }) {
    this.#name = name
    const headers = cookie === undefined ? {} : { Cookie: cookie }
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/${room}?name=${name}`, { headers })
    this.socket.on('upgrade', ({ headers: fields }: IncomingMessage) => {
      this.cookie = fields['set-cookie']?.[0]?.split(';')[0] ?? cookie ?? ''
    })
    this.socket.on('message', (data) => this.heard.push(String(data)))
  }

  /** The server that said hello. */
  get server(): string {
    return this.heard[0]!.split(':')[0]!
  }

  hears(what: RegExp): Promise<void> {
    return until(`${this.#name} hears ${what}`, () => this.heard.some((text) => what.test(text)))
  }

  async leave(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.socket, 'close')
    this.socket.close()
    await within('the end of the WebSocket', closed)
  }
}

leakTest('chat: four servers, one room; who comes back finds the server that knows him', async (scope) => {
  const { port } = await Example.program(scope, { dir: copyExample(scope, 'chat'), file: 'chat.ts' })
  const names = ['ann', 'ben', 'cid', 'dee']
  const guests: Guest[] = []
  for (const name of names) guests.push(await Guest.enter(scope, { port, room: 'lobby', name }))
  assert.equal(new Set(guests.map(({ server }) => server)).size, 4, 'one at each server')
  const outside = await Guest.enter(scope, { port, room: 'kitchen', name: 'eve' })

  const [ann, ben] = guests as [Guest, Guest]
  ann.socket.send('hi all')
  await Promise.all(guests.map((guest) => guest.hears(new RegExp(`^ann at ${ann.server}: hi all$`))))
  ben.socket.send('hi ann')
  await ann.hears(new RegExp(`^ben at ${ben.server}: hi ann$`))
  outside.socket.send('anybody here?')
  await outside.hears(/^eve at \w+: anybody here\?$/)
  assert.equal(outside.heard.length, 2, 'nothing of the lobby')
  assert.ok(
    guests.every(({ heard }) => !heard.some((text) => text.includes('anybody'))),
    'nothing of the kitchen',
  )

  assert.match(ann.cookie, /^fd_sticky=./)
  await ann.leave()
  for (const visit of [2, 3, 4]) {
    const again = await Guest.enter(scope, { port, room: 'lobby', name: 'ann', cookie: ann.cookie })
    assert.equal(again.heard[0], `${ann.server}: hello ann, visit ${visit}`)
    await again.leave()
  }
})

/** A TCP server that says its name and returns what it gets. */
async function talker(scope: Scope, name: string): Promise<{ url: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.write(`${name}\n`)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  scope.defer(close)
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** What a new connection is told after it has said this. */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

leakTest('database: connections go to the primary, and to the standby while there is none', async (scope) => {
  const [primary, standby] = [await talker(scope, 'primary'), await talker(scope, 'standby')]
  const env = { PRIMARY: primary.url, STANDBY: standby.url }
  const { port } = await Example.run(scope, { dir: copyExample(scope, 'database'), file: 'config.jsonc', env })
  for (let i = 0; i < 4; i++) assert.equal(await talk(port, `query ${i}\n`), `primary\nquery ${i}\n`)
  await primary.close()
  for (let i = 0; i < 4; i++) assert.equal(await talk(port, `query ${i}\n`), `standby\nquery ${i}\n`)
})

test('database: PostgreSQL, its own program as the client', {
  skip: skipWithoutPostgres(),
  timeout: 120_000,
}, async (t) => {
  const scope = new Scope(t)
  try {
    const template = scope.use(await PostgresTemplate.create())
    const [primary, standby] = [await template.start(), scope.use(await template.start())]
    let isUp = true
    const stop = async (): Promise<void> => {
      if (isUp) await primary.close()
      isUp = false
    }
    scope.defer(stop)
    const env = { PRIMARY: primary.url, STANDBY: standby.url }
    const { port } = await Example.run(scope, { dir: copyExample(scope, 'database'), file: 'config.jsonc', env })
    assert.match(await pgbench(port, '-c', '4', '-t', '25'), /actually processed: 100\/100/)
    await stop()
    assert.match(await pgbench(port, '-S', '-c', '4', '-t', '25'), /actually processed: 100\/100/)
  } finally {
    await scope.close()
  }
})

interface Seen {
  readonly status: number | undefined
  readonly backend: unknown
  readonly names: string | undefined
}

/** What an HTTPS client sees that trusts this certificate alone. */
function visit(o: { port: number; name: string; ca: Buffer }): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port: o.port, servername: o.name, headers: { host: o.name } }
    const asked = request({ ...place, ca: o.ca, agent: false }, (response) => {
      const certificate: PeerCertificate = (response.socket as TLSSocket).getPeerCertificate()
      const { statusCode: status, headers } = response
      response.resume()
      response.on('end', () => resolve({ status, backend: headers['x-backend'], names: certificate.subjectaltname }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

leakTest(
  'two-names: each name has its certificate and its backend',
  async (scope) => {
    const dir = copyExample(scope, 'two-names')
    assert.equal(existsSync(join(dir, 'certificates')), false)
    await run(join(dir, 'make-certificates.sh'), { cwd: '/' })
    const [one, two] = await demoBackends(scope, 'one', 'two')
    const { port } = await Example.run(scope, { dir, file: 'config.jsonc', env: { ONE: one!, TWO: two! } })
    for (const name of ['one', 'two']) {
      const ca = readFileSync(join(dir, 'certificates', `${name}.crt`))
      const host = `${name}.localhost`
      assert.deepEqual(await visit({ port, name: host, ca }), { status: 200, backend: name, names: `DNS:${host}` })
      const other = name === 'one' ? 'two.localhost' : 'one.localhost'
      await assert.rejects(visit({ port, name: other, ca }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    }
    // As the page says.
    const options = ['--cacert', join(dir, 'certificates/one.crt'), '--resolve', `one.localhost:${port}:127.0.0.1`]
    const { stdout } = await run('curl', ['-si', ...options, `https://one.localhost:${port}/`])
    assert.match(stdout, /^HTTP\/1\.1 200 [\s\S]*^X-Backend: one\r$/m)
  },
  { skip: skipWithout('openssl', 'curl') },
)
