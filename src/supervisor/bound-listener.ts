// Where a listener was bound: for whoever says it, and for programs.
import type { AddressInfo } from 'node:net'
import type { ListenerSpec } from '../core/spec.ts'
import { placeText } from './listen-error.ts'

/** Where a listener was bound. */
export interface BoundListener {
  readonly name: string
  /** '' = all interfaces. */
  readonly host: string
  /** 0 for Unix sockets. */
  readonly port: number
  /** Path of the Unix socket that was bound, or null. */
  readonly socketPath: string | null
  /** As configured, for inherited sockets: `host` and `port` are then those of the first, if it is a TCP socket. */
  readonly inherited: string | null
  /** Further TCP sockets that were passed under that name. */
  readonly others?: readonly { readonly host: string; readonly port: number }[]
}

/** `inherited`: what the sockets of a listener that were inherited are bound to; null = a Unix socket. */
export function boundListener(
  { name, host, port, socketPath, ...spec }: ListenerSpec,
  [bound, ...more]: readonly (AddressInfo | null)[],
): BoundListener {
  const others = more.filter((address) => address !== null).map((one) => ({ host: one.address, port: one.port }))
  return {
    name,
    host: bound?.address ?? host,
    port: bound?.port ?? port,
    socketPath,
    inherited: spec.inherited,
    ...(others.length > 0 && { others }),
  }
}

/** What a change has done to the listeners, a line for each. */
export function listenerNews(before: readonly ListenerSpec[], now: readonly ListenerSpec[]): string[] {
  const old = new Map(before.map((spec) => [spec.name, spec]))
  const lines: string[] = []
  for (const spec of now) {
    const known = old.get(spec.name)
    old.delete(spec.name)
    const place = placeText(spec)
    if (known === undefined) lines.push(`listener ${spec.name} listens on ${place}`)
    else if (placeText(known) !== place)
      lines.push(`listener ${spec.name} has moved from ${placeText(known)} to ${place}`)
    else if (known.protocol !== spec.protocol)
      lines.push(`listener ${spec.name} on ${place} speaks ${spec.protocol} now`)
  }
  for (const spec of old.values()) lines.push(`listener ${spec.name} on ${placeText(spec)} is closed`)
  return lines
}
