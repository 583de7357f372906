// What the admin API tells of certificates, authorities and revocation lists. Names are part of the interface; see the
// guide. Never a key, nor its hash.

import { daysLeft } from './expiry-watch.ts'
import type { LoadedPem } from './load-authorities.ts'
import type { LoadedIdentity } from './load-identity.ts'
import type { Entry } from './material.ts'
import type { Wanted } from './wanted-material.ts'

interface Common {
  /** Name of its file. */
  readonly name: string
  /** Listeners that use it towards clients. */
  readonly listeners: readonly string[]
  /** Pools that use it towards their backends. */
  readonly pools: readonly string[]
  /** The admin API uses it. */
  readonly admin: boolean
  /** Why what is in its files now is not in use; null = it is. */
  readonly last_error: { readonly at: string; readonly message: string } | null
}

/** One that we show, with its key; its name is the label of the metric. */
export interface CertificateStatus extends Common {
  readonly kind: 'certificate'
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
}

/** Authorities that are trusted. */
export interface AuthoritiesStatus extends Common {
  readonly kind: 'authorities'
  readonly authorities: readonly { readonly subject: string; readonly expires_at: string }[]
  /** The end of the last of them. */
  readonly expires_at: string
  /** Whole days; negative once all have expired. */
  readonly days_left: number
  readonly files: { readonly ca: string }
}

/** What authorities have revoked. */
export interface RevocationListStatus extends Common {
  readonly kind: 'revocation_list'
  /** After it every certificate of the authority is refused; null = the list does not say. */
  readonly next_update: string | null
  /** Whole days; negative once it has expired. */
  readonly days_left: number | null
  readonly files: { readonly crl: string }
}

export type MaterialStatus = CertificateStatus | AuthoritiesStatus | RevocationListStatus

export interface MaterialFailure {
  readonly atMs: number
  readonly message: string
}

export function materialStatus(
  { wanted, loaded }: Entry,
  failure: MaterialFailure | null,
  nowMs: number,
): MaterialStatus {
  const using = (of: 'listener' | 'pool'): string[] => [
    ...new Set(wanted.places.map((place) => place[of]).filter((name) => name !== null)),
  ]
  const common: Common = {
    name: wanted.files.cert,
    listeners: using('listener'),
    pools: using('pool'),
    admin: wanted.places.some(({ listener, pool }) => listener === null && pool === null),
    last_error: failure === null ? null : { at: isoTime(failure.atMs), message: failure.message },
  }
  if ('spec' in loaded) return certificateStatus(loaded, common, nowMs)
  return wanted.kind === 'authorities'
    ? authoritiesStatus(loaded, common, nowMs)
    : revocationListStatus(loaded, common, nowMs)
}

function certificateStatus({ facts, files }: LoadedIdentity, common: Common, nowMs: number): CertificateStatus {
  return {
    kind: 'certificate',
    name: common.name,
    names: facts.names,
    alternative_names: facts.alternativeNames,
    subject: facts.subject,
    issuer: facts.issuer,
    not_before: isoTime(facts.notBeforeMs),
    expires_at: isoTime(facts.notAfterMs),
    days_left: daysLeft(facts.notAfterMs - nowMs),
    fingerprint: facts.fingerprint,
    key_type: facts.keyType,
    key_bits: facts.keyBits,
    files: { cert: files.cert, key: files.key },
    ...usesOf(common),
  }
}

function authoritiesStatus({ authorities, path }: LoadedPem, common: Common, nowMs: number): AuthoritiesStatus {
  const endMs = Math.max(...authorities.map(({ notAfterMs }) => notAfterMs))
  return {
    kind: 'authorities',
    name: common.name,
    authorities: authorities.map(({ subject, notAfterMs }) => ({ subject, expires_at: isoTime(notAfterMs) })),
    expires_at: isoTime(endMs),
    days_left: daysLeft(endMs - nowMs),
    files: { ca: path },
    ...usesOf(common),
  }
}

function revocationListStatus({ expiresAtMs, path }: LoadedPem, common: Common, nowMs: number): RevocationListStatus {
  return {
    kind: 'revocation_list',
    name: common.name,
    next_update: expiresAtMs === null ? null : isoTime(expiresAtMs),
    days_left: expiresAtMs === null ? null : daysLeft(expiresAtMs - nowMs),
    files: { crl: path },
    ...usesOf(common),
  }
}

const usesOf = ({ name: _, ...uses }: Common): Omit<Common, 'name'> => uses

const isoTime = (ms: number): string => new Date(ms).toISOString()

/** `certificate`, `authorities`, `revocation list`: as messages call it. */
export const kindWords: Readonly<Record<Wanted['kind'], string>> = {
  identity: 'certificate',
  authorities: 'authorities',
  revocations: 'revocation list',
}
