// Blocks of IP addresses ("10.0.0.0/8", "fd00::/8", "127.0.0.1"): parsing, normal form, membership.
import { isIPv4, isIPv6 } from 'node:net'

export interface Cidr {
  readonly family: 4 | 6
  /** The address as one number of 32 or 128 bits, host bits zero. */
  readonly network: bigint
  readonly prefix: number
  /** Normal form, always with the prefix length. */
  readonly text: string
}

/** An address as a number; an IPv4 address in IPv6 clothes (::ffff:a.b.c.d) is an IPv4 one. Null if it is no address. */
export function parseAddress(text: string): { family: 4 | 6; value: bigint } | null {
  if (isIPv4(text)) return { family: 4, value: BigInt(ipv4Value(text)) }
  if (!isIPv6(text) || text.includes('%')) return null
  const value = ipv6Value(text)
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

/** Parses a block, or a single address. Throws an `Error` whose message is a sentence naming the value. */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf('/')
  const bare = slash === -1 ? text : text.slice(0, slash)
  const address = parseAddress(bare)
  if (address === null) throw new Error(`${JSON.stringify(text)} is not an IP address or block like "10.0.0.0/8"`)
  const bits = address.family === 4 ? 32 : 128
  const mapped = address.family === 4 && bare.includes(':')
  const prefix = slash === -1 ? bits : prefixLength(text, slash, mapped ? 128 : bits) - (mapped ? 96 : 0)
  if (prefix < 0) throw new Error(`${JSON.stringify(text)} mixes IPv4 and IPv6; write the IPv4 block itself`)
  const hostBits = BigInt(bits - prefix)
  const network = (address.value >> hostBits) << hostBits
  return { family: address.family, network, prefix, text: `${formatAddress(address.family, network)}/${prefix}` }
}

function prefixLength(text: string, slash: number, bits: number): number {
  const digits = text.slice(slash + 1)
  const length = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN
  if (!(length <= bits))
    throw new Error(`${JSON.stringify(text)} needs a prefix length from 0 to ${bits} after the "/"`)
  return length
}

/** Stands in a list of blocks for the peers on Unix sockets, who have no address but `unix:`. */
export const unixPeers = 'unix'

/** A test of membership in any of the blocks; anything that is no IP address is in none, except `unix:` in `unix`. */
export function compileCidrs(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false
  const parsed = blocks.filter((block) => block !== unixPeers).map(parseCidr)
  const hasUnix = parsed.length < blocks.length
  const isInIPv4 = ipv4Test(parsed.filter(({ family }) => family === 4))
  const ipv6 = parsed.filter(({ family }) => family === 6)
  return (text) => {
    if (isIPv4(text)) return isInIPv4(ipv4Value(text))
    const address = parseAddress(text)
    if (address === null) return hasUnix && text === `${unixPeers}:`
    if (address.family === 4) return isInIPv4(Number(address.value))
    return ipv6.some((block) => (address.value ^ block.network) >> BigInt(128 - block.prefix) === 0n)
  }
}

/** Numbers of 32 bits, since these tests are made for every request and big integers are slow. */
function ipv4Test(blocks: readonly Cidr[]): (address: number) => boolean {
  const masked = blocks.map(({ network, prefix }) => ({
    mask: prefix === 0 ? 0 : -1 << (32 - prefix),
    network: Number(network) | 0,
  }))
  return (address) => {
    for (const { mask, network } of masked) if ((address & mask) === network) return true
    return false
  }
}

/** Of text that is an IPv4 address. */
function ipv4Value(text: string): number {
  let value = 0
  let octet = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x2e /* . */) {
      value = value * 256 + octet
      octet = 0
    } else octet = octet * 10 + code - 0x30
  }
  return value * 256 + octet
}

function ipv6Value(text: string): bigint {
  const dotted = text.lastIndexOf('.') === -1 ? text : withoutDots(text)
  const [head = '', tail] = dotted.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

function withoutDots(text: string): string {
  const colon = text.lastIndexOf(':')
  const value = BigInt(ipv4Value(text.slice(colon + 1)))
  return `${text.slice(0, colon + 1)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** The normal form of an address: IPv6 in lower case with the longest run of zeros left out (RFC 5952). */
export function formatAddress(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  return compressed(groups)
}

/** The longest run of two or more zero groups becomes "::" (RFC 5952). */
function compressed(groups: readonly string[]): string {
  let bestAt = -1
  let bestLength = 1
  for (let i = 0; i < groups.length; i++) {
    let length = 0
    while (groups[i + length] === '0') length++
    if (length > bestLength) {
      bestAt = i
      bestLength = length
    }
  }
  if (bestAt === -1) return groups.join(':')
  return `${groups.slice(0, bestAt).join(':')}::${groups.slice(bestAt + bestLength).join(':')}`
}
