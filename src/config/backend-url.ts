// The address of a backend: what may be written, and the one normal form by which backends are told apart.
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

export interface BackendUrl {
  /** Normal form: lower-case host, port only if not the scheme's default, no trailing slash. */
  readonly url: string
  /** `http` for a Unix socket, which in a TCP pool is `tcp`. */
  readonly protocol: 'http' | 'https' | 'tcp' | 'tls'
  /** Host name or IP literal without brackets; '' for a Unix socket. */
  readonly host: string
  /** 0 for a Unix socket. */
  readonly port: number
  /** Path of a Unix socket, or null. */
  readonly socketPath: string | null
  /** '' or '/base' without a trailing slash. */
  readonly basePath: string
  /** Value of Host for this backend; "localhost" for a Unix socket. */
  readonly authority: string
}

/** 0: the port has to be written. */
const defaultPort = { http: 80, https: 443, tcp: 0, tls: 0 } as const
type Scheme = keyof typeof defaultPort
/** Longest path that fits the kernel's `sun_path` on Linux, the closing NUL not counted. */
const maxSocketPath = 107

/**
 * Parses `http://host[:port][/base]`, `https://…`, `tcp://host:port`, `tls://…` or `unix:/path/of.sock`. Own grammar
 * rather than WHATWG's `URL`, which repairs what it should refuse (backslashes, tabs, decimal IPv4). Throws an `Error`
 * whose message is a sentence.
 */
export function parseBackendUrl(text: string): BackendUrl {
  const shown = JSON.stringify(redactUserInfo(text))
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'unix') return unixUrl(text, shown)
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]*)(.*)$/is.exec(text)
  if (match === null || scheme === undefined) {
    throw new Error(`${shown} is not a URL of a backend; write it like "http://localhost:3000"`)
  }
  if (!isScheme(scheme)) {
    throw new Error(`${shown} has the scheme "${scheme}"; a backend is http://, https://, tcp://, tls:// or unix:`)
  }
  const { host, bracketed, port } = parseAuthority(match[1]!, scheme, shown)
  const basePath = parseBasePath(match[2]!, shown)
  if (basePath !== '' && defaultPort[scheme] === 0) {
    throw new Error(`${shown} has a path, which ${scheme}:// cannot have; end it after the port`)
  }
  const authority = port === defaultPort[scheme] ? bracketed : `${bracketed}:${port}`
  return {
    url: `${scheme}://${authority}${basePath}`,
    protocol: scheme,
    host,
    port,
    socketPath: null,
    basePath,
    authority,
  }
}

const isScheme = (text: string): text is Scheme => Object.hasOwn(defaultPort, text)

/** The text with user name and password replaced, for messages. */
export function redactUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
}

function unixUrl(text: string, shown: string): BackendUrl {
  const socketPath = text.slice(5).replace(/^\/\/(?=\/)/, '')
  const problem = socketPathProblem(socketPath)
  if (problem !== null) throw new Error(`${shown} ${problem}`)
  const rest = { protocol: 'http', host: '', port: 0, basePath: '', authority: 'localhost' } as const
  return { url: `unix:${socketPath}`, socketPath, ...rest }
}

/** What keeps a path from being that of a Unix socket, as the rest of a sentence; null = nothing. */
export function socketPathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'needs an absolute path, like "unix:/run/app.sock"'
  if (/[\0-\x1f\x7f]/.test(path)) return 'has a control character in it'
  if (path.endsWith('/')) return 'is a directory; name the socket itself'
  if (Buffer.byteLength(path) > maxSocketPath) return `is too long for a Unix socket (${maxSocketPath} bytes)`
  return null
}

function parseAuthority(text: string, scheme: Scheme, shown: string) {
  if (text.includes('@'))
    throw new Error(`${shown} has a user name in it; credentials do not belong in a backend's URL`)
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(text)
  if (match === null || match[1] === '') throw new Error(`${shown} has no valid host`)
  const host = normalHost(match[1]!, shown)
  const port = match[2] === undefined ? defaultPort[scheme] : parsePort(match[2], shown)
  if (port === 0) throw new Error(`${shown} needs a port, like "${scheme}://localhost:5432"`)
  return { host, bracketed: host.includes(':') ? `[${host}]` : host, port }
}

function parsePort(digits: string, shown: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0
  if (port < 1 || port > 65535) throw new Error(`${shown} has no valid port; use 1 to 65535`)
  return port
}

function normalHost(text: string, shown: string): string {
  if (text.startsWith('[')) {
    const literal = text.slice(1, -1)
    if (!isIPv6(literal) || literal.includes('%')) throw new Error(`${shown} has no valid IPv6 address in its brackets`)
    return new URL(`http://[${literal}]`).hostname.slice(1, -1)
  }
  if (isIPv4(text)) return text
  const name = hostName(text)
  if (name === null) throw new Error(`${shown} has no valid host`)
  if (/^(0x[0-9a-f]*|\d+)$/.test(name.slice(name.lastIndexOf('.') + 1))) {
    throw new Error(`${shown} has no valid host: "${text}" is neither a name nor an IPv4 address`)
  }
  return name
}

/** Lower-case ASCII form of a host name (RFC 1123, underscores allowed), the closing dot removed; null if it is none. */
export function hostName(text: string): string | null {
  // domainToASCII drops white space and decodes percent signs: neither may get that far.
  if (/[\0-,/:-@[-^`{-\x7f]/.test(text)) return null
  const ascii = /[^\0-\x7f]/.test(text) ? domainToASCII(text) : text.toLowerCase()
  const name = ascii.replace(/\.$/, '')
  if (name.length === 0 || name.length > 253) return null
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
  return name.split('.').every((part) => label.test(part)) ? name : null
}

function parseBasePath(text: string, shown: string): string {
  if (text.includes('#')) throw new Error(`${shown} has a fragment ("#…"); remove it`)
  if (text.includes('?')) throw new Error(`${shown} has a query ("?…"); remove it`)
  const path = text.replace(/\/+$/, '')
  if (!/^(\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*)*$/.test(path)) {
    throw new Error(`${shown} has a character in its path that must be percent-encoded`)
  }
  if (path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) {
    throw new Error(`${shown} has "." or ".." in its path; write the path it leads to`)
  }
  return path
}
