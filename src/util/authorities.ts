// The certificate authorities that this machine trusts.
import { getCACertificates } from 'node:tls'

let known: readonly string[] | null = null

/** In PEM: those of the system's store, those that Node brings, and NODE_EXTRA_CA_CERTS. Read once. */
export function systemAuthorities(): readonly string[] {
  known ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  return known
}
