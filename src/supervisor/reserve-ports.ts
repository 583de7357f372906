// Making sure that the addresses are ours before any worker listens: with SO_REUSEPORT the kernel would let two
// programs share a port without a word.
import net from 'node:net'
import { overlaps } from '../config/listen-address.ts'
import type { ListenerSpec } from '../core/spec.ts'
import { checkSocketPath } from '../net/socket-file.ts'
import { ListenError } from './listen-error.ts'

/**
 * Binds each address alone for a moment, and looks whether paths of Unix sockets are free. Returns the actual ports
 * (for port 0), by listener name. Rejects with ListenError. `ours`: what this process listens on; an address that has one with
 * these in common (all interfaces after one, or one after all) cannot be had alone, and is left to the workers: to listen
 * there for a moment would take clients that are being served.
 */
export async function reservePorts(
  listeners: readonly ListenerSpec[],
  ours: readonly ListenerSpec[] = [],
): Promise<Map<string, number>> {
  const ports = new Map<string, number>()
  const held: net.Server[] = []
  try {
    for (const listener of listeners) {
      if (listener.inherited !== null) continue
      if (listener.socketPath !== null) {
        await checkSocketPath(listener.socketPath).catch(failed(listener))
        continue
      }
      if (ours.some((own) => overlaps(own, listener))) continue
      const server = await bind(listener).catch(failed(listener))
      held.push(server)
      ports.set(listener.name, (server.address() as net.AddressInfo).port)
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  return ports
}

function failed(listener: ListenerSpec): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new ListenError(error.code ?? 'EUNKNOWN', listener)
  }
}

function bind({ host, port, ipv6Only }: ListenerSpec): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen({ ...(host === '' ? {} : { host }), port, ipv6Only, exclusive: true }, () => resolve(server))
  })
}
