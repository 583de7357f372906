// What TLS is measured with: one certificate, one protocol version and one cipher suite for every proxy.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of PEM files. */
export interface Certificate {
  readonly certPath: string
  readonly keyPath: string
  /** Both in one file, as HAProxy wants them. */
  readonly bothPath: string
}

/** Frontdesk's first choice in TLS 1.3, and the only one that the others are allowed; OpenSSL's and IANA's name. */
export const tlsSuite = 'TLS_AES_128_GCM_SHA256'

/** A self-signed ECDSA P-256 certificate for localhost, made at the first call. Throws without the openssl program. */
export function makeCertificate(directory: string): Certificate {
  const [certPath, keyPath, bothPath] = ['tls.crt', 'tls.key', 'tls.pem'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  if (!existsSync(bothPath)) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyPath]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    try {
      execFileSync('openssl', ['req', '-x509', ...key, '-days', '7', ...names, '-out', certPath], { stdio: 'pipe' })
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error('openssl is not installed') : error
    }
    writeFileSync(bothPath, `${readFileSync(certPath, 'utf8')}${readFileSync(keyPath, 'utf8')}`, { mode: 0o600 })
  }
  return { certPath, keyPath, bothPath }
}
