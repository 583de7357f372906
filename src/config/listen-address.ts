// The address of a listener: ":80", "127.0.0.1:80", "[::1]:80", "localhost:80", or a port alone.
import { isIPv4, isIPv6 } from 'node:net'
import { parseAddress } from '../util/cidr.ts'
import { hostName } from './backend-url.ts'

export interface ListenAddress {
  /** '' = all interfaces; else an IP literal without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

/** Throws an `Error` whose message is a sentence naming the value. Port 0 (any free port) only where `anyPort` is set. */
export function parseListenAddress(text: string, options: { anyPort?: boolean } = {}): ListenAddress {
  const shown = JSON.stringify(text)
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(\d{1,5})$/.exec(text)
  if (match === null)
    throw new Error(`${shown} is not an address to listen on; write it like ":8080" or "127.0.0.1:8080"`)
  const port = Number(match[2])
  if (port > 65535 || (port === 0 && options.anyPort !== true)) {
    throw new Error(`${shown} has no valid port; use 1 to 65535`)
  }
  return { host: listenHost(match[1] ?? '', shown), port }
}

function listenHost(text: string, shown: string): string {
  if (text === '' || text === '*') return ''
  if (text.startsWith('[')) {
    const literal = text.slice(1, -1)
    if (isIPv6(literal)) return literal.toLowerCase()
  } else if (isIPv4(text)) {
    return text
  } else if (/[a-z]/i.test(text)) {
    const name = hostName(text)
    if (name !== null) return name
  }
  throw new Error(`${shown} has no valid host; write an IP address, "localhost", or nothing for all interfaces`)
}

/** `:80`, `127.0.0.1:80`, `[::1]:80`. */
export function formatListenAddress(address: ListenAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const address = parseAddress(host)
  if (address === null) return false
  return address.family === 4 ? address.value >> 24n === 127n : address.value === 1n
}

/** Whether binding both would clash: the same port, and the same host or all interfaces on either side. */
export function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false
  const [left, right] = [bindKey(a.host), bindKey(b.host)]
  return left === right || left === '' || right === ''
}

function bindKey(host: string): string {
  if (host === '0.0.0.0' || host === '::') return ''
  if (host === 'localhost') return '4:2130706433'
  const address = parseAddress(host)
  return address === null ? host : `${address.family}:${address.value}`
}
