// A target, a proxy with http-proxy's API, and a client: for `frontdesk/http-proxy` and for http-proxy itself.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProxyServer } from '../../src/embed/http-proxy/index.ts'
import type { Scope } from './leaks.ts'
import { refusingPort } from './ports.ts'
import { RawClient } from './raw-client.ts'
import { until } from './wait.ts'

export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

export async function listening<S extends Server>(scope: Scope, server: S): Promise<S> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return server
}

/** What a target has seen of a request. */
export interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A target that tells what it has seen, in its answer and here. */
export async function target(scope: Scope, answer?: (req: IncomingMessage, res: ServerResponse) => void) {
  const seen: Seen[] = []
  const server = createServer((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => {
      const { method, url, headers } = req
      seen.push({ method, url, headers, body: Buffer.concat(parts).toString() })
      if (answer !== undefined) answer(req, res)
      else res.end(`${method} ${url}`)
    })
  })
  await listening(scope, server)
  const port = portOf(server)
  return { seen, server, port, url: `http://127.0.0.1:${port}` }
}

/** A server that passes everything to the proxy. */
export async function inServer(
  scope: Scope,
  proxy: ProxyServer,
  serve: (req: IncomingMessage, res: ServerResponse) => void = (req, res) => proxy.web(req, res),
): Promise<RawClient & { port: number }> {
  const server = await listening(scope, createServer(serve))
  server.on('upgrade', (req, socket, head) => proxy.ws(req, socket, head))
  const client = scope.use(await RawClient.open(portOf(server)))
  return Object.assign(client, { port: portOf(server) })
}

/** A proxy's own server, once it listens on the port that was asked for. */
export async function listen(scope: Scope, proxy: ProxyServer): Promise<number> {
  const port = await refusingPort()
  proxy.listen(port, '127.0.0.1')
  scope.defer(() => {
    proxy._server?.closeAllConnections()
    return proxy._server === null ? undefined : new Promise<void>((resolve) => proxy.close(() => resolve()))
  })
  await until('it listens', () => proxy._server?.listening === true)
  return port
}
