// Listeners: their names, the keys that their protocol and address have, and their certificates.

import { isIPv6 } from 'node:net'
import { posix } from 'node:path'
import { unixPeers } from '../../util/cidr.ts'
import { isPort } from '../listen-address.ts'
import { httpAlpn } from '../pool-kind.ts'
import type { WrittenListener } from '../schema/listener.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'

export function checkListeners(check: Check): void {
  const { config, report } = check
  if (config.listeners.length === 0) report(['listeners'], 'needs at least one listener', 'or remove it for port 8080')
  const names = new Map<string, number>()
  config.listeners.forEach((listener, i) => {
    const first = names.get(listener.name)
    if (first === undefined) names.set(listener.name, i)
    else {
      const message = `"${listener.name}" is already the name of listeners[${first}]`
      report(['listeners', i, 'name'], message, 'choose another')
    }
    const path: Path = ['listeners', i]
    checkKeys(check, path, listener)
    checkSocket(check, path, listener)
    checkRedirect(check, path, listener)
    checkTls(check, path, listener)
  })
}

interface Rule {
  readonly key: string
  readonly message: string
  readonly hint: string
}

const passthrough = 'the TLS of clients is passed through to the backends'
const elsewhere = (key: string, where: string, hint = 'remove it'): Rule => ({ key, message: `is for ${where}`, hint })

/** Keys that a protocol has no use for; where one stands, something else was meant. */
const strangers: Readonly<Record<WrittenListener['protocol'], readonly Rule[]>> = {
  http: [
    elsewhere('sni', '"protocol": "tls-passthrough"', 'remove it, or change the protocol'),
    elsewhere('idle_timeout', 'tcp and tls-passthrough', 'for http it is limits.idle_timeout'),
  ],
  tcp: [
    elsewhere('sni', '"protocol": "tls-passthrough"', 'remove it, or change the protocol'),
    elsewhere('redirect_https', 'http'),
  ],
  'tls-passthrough': [
    {
      key: 'tls',
      message: `cannot stand here: ${passthrough}`,
      hint: 'remove it, or set "protocol": "tcp" to end TLS here',
    },
    { key: 'pool', message: 'cannot stand here: the pools are in sni', hint: 'move it there, as "*"' },
    elsewhere('redirect_https', 'http'),
  ],
}

function checkKeys({ report, isWritten }: Check, path: Path, listener: WrittenListener): void {
  for (const { key, message, hint } of strangers[listener.protocol]) {
    if (isWritten([...path, key])) report([...path, key], message, hint, { atKey: true })
  }
  if (listener.protocol !== 'tls-passthrough' || listener.sni.length > 0) return
  report([...path, 'sni'], 'is needed for "tls-passthrough"', 'write {"db.example.com": "POOL", "*": "POOL"}')
}

function checkSocket({ report, isWritten }: Check, path: Path, listener: WrittenListener): void {
  const { socketPath, inherited, host, acceptProxyProtocol } = listener
  if (isWritten([...path, 'socket_mode']) && socketPath === null) {
    const hint = inherited === null ? 'remove it' : 'systemd has SocketMode= for it'
    report([...path, 'socket_mode'], 'is for Unix sockets', hint, { atKey: true })
  }
  if (isWritten([...path, 'ipv6_only']) && !isIPv6(host)) {
    report([...path, 'ipv6_only'], 'is for IPv6 addresses', 'listen on "[::]:PORT", or remove it', { atKey: true })
  }
  if (isPort(listener) && acceptProxyProtocol.length > 0 && acceptProxyProtocol.every((peers) => peers === unixPeers)) {
    const message = 'would close every connection: nobody comes to a port by a Unix socket'
    report([...path, 'accept_proxy_protocol'], message, 'name addresses, like "10.0.0.0/8"')
  }
  if (socketPath === null || acceptProxyProtocol.length === 0 || acceptProxyProtocol.includes(unixPeers)) return
  const message = 'would close every connection: who comes by a Unix socket has no address'
  report([...path, 'accept_proxy_protocol'], message, 'add "unix"')
}

function checkRedirect({ report }: Check, path: Path, listener: WrittenListener): void {
  const { protocol, tls, redirectHttpsPort } = listener
  if (protocol !== 'http' || redirectHttpsPort === 0) return
  const at = [...path, 'redirect_https']
  if (tls !== null) {
    report(at, 'cannot stand beside tls: clients speak https here already', 'remove one of the two', { atKey: true })
  } else if (isPort(listener) && listener.port === redirectHttpsPort) {
    report(at, 'leads back to this listener', 'name the port of the listener that has tls')
  }
}

function checkTls({ report, isWritten }: Check, path: Path, { protocol, tls }: WrittenListener): void {
  if (tls === null || protocol === 'tls-passthrough') return
  const seen = new Map<string, number>()
  tls.certificates.forEach(({ cert, key }, i) => {
    const id = `${posix.normalize(cert)}\n${posix.normalize(key)}`
    const first = seen.get(id)
    if (first === undefined) seen.set(id, i)
    else report([...path, 'tls', 'certificates', i], `is already certificates[${first}]`, 'remove one')
  })
  if (protocol === 'http') {
    tls.alpn?.forEach((name, i) => {
      if (name === httpAlpn) return
      report([...path, 'tls', 'alpn', i], `"${name}" is not spoken here`, `use "${httpAlpn}"`, { value: name })
    })
    return
  }
  for (const keys of [['hsts'], ['client_auth', 'headers']]) {
    const at = [...path, 'tls', ...keys]
    if (isWritten(at)) report(at, 'is for http: over tcp nothing is added', 'remove it', { atKey: true })
  }
}
