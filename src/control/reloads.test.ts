// Certificates in the control plane, from files to snapshots: at start, when files change, on a reload; and what is told.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type Authority, haveOpenssl, type Issued, makeAuthority } from '../../test/support/certificates.ts'
import { FakePort, MemoryLog } from '../../test/support/control-kit.ts'
import { within } from '../../test/support/wait.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Snapshot } from '../core/spec.ts'
import type { CertificateStatus, MaterialStatus } from './certificates/certificate-status.ts'
import { Control } from './control.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'

interface Problem {
  readonly status: number
  readonly detail: string
  readonly errors: { readonly path: string; readonly message: string; readonly line?: number }[]
}

/** For so long this must hold at every turn of the loop: what is not to happen has the time to. */
async function quietly(ms: number, holds: () => void): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    holds()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('certificates of a running process', { skip }, () => {
  let authority: Authority
  let one: Issued
  let two: Issued
  let other: Issued
  let dir: string
  let port: FakePort
  let log: MemoryLog
  let control: Control | null
  let file: Record<string, unknown>

  const pair = { cert: 'a.pem', key: 'a.key' }
  const at = (name: string): string => join(dir, name)
  const listener = (tls: Record<string, unknown> = {}) => ({
    name: 'web',
    listen: '127.0.0.1:0',
    tls: { certificates: [pair], ...tls },
  })
  const load = (): LoadedConfig =>
    loadConfig({ path: at('config.json'), text: JSON.stringify(file, null, 1), allowAnyPort: true })
  const start = async (over: Record<string, unknown> = {}): Promise<Control> => {
    file = {
      listeners: [listener()],
      pools: { default: { backends: ['http://127.0.0.1:9'], health_check: { method: 'none' } } },
      admin: { listen: '127.0.0.1:0' },
      state_file: null,
      ...over,
    }
    control = await Control.create({ port, loaded: load(), load, log })
    await control.start()
    // It looks once more when it has begun to watch.
    await within('its first look', control.reload(load()))
    return control
  }
  const put = async ({ certPath, keyPath }: Issued, name = 'a'): Promise<void> => {
    await copyFile(certPath, at(`${name}.pem`))
    await copyFile(keyPath, at(`${name}.key`))
  }
  /** As it is done by careful programs. */
  const replace = async (name: string, content: string): Promise<void> => {
    await writeFile(at(`${name}.new`), content)
    await rename(at(`${name}.new`), at(name))
  }
  const served = (snapshot: Snapshot | undefined = port.applied.at(-1)): string | undefined =>
    snapshot?.listeners[0]?.tls?.identities[0]?.cert
  const call = async (method: string, path: string): Promise<{ status: number; type: string; text: string }> => {
    const outgoing = request({ ...control!.adminAddress(), method, path, agent: false }).end()
    const [response] = await within(`${method} ${path}`, once(outgoing, 'response'))
    return { status: response.statusCode, type: response.headers['content-type'], text: await text(response) }
  }
  const certificates = async (): Promise<CertificateStatus[]> => JSON.parse((await call('GET', '/certificates')).text)
  const metric = async (name: string): Promise<string[]> =>
    (await call('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith(name))

  before(async () => {
    authority = await makeAuthority()
    one = await authority.issue({ names: ['DNS:a.example', 'DNS:*.a.example'], days: 60 })
    two = await authority.issue({ names: ['DNS:a.example'], days: 90, keyType: 'rsa' })
    other = await authority.issue({ names: ['DNS:b.example'], days: 90 })
  })
  after(() => authority.remove())
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-reloads-'))
    port = new FakePort()
    log = new MemoryLog()
    await put(one)
  })
  afterEach(async () => {
    await control?.close()
    control = null
    await rm(dir, { recursive: true })
  })

  it('are in the first snapshot, and what is told of them', async () => {
    await start()
    assert.equal(served(control!.snapshot), one.cert)
    assert.equal(control!.snapshot.listeners[0]!.tls!.identities[0]!.key, one.key)
    const [told, ...more] = await certificates()
    assert.equal(more.length, 0)
    const { fingerprint, not_before, expires_at, ...rest } = told!
    assert.match(fingerprint, /^[0-9A-F:]{95}$/)
    assert.ok(Date.parse(not_before) < Date.now() && Date.parse(expires_at) > Date.now())
    assert.deepEqual(rest, {
      kind: 'certificate',
      admin: false,
      name: at('a.pem'),
      names: ['a.example', '*.a.example'],
      alternative_names: ['DNS:a.example', 'DNS:*.a.example'],
      subject: 'CN=a.example',
      issuer: 'CN=Test CA',
      days_left: 59,
      key_type: 'ec',
      key_bits: 256,
      files: { cert: at('a.pem'), key: at('a.key') },
      listeners: ['web'],
      pools: [],
      last_error: null,
    })
    const [expiry] = await metric('frontdesk_certificate_expiry')
    const name = `frontdesk_certificate_expiry_timestamp_seconds{name="${at('a.pem')}"}`
    assert.equal(expiry, `${name} ${Date.parse(expires_at) / 1000}`)
  })

  it('that cannot be used keep it from starting: every file and reason at once', async () => {
    await writeFile(at('a.key'), other.key)
    await writeFile(at('ca.pem'), 'nothing')
    const client_auth = { mode: 'required', ca: 'ca.pem', crl: 'no.crl' }
    const pools = { default: { backends: ['https://127.0.0.1:9'], tls: { cert: 'b.pem', key: 'a.key', ca: 'c.pem' } } }
    await assert.rejects(start({ listeners: [listener({ client_auth })], pools }), (error) => {
      assert.ok(error instanceof ConfigError)
      const lines = error.message.split('\n')
      const place = `${at('config.json')}: `
      assert.deepEqual(lines, [
        `${place}listeners[0].tls.certificates[0]: ${at('a.key')} does not match the certificate in ${at('a.pem')}; they are not one pair`,
        `${place}listeners[0].tls.client_auth.ca: ${at('ca.pem')} is not PEM: it has no line that begins with -----BEGIN`,
        `${place}listeners[0].tls.client_auth.crl: ${at('no.crl')} does not exist`,
        `${place}pools.default.tls.cert: ${at('b.pem')} does not exist`,
        `${place}pools.default.tls.ca: ${at('c.pem')} does not exist`,
      ])
      return true
    })
    assert.equal(port.applied.length, 0)
  })

  it('are rolled out when both files have been replaced, and the mismatch between is told to nobody', async () => {
    await start()
    const [before] = await certificates()
    await replace('a.pem', two.cert)
    await quietly(250, () => assert.deepEqual([port.applied.length, log.named('certificate_refused')], [0, []]))
    await replace('a.key', two.key)
    const { message, fields } = await log.waitFor('certificate_changed')
    assert.match(message, /a\.pem has changed: good for a\.example until 20/)
    assert.equal(fields.name, at('a.pem'))
    assert.deepEqual(log.named('certificate_refused'), [])
    const { cert, key } = port.applied.at(-1)!.listeners[0]!.tls!.identities[0]!
    assert.deepEqual([cert, key], [two.cert, two.key])
    assert.equal(served(control!.snapshot), two.cert)
    const [now] = await certificates()
    assert.notEqual(now!.fingerprint, before!.fingerprint)
    assert.deepEqual([now!.key_type, now!.key_bits, now!.last_error], ['rsa', 2048, null])
    assert.equal(port.applied.length, 1, 'one roll-out')
    assert.equal(control!.status().revision, 1, 'the configuration is the same')
  })

  it('that are broken are told of with file and reason, once; the old pair stays as a whole, others are taken', async () => {
    await put(other, 'b')
    await start({ listeners: [listener({ certificates: [pair, { cert: 'b.pem', key: 'b.key' }] })] })
    await replace('a.pem', two.cert)
    await put(two, 'b')
    const { level, message, fields } = await log.waitFor('certificate_refused')
    assert.equal(level, 'error')
    assert.equal(
      message,
      `${at('a.key')} does not match the certificate in ${at('a.pem')}; they are not one pair (the old one stays in use)`,
    )
    assert.deepEqual([fields.name, fields.file], [at('a.pem'), at('a.key')])
    await log.waitFor('certificate_changed')
    const identities = port.applied.at(-1)!.listeners[0]!.tls!.identities
    assert.deepEqual(
      identities.map(({ cert, key }) => [cert, key]),
      [
        [one.cert, one.key],
        [two.cert, two.key],
      ],
    )
    const [a, b] = await certificates()
    assert.match(a!.last_error!.message, /a\.key does not match/)
    assert.equal(b!.last_error, null)
    // The same fault seen again is no news.
    await control!.reload(load())
    const told = log.named('certificate_refused').length
    await replace('b.pem', one.cert)
    await replace('b.key', one.key)
    await log.waitFor('certificate_changed', 2)
    assert.equal(log.named('certificate_refused').length, told)
    await replace('a.key', two.key)
    await log.waitFor('certificate_changed', 3)
    assert.deepEqual(
      (await certificates()).map(({ last_error }) => last_error),
      [null, null],
    )
  })

  it('are seen through symbolic links, as Kubernetes swaps them; touching a file is nothing', async () => {
    for (const [name, issued] of [['v1', one] as const, ['v2', two] as const]) {
      await mkdir(at(`k/${name}`), { recursive: true })
      await copyFile(issued.certPath, at(`k/${name}/tls.crt`))
      await copyFile(issued.keyPath, at(`k/${name}/tls.key`))
    }
    await symlink('v1', at('k/..data'))
    for (const name of ['tls.crt', 'tls.key']) await symlink(`..data/${name}`, at(`k/${name}`))
    await start({ listeners: [listener({ certificates: [{ cert: 'k/tls.crt', key: 'k/tls.key' }] })] })
    await copyFile(one.certPath, at('k/v1/tls.crt'))
    await symlink('v2', at('k/..next'))
    await rename(at('k/..next'), at('k/..data'))
    await log.waitFor('certificate_changed')
    assert.equal(served(), two.cert)
    assert.equal(port.applied.length, 1)
  })

  it('of client authorities and backends are taken as well', async () => {
    await writeFile(at('ca.pem'), authority.pem)
    const list = await authority.crl()
    await copyFile(list.path, at('clients.crl'))
    const tls = { cert: 'a.pem', key: 'a.key', ca: 'ca.pem' }
    const client_auth = { mode: 'optional', ca: 'ca.pem', crl: 'clients.crl' }
    await start({
      listeners: [listener({ client_auth })],
      pools: { default: { backends: ['https://127.0.0.1:9'], tls, health_check: { method: 'none' } } },
    })
    const [told] = await certificates()
    assert.deepEqual([told!.listeners, told!.pools], [['web'], ['default']])
    const newList = await authority.crl()
    await replace('clients.crl', newList.pem)
    assert.equal((await log.waitFor('certificate_changed')).fields.name, at('clients.crl'))
    assert.equal(port.applied.at(-1)!.listeners[0]!.tls!.clientAuth!.crl, newList.pem)
    await put(two)
    await log.waitFor('certificate_changed', 2)
    assert.deepEqual(port.applied.at(-1)!.pools[0]!.tls.identity, { cert: two.cert, key: two.key })
    await replace('clients.crl', authority.pem)
    assert.match((await log.waitFor('certificate_refused')).message, /clients\.crl holds no revocation list/)
  })

  it('that are broken are well again when what was there before is put back', async () => {
    await start()
    await writeFile(at('a.key'), other.key)
    assert.equal((await call('POST', '/reload')).status, 422)
    assert.match(
      log.named('reloaded').at(-1)!.message,
      /nothing in it has changed; what cannot be used .* stays as it was$/,
    )
    await replace('a.key', one.key)
    assert.match((await log.waitFor('certificate_mended')).message, /a\.pem: its files are in order again/)
    assert.equal((await certificates())[0]!.last_error, null)
    assert.deepEqual(await metric('frontdesk_config_last'), ['frontdesk_config_last_reload_successful 1'])
  })

  it('of clients are listed with their revocation lists, and what is wrong with these', async () => {
    await writeFile(at('ca.pem'), authority.pem)
    await copyFile((await authority.crl({ days: -2 })).path, at('clients.crl'))
    await start({ listeners: [listener({ client_auth: { mode: 'required', ca: 'ca.pem', crl: 'clients.crl' } })] })
    await replace('ca.pem', 'broken')
    await log.waitFor('certificate_refused')
    const [, authorities, list] = JSON.parse((await call('GET', '/certificates')).text) as MaterialStatus[]
    assert.ok(authorities?.kind === 'authorities' && list?.kind === 'revocation_list')
    assert.deepEqual(
      authorities.authorities.map(({ subject }) => subject),
      ['CN=Test CA'],
    )
    assert.ok(authorities.days_left > 3000)
    assert.match(authorities.last_error!.message, /ca\.pem is not PEM/)
    assert.deepEqual([list.files, list.listeners, list.last_error], [{ crl: at('clients.crl') }, ['web'], null])
    assert.deepEqual([list.days_left, Date.parse(list.next_update!) < Date.now()], [-3, true])
    assert.match(
      log.named('certificate_expired')[0]!.message,
      /clients\.crl expired at .*Z: every client certificate is/,
    )
    assert.equal((await metric('frontdesk_certificate_expiry')).length, 1)
  })

  it('of one name and kind of key: the later is warned of, and more so behind one that has expired', async () => {
    await put(await authority.issue({ names: ['DNS:a.example'], days: -1 }), 'b')
    await put(other, 'c')
    await put(two, 'd')
    const certificates = ['b', 'a', 'c', 'd'].map((name) => ({ cert: `${name}.pem`, key: `${name}.key` }))
    await start({ listeners: [listener({ certificates })] })
    assert.deepEqual(
      log.named('certificate_shadowed').map(({ message }) => message),
      [
        `listener web: ${at('a.pem')} is never shown for a.example: ${at('b.pem')} comes before it, for the same name and with the same kind of key (ec), and has expired: remove that one`,
      ],
    )
  })

  it('are not in force when a worker cannot take them', async () => {
    await start()
    port.onApply = (snapshot) => {
      if (served(snapshot) === two.cert) throw new Error('worker 1: no memory')
    }
    await put(two)
    assert.match((await log.waitFor('certificates_not_applied')).message, /worker 1: no memory/)
    assert.equal(served(control!.snapshot), one.cert)
    assert.equal((await certificates())[0]!.key_type, 'ec')
    port.onApply = () => {}
    const answer = await call('POST', '/reload')
    assert.equal(answer.status, 200, answer.text)
    assert.equal(served(), two.cert)
  })

  it('are read again by POST /reload, although the file is the same', async () => {
    await start()
    const nothing = JSON.parse((await call('POST', '/reload')).text)
    assert.deepEqual([nothing.revision, nothing.changes, nothing.plan.steps], [1, [], []])
    assert.match((await log.waitFor('reloaded')).message, /nothing in it has changed/)
    await put(two)
    const answer = await call('POST', '/reload')
    assert.equal(answer.status, 200)
    const { revision, changes, plan } = JSON.parse(answer.text)
    assert.deepEqual([revision, changes, plan.steps[0].kind], [1, [`${at('a.pem')} changed`], 'certificate'])
    assert.equal(served(), two.cert)
  })

  it('may be others after a reload, with other settings', async () => {
    await start()
    await put(other, 'b')
    file.listeners = [listener({ certificates: [pair, { cert: 'b.pem', key: 'b.key' }], min_version: '1.3' })]
    const { changes, revision } = JSON.parse((await call('POST', '/reload')).text)
    assert.deepEqual([changes, revision], [['listener web: tls.certificates, tls.min_version changed'], 2])
    const { identities, minVersion } = port.applied.at(-1)!.listeners[0]!.tls!
    assert.deepEqual([identities.length, minVersion], [2, 'TLSv1.3'])
    assert.deepEqual(
      (await certificates()).map(({ names }) => names[0]),
      ['a.example', 'b.example'],
    )
    await replace('b.pem', two.cert)
    await replace('b.key', two.key)
    assert.equal((await log.waitFor('certificate_changed')).fields.name, at('b.pem'))
    file.listeners = [listener()]
    assert.equal((await call('POST', '/reload')).status, 200)
    assert.equal((await certificates()).length, 1)
  })

  it('of another configuration have to be right: else nothing changes, and the answer says what is wrong', async () => {
    await start()
    const refused = async (status: number): Promise<Problem> => {
      const answer = await call('POST', '/reload')
      assert.equal(answer.status, status, answer.text)
      assert.equal(answer.type, 'application/problem+json')
      assert.deepEqual([port.applied.length, control!.status().revision], [0, 1])
      assert.deepEqual(await metric('frontdesk_config_last'), ['frontdesk_config_last_reload_successful 0'])
      return JSON.parse(answer.text)
    }
    file.listeners = [listener({ certificates: [{ cert: 'none.pem', key: 'a.key' }] })]
    const missing = await refused(422)
    assert.match(missing.detail, /none\.pem does not exist\. Nothing was changed$/)
    const line =
      1 +
      JSON.stringify(file, null, 1)
        .split('\n')
        .findIndex((text) => text.includes('"certificates"')) +
      1
    const [{ column, ...problem }, ...more] = missing.errors as [Problem['errors'][0] & { column: number }]
    assert.deepEqual([typeof column, more], ['number', []])
    assert.deepEqual(problem, {
      path: 'listeners[0].tls.certificates[0]',
      message: `${at('none.pem')} does not exist`,
      hint: null,
      file: at('config.json'),
      line,
    })
    file.listeners = [listener()]
    file.wrokers = 3
    const wrong = await refused(422)
    assert.match(wrong.detail, /did you mean "workers"\? Nothing was changed$/)
    const [typo] = wrong.errors
    assert.deepEqual([typo!.path, typeof typo!.line], ['wrokers', 'number'])
    delete file.wrokers
    file.state_file = 'other.json'
    assert.deepEqual((await refused(409)).errors, [{ path: 'state_file', message: 'can only change with a restart' }])
    // What is in force is still watched.
    await put(two)
    await log.waitFor('certificate_changed')
    assert.equal(served(), two.cert)
    file.state_file = null
    file.listeners = [listener()]
    assert.equal((await call('POST', '/reload')).status, 200)
    assert.deepEqual(await metric('frontdesk_config_last'), ['frontdesk_config_last_reload_successful 1'])
  })

  it('that are broken at a reload stay as they were, and the rest of it is applied', async () => {
    await start()
    await writeFile(at('a.key'), other.key)
    file.pools = { default: { backends: ['http://127.0.0.1:10'], health_check: { method: 'none' } } }
    const answer = await call('POST', '/reload')
    assert.equal(answer.status, 422)
    const { detail, errors } = JSON.parse(answer.text) as Problem
    assert.match(detail, /a\.key does not match .*The old one stays in use; everything else is applied \(revision 2\)$/)
    assert.equal(errors[0]!.path, 'listeners[0].tls.certificates[0]')
    assert.equal(typeof errors[0]!.line, 'number')
    assert.equal(port.applied.at(-1)!.pools[0]!.backends[0]!.url, 'http://127.0.0.1:10')
    assert.deepEqual(await metric('frontdesk_config_last'), ['frontdesk_config_last_reload_successful 0'])
    // Whoever asks again is told again.
    const told = log.named('certificate_refused').length
    await call('POST', '/reload')
    assert.equal(log.named('certificate_refused').length, told + 1)
  })

  it('keep their keys to themselves: in the log, in answers, in metrics', async () => {
    await start()
    await replace('a.pem', two.cert)
    await log.waitFor('certificate_refused')
    await put(two)
    await log.waitFor('certificate_changed')
    await writeFile(at('a.key'), one.key.replace(/\n.{12}/, '\nAAAAAAAAAAAA'))
    const paths = ['/certificates', '/status', '/metrics', '/openapi.json', '/schema.json']
    const answers = await Promise.all([call('POST', '/reload'), ...paths.map((path) => call('GET', path))])
    const said = [...answers.map((answer) => answer.text), JSON.stringify(log.events)].join('\n')
    assert.doesNotMatch(said, /PRIVATE KEY-----/)
    for (const key of [one.key, two.key]) {
      for (const line of key.split('\n').filter((part) => /^[\w+/=]{16,}$/.test(part))) {
        assert.ok(!said.includes(line.slice(-16)), 'a part of a private key was told')
      }
    }
    for (const { id } of control!.snapshot.listeners[0]!.tls!.identities) assert.ok(!said.includes(id))
  })

  it('are warned of before their end', async () => {
    await put(await authority.issue({ days: 5 }))
    await put(await authority.issue({ days: -1 }), 'b')
    await start({ listeners: [listener({ certificates: [pair, { cert: 'b.pem', key: 'b.key' }] })] })
    assert.match(log.named('certificate_expires')[0]!.message, /a\.pem \(localhost\) expires in 4 days/)
    const [expired] = log.named('certificate_expired')
    assert.deepEqual([expired!.level, expired!.fields.name], ['error', at('b.pem')])
    assert.equal((await certificates())[1]!.days_left, -2)
  })

  it('end with the process: nothing is looked at any more', async () => {
    await start()
    await put(two)
    await control!.close()
    await quietly(300, () => assert.equal(port.applied.length, 0))
    assert.deepEqual(log.named('certificates_not_applied'), [])
  })
})
