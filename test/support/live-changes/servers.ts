// Backends in a process of their own: HTTP that says who answered, WebSockets and TCP that echo.
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { startDemoBackend } from '../../../src/cli/demo-backend/demo-backend.ts'

/** Ports of the backends of each kind. */
export interface ServerPorts {
  readonly http: readonly number[]
  readonly sockets: readonly number[]
  readonly tcp: readonly number[]
}

const host = '127.0.0.1'

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, host, 1024, () => resolve((server.address() as AddressInfo).port))
  })
}

async function httpBackend(name: string): Promise<number> {
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    response.writeHead(200, { 'x-backend': name, 'content-length': name.length })
    response.end(name)
  })
  return listening(server)
}

async function tcpBackend(): Promise<number> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.pipe(socket)
    }),
  )
}

async function start(): Promise<ServerPorts> {
  const four = [1, 2, 3, 4]
  return {
    http: await Promise.all(four.map((n) => httpBackend(`http-${n}`))),
    sockets: await Promise.all(
      [1, 2].map(async (n) => (await startDemoBackend({ name: `ws-${n}`, host, port: 0 })).port),
    ),
    tcp: await Promise.all(four.map(tcpBackend)),
  }
}

if (process.send !== undefined) {
  process.send(await start())
  process.on('disconnect', () => process.exit())
}
