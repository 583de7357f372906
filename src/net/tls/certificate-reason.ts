// What is wrong with a certificate, in the words of an operator.

const UNKNOWN_AUTHORITY = 'unknown authority, or an intermediate certificate is missing'

/** By OpenSSL's names. */
const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_REVOKED: 'certificate has been revoked',
  CERT_SIGNATURE_FAILURE: 'the signature of the certificate is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in the chain',
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  INVALID_CA: 'an issuer in the chain is no authority',
  UNABLE_TO_GET_CRL: 'no revocation list of its authority is known',
  CRL_HAS_EXPIRED: 'the revocation list of its authority has expired',
  CRL_NOT_YET_VALID: 'the revocation list of its authority is not yet valid',
  PATH_LENGTH_EXCEEDED: 'the chain of certificates is longer than its authority allows',
  CERT_CHAIN_TOO_LONG: 'the chain of certificates is too long',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another name',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'certificate is for another name',
}

/** `side`: whose certificate it is. Null = this is no code of a certificate that failed verification. */
export function certificateReason(code: string, side: 'client' | 'server'): string | null {
  if (code === 'INVALID_PURPOSE') return `certificate is not for ${side}s`
  return certificateReasons[code] ?? null
}
