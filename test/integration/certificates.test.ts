// Certificates that change under a running proxy: files replaced in every usual way, HUP, and what clients see of it.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { loadConfig } from '../../src/config/load.ts'
import type { CertificateStatus } from '../../src/control/certificates/certificate-status.ts'
import { type Running, startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { cli } from '../e2e/cli-process.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { type Authority, haveOpenssl, type Issued, makeAuthority } from '../support/certificates.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'
import { until, within } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())

const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256

interface Door {
  readonly port: number
  readonly adminPort: number
  readonly dir: string
  readonly log: MemoryLog
  readonly running: Running
  put(issued: Issued, name?: string): void
  /** Puts `text` in the place of a file at once. */
  replace(name: string, text: string): void
}

const pair = { cert: 'a.pem', key: 'a.key' }

async function door(scope: Scope, first: Issued, tlsKeys: Record<string, unknown> = {}): Promise<Door> {
  const backend = scope.use(await startActingBackend())
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-door-'))
  scope.defer(() => rm(dir, { recursive: true }))
  const replace = (name: string, text: string): void => {
    writeFileSync(join(dir, `${name}.new`), text)
    renameSync(join(dir, `${name}.new`), join(dir, name))
  }
  const put = ({ cert, key }: Issued, name = 'a'): void => {
    replace(`${name}.pem`, cert)
    replace(`${name}.key`, key)
  }
  put(first)
  const file = {
    listeners: [{ name: 'web', listen: '127.0.0.1:0', tls: { certificates: [pair], ...tlsKeys } }],
    pools: { default: { backends: [backend.url], health_check: { method: 'none' } } },
    admin: { listen: '127.0.0.1:0' },
    state_file: null,
    workers: 2,
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(file))
  const load = () => loadConfig({ path: join(dir, 'config.json'), allowAnyPort: true })
  const log = new MemoryLog()
  const running = await startFrontdesk({ loaded: load(), load, log, version: '0.0.0-test' })
  scope.defer(async () => {
    running.force()
    await running.stopped
  })
  return { port: running.listeners[0]!.port, adminPort: running.admin!.port, dir, log, running, put, replace }
}

async function connect(scope: Scope, port: number, o: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority!.pem, ...o })
  scope.defer(() => socket.destroy())
  await within('the handshake', once(socket, 'secureConnect'))
  return socket.on('error', () => {})
}

async function answers(socket: tls.TLSSocket): Promise<number> {
  const client = new RawClient(socket)
  client.write(get('/'))
  return (await client.reply()).status
}

/** What ten new clients are shown: connections are spread over the workers. */
async function shown(scope: Scope, port: number): Promise<Set<string>> {
  const sockets = await Promise.all(Array.from({ length: 10 }, () => connect(scope, port)))
  const fingerprints = new Set(sockets.map((socket) => socket.getPeerX509Certificate()!.fingerprint256))
  for (const socket of sockets) socket.destroy()
  return fingerprints
}

leakTest(
  'certificates are replaced under load: no request fails, connections live on, every worker shows the new one',
  async (scope) => {
    const versions = await Promise.all(
      (['ec', 'rsa', 'ec', 'rsa'] as const).map((keyType) => authority!.issue({ keyType })),
    )
    const { port, adminPort, log, put, running } = await door(scope, versions[0]!)
    const old = await connect(scope, port)
    let going = true
    const failures: string[] = []
    let answered = 0
    const lane = async (): Promise<void> => {
      while (going) {
        const socket = await connect(scope, port).catch((error: Error) => error)
        const status = socket instanceof Error ? socket.message : await answers(socket).catch(String)
        if (status === 200) answered++
        else failures.push(String(status))
        if (!(socket instanceof Error)) socket.destroy()
      }
    }
    const lanes = Promise.all([lane(), lane(), lane()])
    for (const [index, issued] of versions.slice(1).entries()) {
      const before = answered
      await until('load is on', () => answered > before + 10)
      put(issued)
      await log.waitFor('certificate_changed', index + 1)
      assert.deepEqual([...(await shown(scope, port))], [fingerprintOf(issued.cert)])
    }
    going = false
    await lanes
    assert.deepEqual(failures, [])
    assert.equal(await answers(old), 200)
    assert.equal(old.getPeerX509Certificate()!.fingerprint256, fingerprintOf(versions[0]!.cert))
    const [told] = JSON.parse((await ask(adminPort, { path: '/certificates' })).body) as CertificateStatus[]
    assert.equal(told!.fingerprint, fingerprintOf(versions.at(-1)!.cert))
    const { body } = await ask(adminPort, { path: '/metrics' })
    const value = (labels: string): number =>
      Number(new RegExp(`^frontdesk_tls_handshakes_total\\{listener="web",${labels}\\} (\\d+)$`, 'm').exec(body)?.[1])
    assert.ok(value('version="TLSv1.3",resumed="false"') >= answered)
    assert.equal(value('version="TLSv1.2",resumed="false"'), 0)
    assert.deepEqual(log.named('certificate_refused'), [])
    assert.equal(running.status().revision, 1)
  },
  { skip },
)

leakTest(
  'links are followed as Kubernetes swaps them; what does not fit together is not shown to anybody',
  async (scope) => {
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => authority!.issue()))
    const k8s = { cert: 'k/tls.crt', key: 'k/tls.key' }
    const bed = await door(scope, one!)
    const at = (name: string): string => join(bed.dir, name)
    for (const [name, { certPath, keyPath }] of Object.entries({ v1: one!, v2: two! })) {
      mkdirSync(at(`k/${name}`), { recursive: true })
      copyFileSync(certPath, at(`k/${name}/tls.crt`))
      copyFileSync(keyPath, at(`k/${name}/tls.key`))
    }
    symlinkSync('v1', at('k/..data'))
    symlinkSync('..data/tls.crt', at('k/tls.crt'))
    symlinkSync('..data/tls.key', at('k/tls.key'))
    const file = loadConfig({ path: at('config.json'), allowAnyPort: true })
    const [listener] = file.config.listeners
    const files = { cert: at(k8s.cert), key: at(k8s.key) }
    const changed = { ...listener!, tls: { ...listener!.tls!, certificates: [files] } }
    const result = await bed.running.reload({ ...file, config: { ...file.config, listeners: [changed] } })
    assert.ok(result.applied)
    symlinkSync('v2', at('k/..next'))
    renameSync(at('k/..next'), at('k/..data'))
    await bed.log.waitFor('certificate_changed')
    assert.deepEqual([...(await shown(scope, bed.port))], [fingerprintOf(two!.cert)])
    writeFileSync(at('k/v2/tls.crt'), three!.cert)
    const { message } = await bed.log.waitFor('certificate_refused')
    assert.match(message, /k\/tls\.key does not match the certificate in .*k\/tls\.crt/)
    assert.deepEqual([...(await shown(scope, bed.port))], [fingerprintOf(two!.cert)])
  },
  { skip },
)

leakTest(
  'a client that is revoked is refused as soon as the list says so, and by no ticket of before',
  async (scope) => {
    const server = await authority!.issue()
    const below = await authority!.intermediate()
    const client = await below.issue({ use: 'client', subject: '/CN=ann', names: [] })
    const lists = async (): Promise<string> => `${(await authority!.crl()).pem}${(await below.crl()).pem}`
    const dir = await mkdtemp(join(tmpdir(), 'frontdesk-lists-'))
    scope.defer(() => rm(dir, { recursive: true }))
    const crl = join(dir, 'clients.crl')
    writeFileSync(crl, await lists())
    const client_auth = { mode: 'required', ca: authority!.path, crl }
    const { port, log } = await door(scope, server, { client_auth })
    const who = { cert: client.cert, key: client.key }
    const first = await connect(scope, port, who)
    const session = once(first, 'session')
    assert.equal(await answers(first), 200)
    const [ticket] = (await within('a ticket', session)) as [Buffer]
    const resumed = await connect(scope, port, { ...who, session: ticket })
    assert.deepEqual([resumed.isSessionReused(), await answers(resumed)], [true, 200])
    await below.revoke(client)
    writeFileSync(`${crl}.new`, await lists())
    renameSync(`${crl}.new`, crl)
    await log.waitFor('certificate_changed')
    for (const more of [{}, { session: ticket }]) {
      // In TLS 1.3 the client has its handshake done before the server has seen its certificate: it is told over HTTP.
      assert.equal(await answers(await connect(scope, port, { ...who, ...more })), 400)
    }
    assert.equal(await answers(first), 200, 'who is in stays in')
  },
  { skip },
)

test('HUP reads certificates again; a broken pair is told of and the old one stays', { skip }, async (t) => {
  const backend = await startActingBackend()
  t.after(() => backend.close())
  const dir = folder(t)
  const [one, two] = await Promise.all([authority!.issue(), authority!.issue()])
  const write = ({ cert, key }: { cert: string; key: string }): void => {
    writeFileSync(join(dir, 'a.pem'), cert)
    writeFileSync(join(dir, 'a.key'), key)
  }
  write(one!)
  const port = await refusingPort()
  const config = { backends: [backend.url], tls: { port, ...pair } }
  writeConfig(dir, config)
  const program = await Program.start(t, dir)
  const peer = async (): Promise<string> => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority!.pem })
    await within('the handshake', once(socket, 'secureConnect'))
    const { fingerprint256 } = socket.getPeerX509Certificate()!
    socket.destroy()
    return fingerprint256
  }
  assert.equal(await peer(), fingerprintOf(one!.cert))
  write(two!)
  program.signal('SIGHUP')
  assert.equal((await program.event('certificate_changed')).name, join(dir, 'a.pem'))
  await program.event('reloaded')
  assert.equal(await peer(), fingerprintOf(two!.cert))

  write({ cert: one!.cert, key: two!.key })
  program.signal('SIGHUP')
  const { level, file, message } = await program.event('certificate_refused')
  assert.deepEqual([level, file], ['error', join(dir, 'a.key')])
  assert.match(message, /does not match .*\(the old one stays in use\)/)
  await program.event('reloaded', 2)
  assert.equal(await peer(), fingerprintOf(two!.cert))

  const target = ['--admin', `127.0.0.1:${program.adminPort}`]
  const listed = await cli(t, ['certs', 'list', ...target])
  assert.match(listed.stdout, /localhost +29 days +ec 256 +default-tls +CN=Test CA +.*a\.pem/)
  assert.match(listed.stdout, /a\.key does not match/)
  assert.equal(listed.code, 0)
  const status = await cli(t, ['status', ...target])
  assert.match(status.stdout, /^ {2}not in use {2}\S+a\.pem: \S+a\.key does not match .*\(the old one goes on\)$/m)
  const json = JSON.parse((await cli(t, ['certs', 'list', '--json', ...target])).stdout) as CertificateStatus[]
  assert.equal(json[0]!.fingerprint, fingerprintOf(two!.cert))

  writeConfig(dir, { ...config, tls: { port, cert: 'none.pem', key: 'a.key' } })
  program.signal('SIGHUP')
  assert.match(
    (await program.event('reload_failed')).message,
    /config\.json:1:\d+: .*none\.pem does not exist \(nothing/,
  )
  assert.equal(await peer(), fingerprintOf(two!.cert))
})

test('a pair that cannot be used keeps it from starting, with the place in the file', { skip }, async (t) => {
  const dir = folder(t)
  const [one, two] = await Promise.all([authority!.issue(), authority!.issue()])
  writeFileSync(join(dir, 'a.pem'), one!.cert)
  writeFileSync(join(dir, 'a.key'), two!.key)
  writeConfig(dir, { backends: ['http://127.0.0.1:9'], tls: { port: 8443, ...pair } })
  const ended = await cli(t, ['run', '--port', '0', '--admin-port', '0'], { cwd: dir })
  assert.equal(ended.code, 78)
  assert.match(ended.stderr, /^config\.json:1:\d+: .*a\.key does not match the certificate in .*a\.pem/)
  assert.doesNotMatch(ended.stderr, /PRIVATE/)
})
