// What a certificate says of itself, as far as anybody is told.
import type { X509Certificate } from 'node:crypto'
import { commonNames } from '../../util/common-names.ts'

export interface CertificateFacts {
  /** DNS names it is good for, lower case; a wildcard as `*.example.com`. */
  readonly names: readonly string[]
  /** All alternative names with their kind: `DNS:example.com`, `IP Address:127.0.0.1`. */
  readonly alternativeNames: readonly string[]
  /** On one line: `CN=example.com, O=Example`. */
  readonly subject: string
  readonly issuer: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** SHA-256 of the certificate, as OpenSSL writes it. */
  readonly fingerprint: string
  readonly keyType: string
  /** Bits of the key, or null where the type alone says it. */
  readonly keyBits: number | null
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
  const alternativeNames = splitNames(certificate.subjectAltName ?? '')
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  return {
    names: dnsNames(certificate, alternativeNames),
    alternativeNames,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256,
    keyType: asymmetricKeyType ?? 'unknown',
    keyBits: asymmetricKeyDetails?.modulusLength ?? curveBits(asymmetricKeyDetails?.namedCurve),
  }
}

/** The common name counts only where there is no alternative name at all (RFC 6125 §6.4.4). */
function dnsNames(certificate: X509Certificate, alternativeNames: readonly string[]): string[] {
  const given =
    alternativeNames.length > 0
      ? alternativeNames.filter((name) => name.startsWith('DNS:')).map((name) => name.slice(4))
      : namesOfSubject(certificate)
  return [...new Set(given.map((name) => name.toLowerCase().replace(/\.$/, '')))].filter((name) => name !== '')
}

function namesOfSubject(certificate: X509Certificate): string[] {
  // A common name may be anything, such as the name of a person.
  return commonNames(certificate).filter((name) => /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(name))
}

/** Node parts the names with commas, and quotes those that have one in them, as JSON. */
function splitNames(text: string): string[] {
  const names: string[] = []
  for (const [part] of text.matchAll(/(?:[^,"]|"(?:\\.|[^"\\])*")+/g)) {
    const name = part.trim()
    const quoted = /^([^:"]+:)(".*")$/.exec(name)
    if (name !== '') names.push(quoted === null ? name : `${quoted[1]}${JSON.parse(quoted[2]!) as string}`)
  }
  return names
}

/** Node puts each part of a distinguished name on a line of its own. */
export const oneLine = (name: string | undefined): string => (name ?? '').split('\n').join(', ')

function curveBits(curve: string | undefined): number | null {
  const bits = /(\d{3})/.exec(curve ?? '')?.[1]
  return bits === undefined ? null : Number(bits)
}
