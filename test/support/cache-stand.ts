// A proxy that caches, in front of an origin that answers as a test says and counts what it is asked.
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CacheStore } from '../../src/state/cache/cache-store.ts'
import { type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'
import { until } from './wait.ts'

/** An answer as a client of the stand got it. */
export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly text: string
  /** The last member of Cache-Status, '' without one. */
  readonly cache: string
}

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

export interface CacheStand extends AsyncDisposable {
  readonly proxy: TestProxy
  /** Requests that reached the origin, as `METHOD path`. */
  readonly asked: string[]
  readonly requests: IncomingMessage[]
  /** For all requests from now on; `count` is how many came before, of this path. */
  answer(handler: Handler): void
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Got>
  /** The head of the answer; its body is read by the caller. */
  open(path: string, headers?: Record<string, string>): Promise<IncomingMessage>
  askedFor(path: string): number
  untilAsked(count: number): Promise<void>
  readonly originUrl: string
  /** The origin refuses connections from now on. */
  down(): Promise<void>
  /** The main thread's way into the memory for answers. */
  readonly cache: CacheStore
  /** Everything of the cache is so much later, in every worker. */
  moveClock(ms: number): void
}

/** `cache`: as in the configuration; default `true`. */
export async function cacheStand(
  cache: unknown = true,
  options: ProxyOptions & { readonly route?: Record<string, unknown> } = {},
): Promise<CacheStand> {
  const asked: string[] = []
  const requests: IncomingMessage[] = []
  let handler: Handler = (_request, response) => response.end()
  const server = http.createServer((request, response) => {
    const path = request.url ?? ''
    const count = asked.filter((line) => line.endsWith(` ${path}`)).length
    asked.push(`${request.method} ${path}`)
    requests.push(request)
    handler(request, response, count)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const originUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { route, config, ...others } = options
  const routes =
    route === undefined ? {} : { routes: [{ name: 'all', pool: 'default', match: { path: '/*' }, ...route }] }
  const proxy = await startProxy([originUrl], {
    ...others,
    config: { cache, ...routes, ...config } as NonNullable<ProxyOptions['config']>,
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2000 })
  const open = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = http.request(`${proxy.url}${path}`, { agent, headers, method })
      request.on('response', resolve).on('error', reject).end()
    })
  return {
    proxy,
    asked,
    requests,
    originUrl,
    answer: (wanted) => {
      handler = wanted
    },
    open,
    get: async (path, headers, method) => read(await open(path, headers, method)),
    askedFor: (path) => asked.filter((line) => line.endsWith(` ${path}`)).length,
    untilAsked: (count) => until(`the origin was asked ${count} times`, () => asked.length >= count),
    down: async () => {
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
    get cache() {
      return proxy.running.cacheStore!
    },
    moveClock: (ms) => proxy.running.cacheStore!.moveClock(ms),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      if (server.listening) server.close()
      await proxy.close()
    },
  }
}

export async function read(response: IncomingMessage): Promise<Got> {
  const parts: Buffer[] = []
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  const body = Buffer.concat(parts)
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
  const cache = headers['cache-status'] ?? ''
  return { status: response.statusCode ?? 0, headers, body, text: body.toString('latin1'), cache }
}
