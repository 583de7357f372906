// The PROXY protocol header that tells a backend whom a connection is really from.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, sections 2.1 and 2.2.
import { formatAddress, parseAddress } from '../../util/cidr.ts'
import type { Endpoint } from '../arrival.ts'

const SIGNATURE_2 = '0d0a0d0a000d0a515549540a'

/**
 * The header of a connection from `source`, which reached us at `destination`. Without a source it is a connection of
 * our own, such as a health check (v2: LOCAL, v1: UNKNOWN). Ends that have no IP address, as with a Unix socket, stay
 * untold (v2: UNSPEC, v1: UNKNOWN). Where only one end is IPv6 the other is written as ::ffff:a.b.c.d.
 */
export function proxyHeader(version: 'v1' | 'v2', source: Endpoint | null, destination: Endpoint | null): Buffer {
  const from = source === null ? null : parse(source.address)
  const to = destination === null ? null : parse(destination.address)
  if (from === null || to === null) {
    if (version === 'v1') return Buffer.from('PROXY UNKNOWN\r\n', 'latin1')
    return Buffer.from(`${SIGNATURE_2}${source === null ? '20' : '21'}000000`, 'hex')
  }
  const family = from.family === 4 && to.family === 4 ? 4 : 6
  const { port } = source!
  const { port: destinationPort } = destination!
  if (version === 'v1') {
    const ends = `${spell(from, family)} ${spell(to, family)} ${port} ${destinationPort}`
    return Buffer.from(`PROXY TCP${family} ${ends}\r\n`, 'latin1')
  }
  const addresses = `${hex(from, family)}${hex(to, family)}${hex16(port)}${hex16(destinationPort)}`
  return Buffer.from(`${SIGNATURE_2}21${family === 4 ? '11' : '21'}${hex16(addresses.length / 2)}${addresses}`, 'hex')
}

type Address = Exclude<ReturnType<typeof parseAddress>, null>

/** A zone (`fe80::1%eth0`) means something on this machine only. */
function parse(address: string): Address | null {
  const percent = address.indexOf('%')
  return parseAddress(percent < 0 ? address : address.slice(0, percent))
}

function spell({ family, value }: Address, as: 4 | 6): string {
  return `${family === as ? '' : '::ffff:'}${formatAddress(family, value)}`
}

function hex({ family, value }: Address, as: 4 | 6): string {
  if (as === 4) return value.toString(16).padStart(8, '0')
  return (family === 4 ? value | (0xffffn << 32n) : value).toString(16).padStart(32, '0')
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, '0')
}
