// Certificates of authorities that are trusted, and lists of what they have revoked, from files.
import tls from 'node:tls'
import { oneLine } from './certificate-facts.ts'
import { parseCertificate } from './load-identity.ts'
import { MaterialError, opensslReason } from './material-error.ts'
import { certificatesIn, labelsOf, readPemFile } from './pem-file.ts'
import { nextUpdateMs } from './revocation-list.ts'

/** An authority that is trusted. */
export interface AuthorityFacts {
  /** On one line: `CN=Example CA, O=Example`. */
  readonly subject: string
  readonly notAfterMs: number
}

export interface LoadedPem {
  readonly path: string
  /** Only the blocks that are asked for, in the order of the file. */
  readonly pem: string
  readonly warnings: readonly string[]
  /** When it is no longer of use: the end of the last authority, or the first list that must be followed; null = never. */
  readonly expiresAtMs: number | null
  /** The authorities in it; none in a revocation list. */
  readonly authorities: readonly AuthorityFacts[]
  /** Hash of what is in the file. */
  readonly digest: string
}

/** Authorities. Gives `known` back where the file has not changed. @throws MaterialError */
export async function loadAuthorities(path: string, known?: LoadedPem): Promise<LoadedPem> {
  const file = await readPemFile(path)
  if (known?.digest === file.digest) return known
  const blocks = certificatesIn(file)
  const certificates = blocks.map((pem, index) => parseCertificate(path, pem, [index, blocks.length]))
  const authorities = certificates.map(({ subject, validToDate }) => ({
    subject: oneLine(subject),
    notAfterMs: validToDate.getTime(),
  }))
  const expiresAtMs = Math.max(...authorities.map(({ notAfterMs }) => notAfterMs))
  const expired = expiresAtMs < Date.now()
  const warnings = expired ? [`${path}: every authority in it has expired: nothing it signed is accepted`] : []
  return { path, pem: blocks.join(''), warnings, expiresAtMs, authorities, digest: file.digest }
}

/** Revocation lists (RFC 5280 §5). Gives `known` back where the file has not changed. @throws MaterialError */
export async function loadRevocations(path: string, known?: LoadedPem): Promise<LoadedPem> {
  const file = await readPemFile(path)
  if (known?.digest === file.digest) return known
  const blocks = file.blocks.filter(({ label }) => label === 'X509 CRL').map(({ pem }) => pem)
  if (blocks.length === 0) throw new MaterialError(path, `holds no revocation list, but ${labelsOf(file.blocks)}`)
  for (const pem of blocks) {
    try {
      tls.createSecureContext({ crl: pem })
    } catch (error) {
      throw new MaterialError(path, `is damaged: a revocation list in it cannot be read (${opensslReason(error)})`)
    }
  }
  const ends = blocks.map(nextUpdateMs).filter((ms) => ms !== null)
  const expiresAtMs = ends.length === 0 ? null : Math.min(...ends)
  return { path, pem: blocks.join(''), warnings: [], expiresAtMs, authorities: [], digest: file.digest }
}
