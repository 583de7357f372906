// The address of a listener: ":80", "127.0.0.1:80", "[::1]:80", "localhost:80", a port alone, "unix:/run/x.sock",
// or a socket that systemd passes, "systemd:web".
import { isIPv4, isIPv6 } from 'node:net'
import { posix } from 'node:path'
import { parseAddress } from '../util/cidr.ts'
import { hostName, socketPathProblem } from './backend-url.ts'

/** A TCP port of an interface. */
export interface PortAddress {
  /** '' = all interfaces; else an IP literal without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

export interface ListenAddress extends PortAddress {
  /** Absolute path of a Unix socket, or null. */
  readonly socketPath: string | null
  /** Name (LISTEN_FDNAMES) or number (from 0) of a socket that systemd passes, or null. */
  readonly inherited: string | null
}

const noPort = { host: '', port: 0 }

/**
 * Parses the address of a listener. Port 0 (any free port) only where `anyPort` is set; of a Unix or inherited socket
 * it is 0 always. Throws an `Error` whose message is a sentence naming the value.
 */
export function parseListenAddress(text: string, options: { anyPort?: boolean } = {}): ListenAddress {
  if (/^unix:/i.test(text)) return { ...noPort, socketPath: unixPath(text), inherited: null }
  if (/^systemd:/i.test(text)) return { ...noPort, socketPath: null, inherited: inheritedName(text) }
  return { ...parsePortAddress(text, options), socketPath: null, inherited: null }
}

/** As `parseListenAddress`, for what listens on TCP ports only. */
export function parsePortAddress(text: string, options: { anyPort?: boolean } = {}): PortAddress {
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

function unixPath(text: string): string {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  const normal = posix.normalize(path)
  // `/.` and `/run/..` are folders only when one looks twice.
  const problem = socketPathProblem(path) ?? socketPathProblem(normal)
  if (problem !== null) throw new Error(`${JSON.stringify(text)} ${problem}`)
  return normal
}

/** What LISTEN_FDNAMES may hold: printable ASCII without the colon that separates names. */
function inheritedName(text: string): string {
  const name = text.slice('systemd:'.length)
  if (/^[!-9;-~]{1,255}$/.test(name)) return name
  const howTo = 'write FileDescriptorName= of the socket unit, or its number, like "systemd:web" or "systemd:0"'
  throw new Error(`${JSON.stringify(text)} names no socket; ${howTo}`)
}

/** `:80`, `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, `systemd:web`. */
export function formatListenAddress(address: PortAddress & Partial<ListenAddress>): string {
  if (address.socketPath != null) return `unix:${address.socketPath}`
  if (address.inherited != null) return `systemd:${address.inherited}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const address = parseAddress(host)
  if (address === null) return false
  return address.family === 4 ? address.value >> 24n === 127n : address.value === 1n
}

/** Where a listener would be bound. */
export interface Binding extends PortAddress {
  readonly socketPath?: string | null
  readonly inherited?: string | null
  /** `[::]` without IPv4; default false. */
  readonly ipv6Only?: boolean
}

/** Whether binding both would clash: the same socket, or the same port on addresses that have one in common. */
export function overlaps(a: Binding, b: Binding): boolean {
  if (isPort(a) !== isPort(b)) return false
  if (!isPort(a)) return formatListenAddress(a) === formatListenAddress(b)
  if (a.port !== b.port || a.port === 0) return false
  const other = bindKeys(b)
  return bindKeys(a).some((left) =>
    other.some(
      (right) => left.family === right.family && (left.key === '' || right.key === '' || left.key === right.key),
    ),
  )
}

/** Whether it is a TCP port, rather than a Unix or inherited socket. */
export const isPort = (binding: Binding): boolean => binding.socketPath == null && binding.inherited == null

/** What is bound in each family of addresses; '' = everything there. A name may stand for either. */
function bindKeys({ host, ipv6Only = false }: Binding): { family: 4 | 6; key: string }[] {
  if (host === '0.0.0.0') return [{ family: 4, key: '' }]
  if (host === '::' && ipv6Only) return [{ family: 6, key: '' }]
  if (host === '' || host === '::') return bothFamilies('')
  if (host === 'localhost') {
    return [
      { family: 4, key: '2130706433' },
      { family: 6, key: '1' },
    ]
  }
  const address = parseAddress(host)
  return address === null ? bothFamilies(host) : [{ family: address.family, key: String(address.value) }]
}

const bothFamilies = (key: string): { family: 4 | 6; key: string }[] => [
  { family: 4, key },
  { family: 6, key },
]
