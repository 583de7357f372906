// Who gets into the admin API, by real sockets: web pages, other names, odd paths, tokens, certificates, and those who only
// hold connections.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { loadConfig } from '../../src/config/load.ts'
import { AdminPort, type AdminPortDeps } from '../../src/control/admin/admin-port.ts'
import { rehearsals } from '../../src/control/admin/guard.ts'
import { CertificateStore } from '../../src/control/certificates/certificate-store.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { type Answered, type AskOptions, ask } from '../support/load.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { until, within } from '../support/wait.ts'

const backend = 'http://127.0.0.1:9'
const TOKEN = 'the token that may do everything'
const READ = 'the token of those who look'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A proxy whose admin API asks for tokens, unless told otherwise. */
async function guarded(scope: Scope, admin: object = {}) {
  const log = new MemoryLog()
  const config = { admin: { listen: '127.0.0.1:2', token: TOKEN, read_token: READ, ...admin } } as never
  const proxy = scope.use(await startProxy([backend], { config, log }))
  return { proxy, log }
}

/** One call; bodies are JSON. */
function call(
  proxy: TestProxy,
  method: string,
  path: string,
  o: AskOptions & { json?: unknown } = {},
): Promise<Answered> {
  const body = o.json === undefined ? o.body : JSON.stringify(o.json)
  const headers = { ...(body !== undefined && { 'content-type': 'application/json' }), ...o.headers }
  return ask(proxy.adminPort, { ...o, method, path, headers, ...(body !== undefined && { body }) })
}

/** What comes back for these bytes until the other side closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return within('the end', text(socket))
}

/** Reads: this is how a change would show. */
const backendsOf = ({ running }: TestProxy): string[] => running.status().backends.map(({ url }) => url)

leakTest('the read token looks, explains and tries out, but changes nothing', async (scope) => {
  const { proxy } = await guarded(scope)
  const as = async (method: string, path: string, json?: unknown) =>
    (await call(proxy, method, path, { headers: bearer(READ), ...(json !== undefined && { json }) })).status
  for (const path of [
    '/status',
    '/backends',
    '/metrics',
    '/certificates',
    '/openapi.json',
    '/schema.json',
    '/whoami',
  ]) {
    assert.equal(await as('GET', path), 200, path)
  }
  const change = { url: 'http://127.0.0.1:10' }
  for (const [method, path, json] of [
    ['POST', '/backends', change],
    ['POST', '/backends?dry_run=1', change],
    ['PATCH', '/backends', { url: backend, weight: 2 }],
    ['DELETE', `/backends?url=${backend}`, undefined],
    ['DELETE', `/backends?url=${backend}&dry_run=1`, undefined],
    ['POST', '/stop', undefined],
    ['POST', '/stop?dry_run=1', undefined],
    ['POST', '/reload', undefined],
    ['POST', '/reload?dry_run=0', undefined],
    ['POST', '/reload?dry_run=1&dry_run=0', undefined],
    ['POST', '//reload?dry_run=1', undefined],
    ['PUT', '/config', {}],
    ['PUT', '/config?dry_run=yes', {}],
    ['POST', '/explain/', {}],
  ] as const) {
    assert.equal(await as(method, path, json), 403, `${method} ${path}`)
  }
  assert.deepEqual(backendsOf(proxy), [backend])
  assert.equal((await ask(proxy.adminPort, { path: '/readyz' })).status, 200, 'it still runs')
})

leakTest('what the read token tries out has nothing read or compared that is not in use', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-read-token-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const { proxy } = await guarded(scope)
  const as = (token: string, json: unknown, method = 'PATCH') =>
    call(proxy, method, '/config?dry_run=1', { headers: bearer(token), json })
  const users = { name: 'a', match: '*', pool: 'default', basic_auth: { users_file: join(folder, 'users') } }
  const page = { name: 'b', match: { path: '/b' }, respond: { status: 200, file: join(folder, 'page.html') } }
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  for (const [wanted, path, words] of [
    [{ routes: [users] }, /users_file$/, /not in use/],
    [{ routes: [page] }, /file$/, /not in use/],
    [{ admin: { token: null, token_file: join(folder, 'token') } }, /token_file$/, /not in use/],
    [{ admin: { tls } }, /^admin\.tls/, /not in use/],
    [{ admin: { token: TOKEN } }, /token$/, /secret/],
    [{ admin: { token: 'another' } }, /token$/, /secret/],
  ] as const) {
    const answer = await as(READ, wanted)
    const said = `${JSON.stringify(wanted)}: ${answer.body}`
    assert.equal(answer.status, 422, said)
    const { errors } = JSON.parse(answer.body) as { errors: { path: string; message: string }[] }
    assert.ok(
      errors.some((one) => path.test(one.path) && words.test(one.message)),
      said,
    )
  }
  const running = JSON.parse((await call(proxy, 'GET', '/config', { headers: bearer(READ) })).body)
  assert.equal((await as(READ, running, 'PUT')).status, 200, 'as it is now')
  assert.equal((await as(READ, { admin: { token: '***' } })).status, 200)
  // Who may change it may have it looked at before.
  assert.match((await as(TOKEN, { admin: { tls } })).body, /cert\.pem does not exist/)
})

leakTest('the read token may try out what it may not do', async (scope) => {
  const { proxy } = await guarded(scope)
  const as = (method: string, path: string, json: unknown) => call(proxy, method, path, { headers: bearer(READ), json })
  const revision = async () => JSON.parse((await as('GET', '/status', undefined)).body).revision
  const before = await revision()
  const pools = { default: { strategy: 'first' } }
  const tried = await as('PATCH', '/config?dry_run=1', { pools })
  assert.equal(tried.status, 200, tried.body)
  assert.match(tried.body, /"dry_run":true/)
  assert.equal((await as('PATCH', '/config', { pools })).status, 403)
  assert.equal((await as('POST', '/reload?dry_run=1', undefined)).status, 200)
  const explained = await as('POST', '/explain', { method: 'GET', url: '/' })
  assert.equal(explained.status, 200, explained.body)
  assert.equal(await revision(), before)
  // Each call that knows dry runs is on the guard's list, and none is that does not.
  const { paths } = JSON.parse((await as('GET', '/openapi.json', undefined)).body)
  const known = Object.entries(paths as Record<string, Record<string, { parameters?: { name: string }[] }>>).flatMap(
    ([path, calls]) =>
      Object.entries(calls)
        .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === 'dry_run'))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(known.sort(), [...rehearsals].sort())
})

leakTest('who only looks tries out few changes at once, and keeps the operator from none', async (scope) => {
  const { proxy } = await guarded(scope)
  const head = `PUT /config?dry_run=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${READ}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n`
  // Their bodies never come.
  const slow = Array.from({ length: 4 }, () => connect(proxy.adminPort, '127.0.0.1'))
  scope.defer(() => {
    for (const socket of slow) socket.destroy()
  })
  for (const socket of slow) socket.write(head)
  const statusFor = async (token: string) =>
    (await call(proxy, 'PATCH', '/config?dry_run=1', { headers: bearer(token), json: {} })).status
  while ((await statusFor(READ)) !== 503) assert.ok(slow.every(({ destroyed }) => !destroyed))
  assert.equal(await statusFor(TOKEN), 200)
  for (const socket of slow) socket.destroy()
  while ((await statusFor(READ)) !== 200)
    await Promise.all(slow.map((socket) => socket.closed || once(socket, 'close')))
})

leakTest('whoami tells what a caller may do, without a token too', async (scope) => {
  const { proxy } = await guarded(scope)
  const whoami = async (headers = {}) => JSON.parse((await call(proxy, 'GET', '/whoami', { headers })).body)
  assert.deepEqual(await whoami(), { who: 'admin API (127.0.0.1)', role: 'none', token_required: true })
  assert.deepEqual((await whoami(bearer('wrong'))).role, 'none')
  assert.deepEqual(await whoami(bearer(READ)), {
    ...{ who: 'admin API (127.0.0.1, read token)', role: 'read', token_required: true },
  })
  assert.equal((await whoami(bearer(TOKEN))).role, 'full')
  const open = await guarded(scope, { token: '', read_token: '' })
  const anybody = JSON.parse((await call(open.proxy, 'GET', '/whoami')).body)
  assert.deepEqual(anybody, { who: 'admin API (127.0.0.1)', role: 'full', token_required: false })
})

leakTest('who has no token looks where that is allowed, under known names only', async (scope) => {
  const { proxy } = await guarded(scope, { anonymous: 'read' })
  assert.equal((await call(proxy, 'GET', '/status')).status, 200)
  assert.equal((await call(proxy, 'POST', '/stop')).status, 403)
  const tried = await call(proxy, 'PATCH', '/config?dry_run=1', { json: {} })
  assert.deepEqual([tried.status, /takes a token/.test(tried.body)], [401, true])
  // A page that points its own name here would read what anybody on this machine may.
  assert.equal((await call(proxy, 'GET', '/status', { headers: { host: 'evil.example' } })).status, 403)
  assert.equal(
    (await call(proxy, 'GET', '/status', { headers: { host: 'evil.example', ...bearer(READ) } })).status,
    200,
  )
})

leakTest('no page of another origin can call, nor one that points its own name here', async (scope) => {
  const { proxy } = await guarded(scope, { token: '', read_token: '' })
  const own = proxy.adminPort
  const status = async (headers: Record<string, string>, method = 'GET', path = '/status') =>
    (await call(proxy, method, path, { headers })).status
  for (const host of [
    ...['evil.example', `evil.example:${own}`, 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1.nip.io'],
    ...['evil.localhost.example', '2130706433.example', '[::1].evil.example', 'localhost@evil.example', 'xn--n3h'],
  ]) {
    const code = await status({ host })
    assert.ok(code === 403 || code === 400, `${JSON.stringify(host)}: ${code}`)
  }
  for (const host of ['localhost', 'LOCALHOST.', '127.0.0.1', '[::1]', '192.0.2.7', 'frontdesk.localhost']) {
    assert.equal(await status({ host: `${host}:${own}` }), 200, host)
  }
  for (const origin of [
    ...['http://evil.example', 'null', 'http://localhost', `https://evil.example:${own}`, 'file://', '', 'http://'],
    ...[`http://127.0.0.1.evil.example:${own}`, `http://127.0.0.1:${own}@evil.example`, `http://localhost:${own + 1}`],
  ]) {
    assert.equal(await status({ origin, host: `127.0.0.1:${own}` }, 'POST', '/stop'), 403, origin)
  }
  for (const site of ['cross-site', 'same-site']) {
    assert.equal(await status({ 'sec-fetch-site': site }), 403, site)
    assert.equal(await status({ 'sec-fetch-site': site }, 'POST', '/stop'), 403, site)
  }
  assert.equal(await status({ 'sec-fetch-site': 'same-origin' }), 200)
  // What a form can send of itself.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
    const answer = await ask(own, {
      ...{ method: 'POST', path: '/backends', body: JSON.stringify({ url: 'http://127.0.0.1:10' }) },
      headers: type === '' ? {} : { 'content-type': type },
    })
    assert.equal(answer.status, 415, type)
  }
  const preflight = await call(proxy, 'OPTIONS', '/backends', { headers: { origin: 'http://evil.example' } })
  assert.equal(preflight.status, 403)
  assert.equal(preflight.headers['access-control-allow-origin'], undefined)
  assert.deepEqual(backendsOf(proxy), [backend])
})

leakTest('nothing is written by GET, and no field makes another method of it', async (scope) => {
  const { proxy } = await guarded(scope, { token: '', read_token: '' })
  const paths = JSON.parse((await call(proxy, 'GET', '/openapi.json')).body).paths as Record<string, object>
  const writing = Object.entries(paths).filter(([, calls]) => !('get' in calls))
  assert.ok(writing.some(([path]) => path === '/stop'))
  for (const [path] of writing) {
    for (const method of ['GET', 'HEAD'])
      assert.equal((await call(proxy, method, path)).status, 405, `${method} ${path}`)
  }
  for (const headers of ['x-http-method-override', 'x-method-override', 'x-http-method'].map((name) => ({
    [name]: 'POST',
  }))) {
    assert.equal((await call(proxy, 'GET', '/stop', { headers })).status, 405)
    assert.equal((await call(proxy, 'GET', '/stop?_method=POST', { headers })).status, 405)
  }
  assert.deepEqual(backendsOf(proxy), [backend])
  assert.equal((await ask(proxy.adminPort, { path: '/readyz' })).status, 200)
})

leakTest('no spelling of a path gets past the token', async (scope) => {
  const { proxy } = await guarded(scope)
  for (const target of [
    ...[
      '//status',
      '///status',
      '/./status',
      '/../status',
      '/healthz/../status',
      '/healthz/%2e%2e/status',
      '/%73tatus',
    ],
    ...[
      '/healthz/..%2fstatus',
      '/healthz%2f..%2fstatus',
      '/healthz;/../status',
      '/status/',
      '/STATUS',
      '/status?x=/healthz',
    ],
    ...['/healthz%00/../status', '/status#/healthz', '/whoami/../status', '/assets/../status', '/assets/%2e%2e/status'],
    ...[
      '/assets/..%2fstatus',
      '/assets/..%5cstatus',
      '//127.0.0.1/status',
      'http://127.0.0.1/status',
      'http://localhost/healthz/../status',
    ],
    ...['/%2e%2e/config', '//config', '/\\status', '/healthz\\..\\status', '/.%2e/status', '/%252e%252e/status'],
  ]) {
    const answer = await raw(proxy.adminPort, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, target)
    assert.doesNotMatch(answer, /total_backends/, target)
  }
  for (const head of [
    'GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost',
    'GET /status HTTP/1.1',
    'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1',
    'GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Original-URL: /healthz\r\nX-Rewrite-URL: /healthz\r\nX-Forwarded-For: 127.0.0.1',
    `GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: token=${TOKEN}`,
    `GET /status?token=${encodeURIComponent(TOKEN)} HTTP/1.1\r\nHost: 127.0.0.1`,
  ]) {
    assert.doesNotMatch(
      await raw(proxy.adminPort, `${head}\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 2|total_backends/,
      head,
    )
  }
})

leakTest('wrong tokens are slowed down; the right one gets in all the same', async (scope) => {
  const { proxy, log } = await guarded(scope)
  const seen = new Map<number, number>()
  for (let i = 0; i < 14; i++) {
    const answer = await call(proxy, 'GET', '/status', { headers: bearer(`guess ${i}`) })
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
    if (answer.status === 429) assert.ok(Number(answer.headers['retry-after']) > 0)
  }
  assert.deepEqual([...seen.keys()].sort(), [401, 429])
  assert.equal((await call(proxy, 'GET', '/status', { headers: bearer(TOKEN) })).status, 200)
  assert.equal((await call(proxy, 'GET', '/whoami', { headers: bearer('a guess there') })).status, 429)
  assert.equal(log.named('admin_token_wrong').length, 2, 'the first, and the one too many')
  assert.doesNotMatch(JSON.stringify(log.events), /guess|the token that may/)
})

leakTest('each change leaves a line: who, from where, what, how it ended; never a secret', async (scope) => {
  const { proxy, log } = await guarded(scope)
  const added = { json: { url: 'http://127.0.0.1:10' } }
  await call(proxy, 'POST', '/backends', { ...added, headers: bearer(TOKEN) })
  await call(proxy, 'POST', '/backends', { ...added, headers: bearer(TOKEN) })
  await call(proxy, 'POST', '/backends', { ...added, headers: bearer(READ) })
  await call(proxy, 'POST', `/a%C2%A0b%0A${TOKEN.slice(0, 3)}?token=${encodeURIComponent(TOKEN)}`, {
    headers: bearer(TOKEN),
  })
  await call(proxy, 'GET', '/status', { headers: bearer(TOKEN) })
  const lines = log.named('admin_change')
  assert.deepEqual(
    lines.map(({ level, fields: { who, call: what, outcome, status } }) => [level, who, what, outcome, status]),
    [
      ['info', 'admin API (127.0.0.1, token)', 'POST /backends', 'done', 201],
      ['warn', 'admin API (127.0.0.1, token)', 'POST /backends', 'refused', 409],
      ['warn', 'admin API (127.0.0.1, read token)', 'POST /backends', 'refused', 403],
      ['warn', 'admin API (127.0.0.1, token)', lines[3]!.fields.call, 'refused', 404],
    ],
  )
  assert.deepEqual(lines[0]!.fields.revision, 2)
  for (const { message } of lines) assert.doesNotMatch(message, /[\r\n]/)
  assert.doesNotMatch(JSON.stringify(lines), new RegExp(`${TOKEN}|${READ}|${encodeURIComponent(TOKEN)}`))
})

leakTest('bodies are bounded in size and depth, and refused before they are read', async (scope) => {
  const { proxy } = await guarded(scope)
  const head = (path: string, extra: string, token = TOKEN): string =>
    `PATCH ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${extra}\r\n\r\n`
  const { adminPort: port } = proxy
  assert.match(await raw(port, head('/backends', 'Content-Length: 70000')), /^HTTP\/1\.1 413 /)
  assert.match(await raw(port, head('/config', 'Content-Length: 11000000')), /^HTTP\/1\.1 413 /)
  assert.match(await raw(port, head('/backends', 'Content-Length: 70000', 'wrong')), /^HTTP\/1\.1 401 /)
  const deep = '['.repeat(60_000)
  assert.match(
    await raw(port, `${head('/backends', `Content-Length: 60000\r\nConnection: close`)}${deep}`),
    /^HTTP\/1\.1 400 .*nested/s,
  )
  const nested = `{"a":`.repeat(100_000)
  assert.match(
    await raw(port, `${head('/config', `Content-Length: ${nested.length}\r\nConnection: close`)}${nested}`),
    /^HTTP\/1\.1 400 .*nested/s,
  )
  // One that never ends, in chunks.
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(head('/backends', 'Transfer-Encoding: chunked'))
  const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
  const closed = once(socket, 'close')
  let answer = ''
  socket.on('data', (piece) => (answer += piece))
  for (let sent = 0; sent < 64 && !socket.destroyed; sent++) socket.write(chunk)
  await within('the close', closed)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.equal((await call(proxy, 'GET', '/status', { headers: bearer(TOKEN) })).status, 200)
})

leakTest('thousands of connections that say nothing, or say it slowly, keep no operator out', async (scope) => {
  const { proxy } = await guarded(scope)
  const sockets: Socket[] = []
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
  })
  // An operator who is there stays there.
  const mine = connect(proxy.adminPort, '127.0.0.1')
  scope.defer(() => mine.destroy())
  const look = `GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`
  mine.write(look)
  assert.match(String((await once(mine, 'data'))[0]), /^HTTP\/1\.1 200 /)
  let closed = 0
  for (let i = 0; i < 2_000; i++) {
    const socket = connect(proxy.adminPort, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('close', () => (closed += 1))
    sockets.push(socket)
    if (i % 2 === 0) socket.write('GET /status HTTP/1.1\r\nHost: 127')
    if (i % 100 === 99) {
      await once(socket, 'connect')
      assert.equal((await call(proxy, 'GET', '/status', { headers: bearer(TOKEN) })).status, 200, `after ${i + 1}`)
    }
  }
  await until('most of them are gone', () => closed >= 1_700)
  mine.write(look)
  assert.match(String((await once(mine, 'data'))[0]), /^HTTP\/1\.1 200 /, 'the connection that was there before')
  for (const socket of sockets) socket.destroy()
})

leakTest('those who look without a token keep out nobody who has one', async (scope) => {
  const { proxy } = await guarded(scope, { anonymous: 'read' })
  const sockets = Array.from({ length: 256 }, () => connect(proxy.adminPort, '127.0.0.1'))
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (const socket of sockets) {
    socket.on('error', () => undefined)
    socket.write('GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    assert.match(String((await once(socket, 'data'))[0]), /"role":"read"/)
  }
  assert.equal((await call(proxy, 'GET', '/status', { headers: bearer(READ) })).status, 200)
})

/** What is asked for here. */
function partialDeps(log: MemoryLog): AdminPortDeps {
  const streams = { interrupt() {} }
  return { version: '0', log, revision: () => 1, readiness: () => 'ready', streams } as unknown as AdminPortDeps
}

/** HTTPS with these options; resolves with status and body, or the code of the error. */
function secure(port: number, o: object): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/whoami', agent: false, ...o }, async (response) => {
      resolve(`${response.statusCode} ${await text(response)}`)
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    outgoing.end()
  })
}

const skip = (await haveOpenssl()) ? false : 'not installed: openssl'

leakTest(
  'TLS, certificates of callers, and both of them changed while connections are open',
  async (scope) => {
    const authority = await makeAuthority('Admin CA')
    const other = await makeAuthority('Another CA')
    scope.defer(() => Promise.all([authority.remove(), other.remove()]))
    const [one, two] = [await authority.issue(), await authority.issue()]
    const alice = await authority.issue({ subject: '/CN=alice', names: [], use: 'client' })
    const mallory = await other.issue({ subject: '/CN=mallory', names: [], use: 'client' })
    const folder = await mkdtemp(join(tmpdir(), 'frontdesk-admin-'))
    scope.defer(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a.token'), `${TOKEN}\n`)
    const configured = async (admin: object) => {
      const value = { backends: [backend], admin: { listen: '127.0.0.1:0', token_file: 'a.token', ...admin } }
      const { config } = loadConfig({ value, path: join(folder, 'config.json'), allowAnyPort: true })
      const store = await CertificateStore.load({ config, configPath: null, log: new MemoryLog() })
      store.close()
      return { admin: config.admin, material: store.material }
    }
    let interrupted = 0
    const streams = { interrupt: () => (interrupted += 1) } as never
    const door = scope.use(new AdminPort({ ...partialDeps(new MemoryLog()), streams }))
    const change = async (admin: object): Promise<void> => {
      const next = await configured(admin)
      ;(await door.prepare(next.admin, next.material)).commit()
    }
    const tls = (issued: typeof one, more = {}) => ({ cert: issued.certPath, key: issued.keyPath, ...more })
    const auth = (mode: string, ca = authority.path) => ({ client_auth: { mode, ca } })
    const ca = authority.pem
    const as = ({ cert, key }: typeof alice) => ({ ca, cert, key })

    await change({ tls: tls(one) })
    const { port } = door.address()!
    assert.match(await secure(port, { ca, headers: bearer(TOKEN) }), /^200 .*"role":"full"/)
    assert.doesNotMatch((await ask(port, { path: '/whoami' })).body, /role/, 'no HTTP there')

    // A connection that stays open over all that follows.
    const kept = connectTls({ host: '127.0.0.1', port, ca })
    scope.defer(() => kept.destroy())
    await once(kept, 'secureConnect')
    const askKept = async (): Promise<string> => {
      kept.write(`GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
      return String((await within('an answer', once(kept, 'data')))[0])
    }
    assert.match(await askKept(), /"role":"full"/)

    await change({ tls: tls(two, auth('optional')) })
    assert.deepEqual(door.address(), { host: '127.0.0.1', port })
    assert.match(await secure(port, as(alice)), /^200 .*"who":"admin API \(127\.0\.0\.1, CN=alice\)","role":"full"/)
    assert.match(await secure(port, { ca }), /^200 .*"role":"none"/)
    assert.match(await secure(port, { ...as(mallory), ca }), /^200 .*"role":"none"/)
    assert.match(await secure(port, { ca, headers: bearer(TOKEN) }), /"role":"full"/)
    assert.match(await askKept(), /"role":"full"/)
    const certificate = kept.getPeerX509Certificate()?.fingerprint256
    const fresh = connectTls({ host: '127.0.0.1', port, ca })
    await once(fresh, 'secureConnect')
    assert.notEqual(fresh.getPeerX509Certificate()?.fingerprint256, certificate)
    fresh.destroy()

    await change({ token_file: undefined, tls: tls(two, auth('required')) })
    assert.match(await secure(port, as(alice)), /^200 .*"role":"full"/)
    assert.doesNotMatch(await secure(port, { ca }), /^\d/)
    assert.doesNotMatch(await secure(port, { ...as(mallory), ca }), /^\d/)
    // It has shown no certificate, and a token is no longer enough.
    assert.match(await askKept(), /"role":"none"/)

    // What the first authority has signed counts no more, on connections that are open too.
    const mine = connectTls({ host: '127.0.0.1', port, ...as(alice) })
    scope.defer(() => mine.destroy())
    await once(mine, 'secureConnect')
    const askMine = async (): Promise<string> => {
      mine.write('GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      return String((await within('an answer', once(mine, 'data')))[0])
    }
    assert.match(await askMine(), /"role":"full"/)
    const before = interrupted
    await change({ token_file: undefined, tls: tls(two, auth('required')) })
    assert.equal(interrupted, before, 'as it was')
    await change({ token_file: undefined, tls: tls(two, auth('required', other.path)) })
    assert.equal(interrupted, before + 1, 'streams of those who are known no more')
    assert.match(await askMine(), /"role":"none"/)
    assert.doesNotMatch(await secure(port, as(alice)), /^\d/)

    // A renewed pair of the same files.
    const next = await configured({ token_file: undefined, tls: tls(two, auth('required')) })
    await writeFile(two.certPath, await readFile(one.certPath))
    await writeFile(two.keyPath, await readFile(one.keyPath))
    const renewed = await configured({ token_file: undefined, tls: tls(two, auth('required')) })
    ;(await door.prepare(next.admin, next.material)).commit()
    door.renew(renewed.material)
    const last = connectTls({ host: '127.0.0.1', port, ...as(alice) })
    await once(last, 'secureConnect')
    assert.equal(last.getPeerX509Certificate()?.fingerprint256, certificate)
    last.destroy()
  },
  { skip },
)

leakTest('the address moves without losing what is asked; what is abandoned was never there', async (scope) => {
  const log = new MemoryLog()
  const deps = partialDeps(log)
  const door = scope.use(new AdminPort(deps, { leaveMs: 100 }))
  const prepare = (listen: string | null) => {
    const admin = listen === null ? null : { listen, token: TOKEN }
    const { config } = loadConfig({ value: { backends: [backend], admin }, allowAnyPort: true })
    return door.prepare(config.admin, { has: () => false } as never)
  }
  ;(await prepare('127.0.0.1:0')).commit()
  const { port } = door.address()!
  const lives = async (host = '127.0.0.1') => (await ask(port, { path: '/readyz', host })).status === 200
  assert.ok(await lives())

  const elsewhere = await prepare('127.0.0.2:0')
  await elsewhere.abandon()
  assert.ok(await lives())
  // The same port on all interfaces: the system gives it to one of the two.
  const wider = await prepare(`0.0.0.0:${port}`)
  await wider.abandon()
  assert.ok(await lives())
  assert.ok(!(await lives('127.0.0.2')))
  ;(await prepare(`0.0.0.0:${port}`)).commit()
  assert.ok(await lives('127.0.0.2'))

  const taken = connect(port, '127.0.0.1')
  scope.defer(() => taken.destroy())
  await assert.rejects(prepare('192.0.2.1:1'), { code: 'EADDRNOTAVAIL' })
  assert.ok(await lives())
  ;(await prepare(null)).commit()
  assert.equal(door.address(), null)
  await until('it is closed', () => taken.destroyed || taken.readyState !== 'open')
  assert.ok(!(await lives()))
})
