// Who may be told of the inside: whoever runs the proxy, and nobody behind a proxy that hides who asks.

import { chainOf } from './believed-client.ts'
import { fieldValues } from './field-values.ts'

/** Fields by which a proxy tells that it speaks for another. */
const TELLS_OF_ANOTHER =
  /^(?:x[-_]forwarded[-_][a-z]+|forwarded|via|x[-_]real[-_]ip|x[-_]client[-_]ip|true[-_]client[-_]ip|cf[-_]connecting[-_]ip):/im

/**
 * Whether a request comes from this machine, or from a network that is trusted: by its connection, and by every address that
 * it came through. `peer`: of the connection; `block`: the header section as it was received.
 */
export function isInsideClient(peer: string, block: string, isTrusted: (address: string) => boolean): boolean {
  const isInside = (address: string): boolean => isLoopback(address) || isTrusted(address)
  if (!isInside(peer)) return false
  if (!TELLS_OF_ANOTHER.test(block)) return true
  // A proxy on this machine that nobody has declared: its clients may be anybody.
  if (!isTrusted(peer)) return false
  const chain = chainOf(fieldValues(block, 'x-forwarded-for').join(','))
  return chain !== null && chain.length > 0 && chain.every(isInside)
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
