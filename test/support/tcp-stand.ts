// The stand of a TCP test: backends that show each of their connections, a proxy with a tcp listener, clients.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import type { Scope } from './leaks.ts'
import { type BackendEntry, type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'
import type { Random } from './random.ts'
import { RawClient } from './raw-client.ts'
import { assertSameBytes } from './stand.ts'
import { until } from './wait.ts'

export interface TcpBackendOptions {
  /** Called for each connection, before anything of it is read. */
  readonly onConnection?: (peer: RawClient) => void
  /** Connections are not read from until somebody resumes them. */
  readonly paused?: boolean
  /** A Unix socket instead of a port. */
  readonly path?: string
}

export class TcpBackend {
  readonly url: string
  /** In the order they came. */
  readonly peers: RawClient[] = []
  readonly #server: Server

  constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  /** The connection with this number, from 0. */
  async peer(index = 0): Promise<RawClient> {
    await until(`connection ${index} reaches ${this.url}`, () => this.peers.length > index)
    return this.peers[index]!
  }

  /** Connections that are open now. */
  get open(): number {
    return this.peers.filter(({ socket }) => !socket.destroyed).length
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export async function startTcpBackend(options: TcpBackendOptions = {}): Promise<TcpBackend> {
  const pauseOnConnect = options.paused ?? false
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect }, (socket) => {
    // Whoever listens for data makes it flow.
    const peer = new RawClient(socket)
    if (pauseOnConnect) socket.pause()
    backend.peers.push(peer)
    options.onConnection?.(peer)
  })
  const { path } = options
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const backend = new TcpBackend(server, path === undefined ? `tcp://127.0.0.1:${port}` : `unix:${path}`)
  return backend
}

/** A backend that sends back what it gets, in the same order, to the end. */
export function startEcho(): Promise<TcpBackend> {
  return startTcpBackend({ onConnection: ({ socket }) => void socket.pipe(socket) })
}

export type TcpOptions = ProxyOptions & {
  /** Keys of the listener. */
  readonly listener?: Record<string, string | number | boolean | readonly string[] | Record<string, unknown>>
}

/** A proxy whose one listener is `tcp`. */
export function startTcpProxy(
  backends: readonly BackendEntry[],
  { listener, ...options }: TcpOptions = {},
): Promise<TestProxy> {
  const listeners = [{ name: 'test', listen: '127.0.0.1:1', protocol: 'tcp', pool: 'default', ...listener }]
  return startProxy(backends, { ...options, config: { listeners, ...options.config } } as ProxyOptions)
}

export interface TcpStand {
  readonly backend: TcpBackend
  readonly proxy: TestProxy
  readonly client: RawClient
  /** The other end of `client`. */
  readonly peer: RawClient
  open(): Promise<RawClient>
}

/** A proxy before one backend, with one connection through it. */
export async function tcpStand(scope: Scope, options: TcpOptions & TcpBackendOptions = {}): Promise<TcpStand> {
  const backend = scope.use(await startTcpBackend(options))
  const proxy = scope.use(await startTcpProxy([backend.url], options))
  // A half-close is passed on and no more: without this the proxy would wait for the backend's end.
  scope.defer(() => {
    for (const { socket } of backend.peers) socket.destroy()
  })
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(proxy.port))
  const client = await open()
  return { backend, proxy, client, peer: await backend.peer(), open }
}

/** Sends `total` bytes to whoever does not read; `release` lets it read and returns when all of it has come, right. */
export async function stuffed(from: RawClient, to: RawClient, total: number) {
  to.socket.removeAllListeners('data')
  to.socket.pause()
  const block = Buffer.alloc(1_000_000, 'frontdesk ')
  for (let sent = 0; sent < total; sent += block.length) from.socket.write(block.subarray(0, total - sent))
  const taken = (): number => total - from.socket.writableLength
  let last = -1
  while (taken() !== last) {
    last = taken()
    const until200 = performance.now() + 200
    await until('a moment has passed', () => performance.now() > until200)
  }
  const release = async (): Promise<void> => {
    let got = 0
    let wrong = 0
    to.socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; ) {
        const from = (got + at) % block.length
        const size = Math.min(chunk.length - at, block.length - from)
        if (block.compare(chunk, at, at + size, from, from + size) !== 0) wrong++
        at += size
      }
      got += chunk.length
    })
    to.socket.resume()
    await until(`all ${total} bytes have come`, () => got >= total, 25_000)
    assert.deepEqual({ got, wrong }, { got: total, wrong: 0 })
  }
  return { taken: last, release }
}

/** Bytes of each size go from one to the other and back, in pieces, whole and in order. */
export async function assertBothWays(
  client: RawClient,
  peer: RawClient,
  random: Random,
  sizes: readonly number[],
): Promise<void> {
  for (const size of sizes) {
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      const bytes = random.bytes(size)
      const before = to.received.length
      for (const piece of random.pieces(bytes)) from.write(piece)
      await to.receivedBytes(before + size)
      assertSameBytes(Buffer.from(to.received.subarray(before)), bytes, `${size} bytes, seed ${random.seed}`)
    }
  }
}
