// What scanners say of a TLS listener. `UPDATE_DOCS=1` writes it to docs/internals/tls-scan.md.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startActingBackend } from '../support/acting-backend.ts'
import { makeAuthority } from '../support/certificates.ts'
import { skipWithout } from '../support/peers.ts'
import { type BackendEntry, startProxy, type TestProxy } from '../support/proxy.ts'

const run = promisify(execFile)

interface Finding {
  readonly id: string
  readonly severity: 'OK' | 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' | 'WARN' | 'FATAL' | 'DEBUG'
  readonly finding: string
}

/** The project's own program has no OpenSSL engine to ask: that says nothing of the server. */
const aboutTheScanner = new Set(['engine_problem', 'scanTime', 'scanProblem'])

async function withListener(use: (port: number, caPath: string) => Promise<void>): Promise<void> {
  const authority = await makeAuthority()
  const backend = await startActingBackend()
  const ec = await authority.issue({ names: ['DNS:localhost'], keyType: 'ec' })
  const rsa = await authority.issue({ names: ['DNS:localhost'], keyType: 'rsa' })
  const certificates = [ec, rsa].map(({ certPath, keyPath }) => ({ cert: certPath, key: keyPath }))
  const listeners = [{ name: 'test', listen: '127.0.0.1:1', tls: { certificates } }]
  const backends: BackendEntry[] = [backend.url]
  let proxy: TestProxy | null = null
  try {
    proxy = await startProxy(backends, { config: { listeners } })
    await use(proxy.port, authority.path)
  } finally {
    await proxy?.close()
    await backend.close()
    await authority.remove()
  }
}

test('testssl.sh finds nothing above low in protocols, ciphers and vulnerabilities', {
  skip: skipWithout('testssl', 'openssl'),
  timeout: 240_000,
}, async () => {
  await withListener(async (port, caPath) => {
    const json = join(tmpdir(), `frontdesk-testssl-${process.pid}.json`)
    const sections = ['-p', '-s', '-f', '-U']
    const output = ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', json]
    try {
      await run('testssl', [...output, '--add-ca', caPath, ...sections, `localhost:${port}`], {
        maxBuffer: 2 ** 24,
      }).catch(
        // Its exit code counts findings of any kind.
        () => undefined,
      )
      const findings = JSON.parse(await readFile(json, 'utf8')) as Finding[]
      assert.ok(findings.length > 30, `only ${findings.length} findings: did the scan run to its end?`)
      const bad = findings.filter(
        ({ id, severity }) => !['OK', 'INFO', 'LOW'].includes(severity) && !aboutTheScanner.has(id),
      )
      assert.deepEqual(bad, [])
      if (process.env.UPDATE_DOCS === '1') await writePage(findings)
    } finally {
      await rm(json, { force: true })
    }
  })
})

test('sslscan sees TLS 1.2 and 1.3 alone, with ciphers of forward secrecy', {
  skip: skipWithout('sslscan', 'openssl'),
  timeout: 120_000,
}, async () => {
  await withListener(async (port) => {
    const { stdout } = await run('sslscan', ['--no-colour', `localhost:${port}`])
    for (const old of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1']) assert.match(stdout, new RegExp(`${old} +disabled`))
    for (const good of ['TLSv1.2', 'TLSv1.3']) assert.match(stdout, new RegExp(`${good} +enabled`))
    assert.match(stdout, /Session renegotiation not supported|Secure session renegotiation/)
    const ciphers = [...stdout.matchAll(/(?:Preferred|Accepted) +(TLSv1\.\d) +\d+ bits +(\S+)/g)]
    assert.ok(ciphers.length >= 6, stdout)
    for (const [, , cipher] of ciphers) assert.match(cipher ?? '', /^(TLS_|ECDHE-).*(GCM|POLY1305)/)
  })
})

async function writePage(findings: readonly Finding[]): Promise<void> {
  const rows = findings
    // The hint is a link with the hash of a certificate that is gone.
    .filter(({ id }) => !aboutTheScanner.has(id) && id !== 'DROWN_hint')
    .map(({ id, severity, finding }) => `| ${id} | ${severity} | ${finding.replaceAll('|', '/')} |`)
  const page = `# What a scanner says of TLS

testssl.sh 3.0 (Debian 12) against a listener with an ECDSA and an RSA certificate and otherwise the defaults, the test's own authority
added: protocols, ciphers, forward secrecy and vulnerabilities. Written by
[tls-scan.test.ts](../../test/integration/tls-scan.test.ts), which fails on any finding above LOW;
\`UPDATE_DOCS=1 npm test -- tls-scan\` writes it anew.

The sections on the certificate are left out: a certificate of a test has no OCSP address, is in no transparency log and
has an authority that nobody else knows, and the scanner rightly says so.

| check | severity | finding |
| --- | --- | --- |
${rows.join('\n')}
`
  await writeFile(join(import.meta.dirname, '../../docs/internals/tls-scan.md'), page)
}
