// What the admin API tells of a certificate. Names are part of the interface; see the guide. Never a key, nor its hash.

import { daysLeft } from './expiry-watch.ts'
import type { LoadedIdentity } from './load-identity.ts'
import type { Wanted } from './wanted-material.ts'

export interface CertificateStatus {
  /** Name of its file: the label of the metric. */
  readonly name: string
  /** DNS names it is good for; clients are given a certificate by these. */
  readonly names: readonly string[]
  readonly alternative_names: readonly string[]
  readonly subject: string
  readonly issuer: string
  readonly not_before: string
  readonly expires_at: string
  /** Whole days; negative once it has expired. */
  readonly days_left: number
  /** SHA-256 of the certificate. */
  readonly fingerprint: string
  readonly key_type: string
  readonly key_bits: number | null
  readonly files: { readonly cert: string; readonly key: string }
  /** Listeners that offer it to clients. */
  readonly listeners: readonly string[]
  /** Pools that show it to their backends. */
  readonly pools: readonly string[]
  /** Why what is in its files now is not in use; null = it is. */
  readonly last_error: { readonly at: string; readonly message: string } | null
}

export interface MaterialFailure {
  readonly atMs: number
  readonly message: string
}

export function certificateStatus(
  { wanted, loaded }: { readonly wanted: Wanted; readonly loaded: LoadedIdentity },
  failure: MaterialFailure | null,
  nowMs: number,
): CertificateStatus {
  const { facts, files } = loaded
  const using = (of: 'listener' | 'pool'): string[] => [
    ...new Set(wanted.places.map((place) => place[of]).filter((name) => name !== null)),
  ]
  return {
    name: files.cert,
    names: facts.names,
    alternative_names: facts.alternativeNames,
    subject: facts.subject,
    issuer: facts.issuer,
    not_before: new Date(facts.notBeforeMs).toISOString(),
    expires_at: new Date(facts.notAfterMs).toISOString(),
    days_left: daysLeft(facts.notAfterMs - nowMs),
    fingerprint: facts.fingerprint,
    key_type: facts.keyType,
    key_bits: facts.keyBits,
    files: { cert: files.cert, key: files.key },
    listeners: using('listener'),
    pools: using('pool'),
    last_error: failure === null ? null : { at: new Date(failure.atMs).toISOString(), message: failure.message },
  }
}
