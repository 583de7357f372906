// A throw-away certificate authority and server certificates, made by the openssl program when a test asks for them.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Paths and contents in PEM. */
export interface Certificates {
  readonly caPath: string
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Removes the files. */
  remove(): Promise<void>
}

/** Whether the openssl program is there; tests that need it say so and are skipped. */
export async function haveOpenssl(): Promise<boolean> {
  return run('openssl', ['version']).then(
    () => true,
    () => false,
  )
}

/** A CA and one certificate signed by it, good for a day, for these names (`DNS:localhost`, `IP:127.0.0.1`). */
export async function makeCertificates(
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1'],
): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-certificates-'))
  const at = (file: string): string => join(dir, file)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('openssl', [
    ...['req', '-x509', ...curve, '-days', '1', '-subj', '/CN=Test CA'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  ])
  await run('openssl', [
    ...['req', ...curve, '-subj', '/CN=backend'],
    ...['-keyout', at('server.key'), '-out', at('server.csr')],
  ])
  await writeFile(at('extensions'), `subjectAltName=${names.join(',')}\n`)
  await run('openssl', [
    ...['x509', '-req', '-days', '1', '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
    ...['-in', at('server.csr'), '-out', at('server.pem'), '-extfile', at('extensions')],
  ])
  return {
    caPath: at('ca.pem'),
    ca: await readFile(at('ca.pem'), 'utf8'),
    cert: await readFile(at('server.pem'), 'utf8'),
    key: await readFile(at('server.key'), 'utf8'),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}
