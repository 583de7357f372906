import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Authority, haveOpenssl, type Issued, makeAuthority } from '../../../test/support/certificates.ts'
import { loadAuthorities, loadRevocations } from './load-authorities.ts'
import { loadIdentity } from './load-identity.ts'
import { MaterialError } from './material-error.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'

describe('material from files', { skip }, () => {
  let root: Authority
  let intermediate: Authority
  let plain: Issued
  let other: Issued
  let chained: Issued
  let dir: string
  let count = 0

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-material-'))
    root = await makeAuthority()
    intermediate = await root.intermediate()
    plain = await root.issue({ names: ['DNS:a.example'] })
    other = await root.issue()
    chained = await intermediate.issue()
  })
  after(async () => {
    await root.remove()
    await rm(dir, { recursive: true })
  })

  const write = async (text: string | Buffer): Promise<string> => {
    const path = join(dir, `${(count += 1)}.pem`)
    await writeFile(path, text)
    return path
  }
  const load = (cert: string, key: string) => loadIdentity({ cert, key })
  const refused = (promise: Promise<unknown>, file: string, reason: RegExp) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof MaterialError, String(error))
      assert.equal(error.file, file)
      assert.match(error.message, reason)
      assert.ok(error.message.startsWith(`${file} `))
      return true
    })

  it('tells names, issuer, dates and kind of key', async () => {
    const names = ['DNS:WWW.Example.com', 'DNS:*.b.example', 'IP:127.0.0.1', 'URI:spiffe://x/y', 'DNS:www.example.com']
    const issued = await root.issue({ names, subject: '/CN=ignored.example/O=Acme', keyType: 'rsa', days: 10 })
    const { spec, facts, warnings } = await load(issued.certPath, issued.keyPath)
    assert.deepEqual(spec.names, ['www.example.com', '*.b.example'])
    assert.deepEqual(facts.alternativeNames.slice(2, 4), ['IP Address:127.0.0.1', 'URI:spiffe://x/y'])
    assert.deepEqual([spec.keyType, facts.keyType, facts.keyBits], ['rsa', 'rsa', 2048])
    assert.deepEqual([facts.subject, facts.issuer], ['CN=ignored.example, O=Acme', 'CN=Test CA'])
    assert.ok(Math.abs(facts.notAfterMs - Date.now() - 10 * 86_400_000) < 60_000)
    assert.ok(facts.notBeforeMs < Date.now())
    assert.match(facts.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    assert.deepEqual(warnings, [])
    assert.equal(spec.cert, issued.cert)
    assert.equal(spec.key, issued.key)
  })

  it('has the common name only where there is no alternative name', async () => {
    const none = await root.issue({ names: [], subject: '/CN=Plain.Example' })
    assert.deepEqual((await load(none.certPath, none.keyPath)).spec.names, ['plain.example'])
    const address = await root.issue({ names: ['IP:127.0.0.1'], subject: '/CN=plain.example' })
    assert.deepEqual((await load(address.certPath, address.keyPath)).spec.names, [])
    const person = await root.issue({ names: [], subject: '/CN=Ann Example' })
    assert.deepEqual((await load(person.certPath, person.keyPath)).spec.names, [])
    // A curve without a NIST name would end the process where Node's older way to read a certificate were taken.
    const odd = await root.issue({ names: [], subject: '/O=Acme/CN=odd.example', curve: 'brainpoolP256r1' })
    assert.deepEqual((await load(odd.certPath, odd.keyPath)).spec.names, ['odd.example'])
  })

  it('takes EC, RSA and Ed25519, a chain, and both in one file with other text', async () => {
    for (const keyType of ['ec', 'rsa', 'ed25519'] as const) {
      const issued = await root.issue({ keyType })
      assert.equal((await load(issued.certPath, issued.keyPath)).spec.keyType, keyType)
    }
    assert.equal((await load(chained.certPath, chained.keyPath)).spec.cert, chained.cert)
    const both = await write(`# mine\n${plain.key}\nand\n${plain.cert.replaceAll('\n', '\r\n')}`)
    const { spec } = await load(both, both)
    assert.deepEqual([spec.cert, spec.key], [plain.cert, plain.key])
    assert.equal(spec.id, (await load(plain.certPath, plain.keyPath)).spec.id)
  })

  it('gives another id to another pair, and the known one back where nothing has changed', async () => {
    const one = await load(plain.certPath, plain.keyPath)
    const two = await load(other.certPath, other.keyPath)
    assert.notEqual(one.spec.id, two.spec.id)
    assert.equal(await loadIdentity(one.files, one), one)
  })

  it('names the file and what is wrong with it', async () => {
    const { certPath, keyPath } = plain
    const missing = join(dir, 'missing.pem')
    await refused(load(missing, keyPath), missing, /does not exist/)
    await refused(load(certPath, missing), missing, /does not exist/)
    await refused(load(join(certPath, 'x'), keyPath), join(certPath, 'x'), /does not exist: .*not a folder/)
    await mkdir(join(dir, 'sub'))
    await refused(load(join(dir, 'sub'), keyPath), join(dir, 'sub'), /is a folder/)
    await refused(load('/dev/null', keyPath), '/dev/null', /not a regular file/)
    const cases: [text: string | Buffer, reason: RegExp][] = [
      ['', /is empty/],
      ['hello', /is not PEM: /],
      [Buffer.from(plain.cert.replace(/-----.*-----/g, ''), 'base64'), /is not PEM but binary.*openssl x509/],
      [plain.cert.slice(0, 300), /ends in the middle/],
      [plain.key, /holds no certificate, but a PRIVATE KEY/],
      ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /is damaged: the certificate in it/],
      [plain.cert + plain.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /certificate 2 of 2 in it cannot be read/],
    ]
    for (const [text, reason] of cases) {
      const path = await write(text)
      await refused(load(path, keyPath), path, reason)
    }
  })

  it('refuses keys that nobody can use, and says why', async () => {
    const encrypted = await root.issue({ passphrase: 'abcd' })
    await refused(load(encrypted.certPath, encrypted.keyPath), encrypted.keyPath, /is encrypted; .*openssl pkey/)
    const old = await write(
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nAAAA\n-----END RSA PRIVATE KEY-----',
    )
    await refused(load(plain.certPath, old), old, /is encrypted/)
    await refused(load(plain.certPath, plain.certPath), plain.certPath, /holds no private key, but a CERTIFICATE/)
    await refused(load(plain.certPath, other.keyPath), other.keyPath, /does not match the certificate in .*\.pem/)
    const damaged = await write('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----')
    await refused(load(plain.certPath, damaged), damaged, /is damaged: the private key/)
    const weak = await root.issue({ keyType: 'rsa', bits: 1024 })
    await refused(load(weak.certPath, weak.keyPath), weak.certPath, /too weak; RSA needs 2048 bits/)
  })

  it('wants the leaf first, and doubts a chain out of order', async () => {
    const [leaf, above] = chained.cert.split(/(?<=-----END CERTIFICATE-----\n)/) as [string, string]
    const reversed = await write(above + leaf)
    await refused(load(reversed, chained.keyPath), reversed, /does not begin .* number 2 of 2 .*comes first/)
    const mixed = await write(leaf + root.pem + above)
    const { warnings } = await load(mixed, chained.keyPath)
    assert.match(warnings.join(), /out of order: certificate 2 is not the issuer of certificate 1/)
    const whole = await write(leaf + above + root.pem)
    assert.deepEqual((await load(whole, chained.keyPath)).warnings, [])
  })

  it('takes one that has expired, or is not valid yet with a warning', async () => {
    const expired = await root.issue({ days: -2 })
    const { facts, warnings } = await load(expired.certPath, expired.keyPath)
    assert.ok(facts.notAfterMs < Date.now())
    assert.deepEqual(warnings, [])
    const early = await root.issue({ startsInDays: 1, days: 5 })
    assert.match((await load(early.certPath, early.keyPath)).warnings.join(), /not valid before/)
  })

  it('never puts what is in a key into a message', async () => {
    const secret = plain.key.split('\n')[1]!
    const broken = await write(plain.key.replace(secret.slice(0, 8), 'AAAAAAAA'))
    const messages = await Promise.all(
      [load(plain.certPath, broken), load(broken, plain.keyPath), load(other.certPath, plain.keyPath)].map((promise) =>
        promise.then(
          () => assert.fail('taken'),
          (error: Error) => `${error.stack} ${JSON.stringify(error)}`,
        ),
      ),
    )
    for (const message of messages) assert.ok(!message.includes(secret.slice(8, 24)), message)
  })

  it('reads authorities and revocation lists', async () => {
    const bundle = await write(`# all\n${root.pem}${intermediate.pem}`)
    assert.equal((await loadAuthorities(bundle)).pem, root.pem + intermediate.pem)
    await refused(loadAuthorities(plain.keyPath), plain.keyPath, /holds no certificate/)
    await root.revoke(other)
    const { path, pem } = await root.crl({ days: 3 })
    const list = await loadRevocations(path)
    assert.equal(list.pem, pem)
    assert.ok(Math.abs(list.expiresAtMs! - Date.now() - 3 * 86_400_000) < 60_000)
    assert.ok((await loadRevocations((await root.crl({ days: -1 })).path)).expiresAtMs! < Date.now())
    await refused(loadRevocations(root.path), root.path, /holds no revocation list, but a CERTIFICATE/)
    const damaged = await write('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----')
    await refused(loadRevocations(damaged), damaged, /is damaged: a revocation list/)
  })
})
