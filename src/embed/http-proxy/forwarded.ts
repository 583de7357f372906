// X-Forwarded-*: what `xfwd` says of the client.
import type { IncomingMessage } from 'node:http'
import { unixAddress } from '../../net/arrival.ts'
import { compileCidrs } from '../../util/cidr.ts'
import type { Field } from '../current-fields.ts'
import { NodeClient } from '../node-client.ts'
import type { ServerOptions } from './options.ts'

const compiled = new WeakMap<readonly string[], (address: string) => boolean>()

/**
 * The client's own are continued if it is trusted; else all that it says of hops before it is taken off: anybody can
 * write that (CVE-2026-3635).
 */
export function setForwarded(
  fields: Map<string, Field>,
  req: IncomingMessage,
  options: ServerOptions,
  isUpgrade: boolean,
): void {
  const { address, tls } = NodeClient.of(req.socket)
  const isTrusted = trusts(options.trustedProxies ?? [])(address)
  if (!isTrusted) for (const key of [...fields.keys()]) if (isForwarded(key)) fields.delete(key)
  const scheme = isUpgrade ? 'ws' : 'http'
  const host = hostOf(req)
  const add = (name: string, own: string): void => {
    const before = fields.get(name.toLowerCase())?.values ?? []
    fields.set(name.toLowerCase(), { name, values: [[...before, own].join(',')] })
  }
  add('X-Forwarded-For', address === unixAddress ? 'unknown' : address)
  add('X-Forwarded-Port', portOf(host, tls !== null))
  add('X-Forwarded-Proto', tls === null ? scheme : `${scheme}s`)
  if (!fields.has('x-forwarded-host')) fields.set('x-forwarded-host', { name: 'X-Forwarded-Host', values: [host] })
}

function isForwarded(key: string): boolean {
  const name = key.replaceAll('_', '-')
  return name === 'forwarded' || name === 'x-real-ip' || name.startsWith('x-forwarded-')
}

function trusts(networks: readonly string[]): (address: string) => boolean {
  let check = compiled.get(networks)
  if (check === undefined) {
    check = compileCidrs(networks)
    compiled.set(networks, check)
  }
  return check
}

function hostOf({ headers }: IncomingMessage): string {
  const authority = headers[':authority']
  return headers.host ?? (typeof authority === 'string' ? authority : '')
}

/** The one that the client has asked for. */
function portOf(host: string, isSecure: boolean): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (isSecure ? '443' : '80')
}
