// A listener as the long form writes it: every key that its protocol has.
import { formatDuration } from '../../util/duration.ts'
import type { ClientAuthConfig, HstsConfig, ListenerConfig } from '../config.ts'
import { formatListenAddress } from '../listen-address.ts'
import { httpsPort } from '../schema/listener.ts'

type Form = Record<string, unknown>

export function listenerForm(listener: ListenerConfig): Form {
  const { name, protocol, socketPath, socketMode, host } = listener
  return {
    name,
    listen: formatListenAddress(listener),
    ...(socketPath !== null && socketMode !== null && { socket_mode: `0${socketMode.toString(8).padStart(3, '0')}` }),
    ...(host.includes(':') && { ipv6_only: listener.ipv6Only }),
    protocol,
    ...(listener.pool !== '' && { pool: listener.pool }),
    ...(protocol === 'tls-passthrough' && { sni: sniForm(listener) }),
    ...(protocol !== 'tls-passthrough' && { tls: listener.tls && tlsForm(listener.tls, protocol) }),
    ...(protocol === 'http' && listener.tls === null && { redirect_https: redirectForm(listener.redirectHttpsPort) }),
    ...(protocol !== 'http' && { idle_timeout: formatDuration(listener.idleTimeoutMs) }),
    accept_proxy_protocol: listener.acceptProxyProtocol,
  }
}

const redirectForm = (port: number): boolean | number => (port === 0 ? false : port === httpsPort ? true : port)

function sniForm({ sni }: ListenerConfig): Form {
  return Object.fromEntries(
    sni.map(({ name, pool, alpn }) => [
      name,
      alpn.length === 0 ? pool : { pool, alpn: Object.fromEntries(alpn.map((one) => [one.protocol, one.pool])) },
    ]),
  )
}

function tlsForm(tls: NonNullable<ListenerConfig['tls']>, protocol: 'http' | 'tcp'): Form {
  return {
    certificates: tls.certificates,
    min_version: tls.minVersion.replace('TLSv', ''),
    ciphers: tls.ciphers,
    alpn: tls.alpn,
    session_tickets: tls.sessionTickets,
    ticket_rotation: formatDuration(tls.ticketRotationMs),
    ...(protocol === 'http' && { hsts: tls.hsts !== null && hstsForm(tls.hsts) }),
    client_auth: tls.clientAuth && clientAuthForm(tls.clientAuth, protocol),
  }
}

function hstsForm(hsts: HstsConfig): Form {
  return {
    max_age: formatDuration(hsts.maxAgeMs),
    include_subdomains: hsts.includeSubdomains,
    preload: hsts.preload,
  }
}

function clientAuthForm(auth: ClientAuthConfig, protocol: 'http' | 'tcp'): Form {
  const { mode, ca, crl, headers } = auth
  return { mode, ca, ...(crl !== null && { crl }), ...(protocol === 'http' && { headers }) }
}
