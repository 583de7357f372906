// A certificate chain with its private key, from files: read, checked against each other, tried in OpenSSL.
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import tls from 'node:tls'
import type { KeyPairFiles } from '../../config/config.ts'
import type { IdentitySpec } from '../../core/spec.ts'
import { type CertificateFacts, factsOf } from './certificate-facts.ts'
import { MaterialError, opensslReason } from './material-error.ts'
import { certificatesIn, labelsOf, type PemFile, readPemFile } from './pem-file.ts'

export interface LoadedIdentity {
  readonly files: KeyPairFiles
  readonly spec: IdentitySpec
  /** Of the leaf. */
  readonly facts: CertificateFacts
  /** What clients may not like although it can be used, one sentence each. */
  readonly warnings: readonly string[]
  /** Hash of what is in the files. */
  readonly digest: string
}

/** Both names may be of one file that holds certificate and key. Gives `known` back where the files have not changed. @throws MaterialError */
export async function loadIdentity(files: KeyPairFiles, known?: LoadedIdentity): Promise<LoadedIdentity> {
  const certFile = await readPemFile(files.cert)
  const keyFile = files.key === files.cert ? certFile : await readPemFile(files.key)
  const digest = `${certFile.digest} ${keyFile.digest}`
  if (known?.digest === digest) return known
  const blocks = certificatesIn(certFile)
  const chain = blocks.map((pem, index) => parseCertificate(certFile.path, pem, [index, blocks.length]))
  const { key, pem: keyPem } = privateKeyIn(keyFile)
  checkPair(files, chain, key)
  const cert = blocks.join('')
  tryInOpenssl(files, cert, keyPem)
  const facts = factsOf(chain[0]!)
  const id = createHash('sha256').update(cert).update('\0').update(keyPem).digest('hex')
  const spec = { id, names: facts.names, keyType: facts.keyType, cert, key: keyPem }
  return { files, spec, facts, warnings: warningsOf(files.cert, chain), digest }
}

/** @throws MaterialError; `at` is which of how many. */
export function parseCertificate(
  path: string,
  pem: string,
  at: readonly [index: number, count: number],
): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    const which = at[1] === 1 ? 'the certificate' : `certificate ${at[0] + 1} of ${at[1]}`
    throw new MaterialError(path, `is damaged: ${which} in it cannot be read (${opensslReason(error)})`)
  }
}

function privateKeyIn({ path, blocks }: PemFile): { key: KeyObject; pem: string } {
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (block === undefined) throw new MaterialError(path, `holds no private key, but ${labelsOf(blocks)}`)
  const { label, pem } = block
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const hint = 'nobody is there to give its passphrase; write it without one: openssl pkey -in OLD -out NEW'
    throw new MaterialError(path, 'is encrypted', hint)
  }
  if (label === 'OPENSSH PRIVATE KEY') throw new MaterialError(path, 'is a key for SSH, not for TLS')
  try {
    return { key: createPrivateKey(pem), pem }
  } catch (error) {
    throw new MaterialError(path, `is damaged: the private key in it cannot be read (${opensslReason(error)})`)
  }
}

function checkPair(files: KeyPairFiles, chain: readonly X509Certificate[], key: KeyObject): void {
  if (chain[0]!.checkPrivateKey(key)) return
  const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key))
  if (index < 0) {
    throw new MaterialError(files.key, `does not match the certificate in ${files.cert}`, 'they are not one pair')
  }
  const place = `its certificate is number ${index + 1} of ${chain.length} in the file`
  const hint = 'the own certificate comes first, then those of the authorities up to the root'
  throw new MaterialError(files.cert, `does not begin with the certificate of the key: ${place}`, hint)
}

/** As workers will do: what OpenSSL refuses is refused here, with the file. */
function tryInOpenssl(files: KeyPairFiles, cert: string, key: string): void {
  try {
    tls.createSecureContext({ cert, key })
  } catch (error) {
    const reason = opensslReason(error)
    if (reason === 'ee key too small')
      throw new MaterialError(files.cert, 'has a key that is too weak', 'RSA needs 2048 bits, EC 224')
    throw new MaterialError(files.cert, `cannot be used for TLS: ${reason}`)
  }
}

function warningsOf(path: string, chain: readonly X509Certificate[]): string[] {
  const warnings: string[] = []
  const { validFromDate } = chain[0]!
  if (validFromDate.getTime() > Date.now()) {
    const from = validFromDate.toISOString()
    warnings.push(`${path}: is not valid before ${from}; until then clients refuse it (or is the clock here wrong?)`)
  }
  const broken = chain.slice(1).findIndex((issuer, index) => !chain[index]!.checkIssued(issuer))
  if (broken >= 0) {
    const what = `certificate ${broken + 2} is not the issuer of certificate ${broken + 1}`
    warnings.push(`${path}: the chain is out of order: ${what}; some clients refuse it`)
  }
  return warnings
}
