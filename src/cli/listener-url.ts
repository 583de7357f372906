// Where something listens, as a person on this machine would type it.
import type { ListenerConfig } from '../config/config.ts'

export interface Place {
  /** '' = all interfaces. */
  readonly host: string
  readonly port: number
  readonly socketPath?: string | null
  /** As configured; where it has a port, that is of the socket that was passed. */
  readonly inherited?: string | null
}

/** What clients speak to a listener, as the scheme of a URL. */
export function schemeOf({ protocol, tls }: Pick<ListenerConfig, 'protocol' | 'tls'>): string {
  if (protocol === 'tls-passthrough') return 'tls'
  if (protocol === 'tcp') return tls === null ? 'tcp' : 'tls'
  return tls === null ? 'http' : 'https'
}

/** The URLs of all of them, each by its own address where several would read the same. */
export function urlsOf(places: readonly (Place & { readonly scheme: string })[]): string[] {
  const short = places.map((place) => urlOf(place, place.scheme))
  const isShared = (url: string): boolean => short.indexOf(url) !== short.lastIndexOf(url)
  return short.map((url, i) => {
    const { host, port, scheme } = places[i]!
    return isShared(url) && host !== '' && port !== 0 ? `${scheme}://${bracketed(host)}:${port}` : url
  })
}

/** `https://localhost:8443`: an address on all interfaces is reached as localhost; `unix:/run/x.sock`, `systemd:web`. */
export function urlOf(place: Place, scheme = 'http'): string {
  const { host, port, socketPath, inherited } = place
  if (socketPath != null) return `unix:${socketPath}`
  if (inherited != null && port === 0) return `systemd:${inherited}`
  const anywhere = host === '' || host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1'
  return `${scheme}://${anywhere ? 'localhost' : bracketed(host)}:${port}`
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)
