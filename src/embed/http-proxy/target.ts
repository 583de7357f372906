// Whom a request goes to, in any of the forms that http-proxy takes.
import { isIP } from 'node:net'
import type { SecureContextOptions } from 'node:tls'

/** Parts of a URL, and what https.request takes for TLS. */
export interface TargetDetails
  extends Pick<SecureContextOptions, 'pfx' | 'key' | 'passphrase' | 'cert' | 'ca' | 'ciphers'> {
  /** With its colon; default `http:`. */
  readonly protocol?: string | null | undefined
  /** With or without a port. */
  readonly host?: string | null | undefined
  readonly hostname?: string | null | undefined
  readonly port?: number | string | null | undefined
  /** Path and query. */
  readonly path?: string | null | undefined
  /** Of a Unix socket. */
  readonly socketPath?: string | undefined
}

export interface Target {
  readonly isSecure: boolean
  /** Without brackets. */
  readonly hostname: string
  readonly port: number
  readonly socketPath: string | undefined
  /** As it is in the URL; '/' without one. */
  readonly path: string
  /** With its `?`; '' without one. */
  readonly query: string
  /** For Host: the port is left out where it is the protocol's own. */
  readonly authority: string
  /** user:password of the URL, '' without. */
  readonly auth: string
  readonly tls: SecureContextOptions
}

const TLS_KEYS = ['pfx', 'key', 'passphrase', 'cert', 'ca', 'ciphers'] as const
export const TARGET_KEYS = ['protocol', 'host', 'hostname', 'port', 'path', 'socketPath', ...TLS_KEYS] as const
const HINT = 'write it like "http://localhost:9000"'

/** @throws TypeError with a clause that says what is wrong. */
export function parseTarget(target: string | URL | TargetDetails): Target {
  if (target instanceof URL) return ofUrl(target, {})
  if (typeof target === 'object' && target !== null) return ofDetails(target)
  if (typeof target !== 'string' || !URL.canParse(target)) throw new TypeError(`is no URL; ${HINT}`)
  return ofUrl(new URL(target), {})
}

function ofUrl(url: URL, tls: SecureContextOptions, socketPath?: string): Target {
  const isSecure = url.protocol === 'https:' || url.protocol === 'wss:'
  if (!isSecure && url.protocol !== 'http:' && url.protocol !== 'ws:') {
    throw new TypeError(`cannot be asked by ${JSON.stringify(url.protocol)}; ${HINT}`)
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  // URL leaves the port out where it is that of ws: or http: alike.
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  return {
    isSecure,
    hostname,
    port,
    socketPath,
    path: url.pathname,
    query: url.search,
    authority: url.host,
    auth: url.username === '' ? '' : decodeURIComponent(`${url.username}:${url.password}`),
    tls,
  }
}

function ofDetails(details: TargetDetails): Target {
  const { protocol, host, hostname, port, path, socketPath } = details
  const name = hostname ?? host ?? (socketPath === undefined ? '' : 'localhost')
  const isBareIpv6 = isIP(name) === 6
  const authority = `${isBareIpv6 ? `[${name}]` : name}${hasPort(name) && !isBareIpv6 ? '' : portOf(port)}`
  const text = `${protocol ?? 'http:'}//${authority}`
  if (name === '' || !URL.canParse(text)) throw new TypeError(`has no host; ${HINT}`)
  const tls = Object.fromEntries(TLS_KEYS.filter((key) => details[key] !== undefined).map((key) => [key, details[key]]))
  const url = new URL(path == null ? text : new URL(path.startsWith('/') ? path : `/${path}`, text))
  return ofUrl(url, tls, socketPath)
}

const portOf = (port: number | string | null | undefined): string => (port == null || port === '' ? '' : `:${port}`)

const hasPort = (host: string): boolean => /:\d+$/.test(host)
