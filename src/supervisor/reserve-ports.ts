// Making sure that the addresses are ours before any worker listens: with SO_REUSEPORT the kernel would let two
// programs share a port without a word.
import net from 'node:net'
import type { ListenerSpec } from '../core/spec.ts'

/** An address that cannot be bound. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: string
  readonly host: string
  readonly port: number

  constructor(code: string, host: string, port: number) {
    super(`cannot listen on ${host === '' ? '*' : host}:${port}: ${code}`)
    this.code = code
    this.host = host
    this.port = port
  }
}

/**
 * Binds each address alone for a moment. Returns the actual ports (for port 0), by listener name.
 * Rejects with ListenError.
 */
export async function reservePorts(listeners: readonly ListenerSpec[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>()
  const held: net.Server[] = []
  try {
    for (const listener of listeners) {
      const server = await bindAlone(listener.host, listener.port)
      held.push(server)
      ports.set(listener.name, (server.address() as net.AddressInfo).port)
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  return ports
}

function bindAlone(host: string, port: number): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ListenError(error.code ?? 'EUNKNOWN', host, port)),
    )
    server.listen({ ...(host === '' ? {} : { host }), port, exclusive: true }, () => resolve(server))
  })
}
