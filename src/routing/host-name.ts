// The one form of a host name that is compared: lower case, no port, no trailing dot.
import { formatAddress, parseAddress } from '../util/cidr.ts'
import { unsliced } from '../util/unsliced.ts'

/** Lower case, digits and the rest that hosts consist of, without anything that would have to go. */
const NORMAL = /^(?:[a-z0-9\-_][a-z0-9\-_.]*[a-z0-9\-_]|[a-z0-9\-_]?)$/

/**
 * Normal form of a valid Host field or authority: `Example.COM.:8080` is `example.com`, `[::1]:80` is `[::1]`. One
 * trailing dot goes, as in DNS; a name that ends in two is no name and stays unlike any other. IPv6 addresses are
 * shortened (RFC 5952). '' stays ''.
 */
export function normalHost(hostField: string): string {
  // Most requests are for the host that the one before them was for.
  if (hostField === lastField) return lastNormal
  const normal = NORMAL.test(hostField) ? hostField : normalized(hostField)
  lastField = unsliced(hostField)
  lastNormal = unsliced(normal)
  return lastNormal
}

let lastField = ''
let lastNormal = ''

/** The slow path alone, for tests that compare it with the fast one. */
export function normalized(hostField: string): string {
  const bracket = hostField.lastIndexOf(']')
  if (bracket > 0) return literal(hostField.slice(0, bracket + 1))
  const colon = hostField.indexOf(':')
  const name = (colon < 0 ? hostField : hostField.slice(0, colon)).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/** An IPv6 address in brackets; one with a zone stays as it is. */
function literal(bracketed: string): string {
  const address = parseAddress(bracketed.slice(1, -1))
  if (address === null) return bracketed.toLowerCase()
  const value = address.family === 4 ? address.value | 0xffff_0000_0000n : address.value
  return `[${formatAddress(6, value)}]`
}
