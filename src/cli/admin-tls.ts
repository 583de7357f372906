// TLS to an admin API: whom the command line believes, and the certificate that it shows.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type ConnectionOptions, checkServerIdentity, rootCertificates } from 'node:tls'
import { CliError, ExitCode } from './exit-code.ts'

export interface AdminTls {
  /** PEM of authorities that are believed instead of the usual ones. */
  readonly ca?: string | undefined
  /** PEM of the certificate that the running Frontdesk was told to show: believed whatever name it is called by. */
  readonly own?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface AdminTlsOptions {
  readonly adminCa?: string
  readonly adminCert?: string
  readonly adminKey?: string
}

/** Reads the files that the options name. `own`: a file as in AdminTls, which may be unreadable. */
export function readAdminTls(o: AdminTlsOptions, ownFile?: string): AdminTls {
  if ((o.adminCert === undefined) !== (o.adminKey === undefined) && !holdsKey(o.adminCert)) {
    throw new CliError('--admin-cert and --admin-key belong together', {
      exitCode: ExitCode.usage,
      hint: 'a file with both may be named with --admin-cert alone',
    })
  }
  return {
    ca: read(o.adminCa, '--admin-ca'),
    cert: read(o.adminCert, '--admin-cert'),
    key: read(o.adminKey ?? o.adminCert, '--admin-key'),
    own: ownFile === undefined ? undefined : readIfPossible(ownFile),
  }
}

/** For `https.request`. */
export function tlsOptions(tls: AdminTls | undefined): ConnectionOptions {
  const { ca, own, cert, key } = tls ?? {}
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca }),
    ...(own !== undefined && believing(own, ca)),
  }
}

/** The certificate of the file is as good as an authority, and needs no name: who can read the file can be told so. */
function believing(own: string, ca: string | undefined): ConnectionOptions {
  let raw: Buffer
  try {
    raw = new X509Certificate(own).raw
  } catch {
    return {}
  }
  return {
    ca: [...(ca === undefined ? rootCertificates : [ca]), own],
    allowPartialTrustChain: true,
    checkServerIdentity: (host, shown) => (shown.raw.equals(raw) ? undefined : checkServerIdentity(host, shown)),
  }
}

const holdsKey = (file: string | undefined): boolean =>
  file !== undefined && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(readIfPossible(file) ?? '')

function read(file: string | undefined, flag: string): string | undefined {
  if (file === undefined) return undefined
  const text = readIfPossible(file)
  if (text !== undefined) return text
  throw new CliError(`${flag}: cannot read ${file}`, { exitCode: ExitCode.usage, hint: 'name a PEM file' })
}

function readIfPossible(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
