// A Frontdesk for a test: in the thread of the test, on free ports of 127.0.0.1, without admin API and state file.
import { connect, type Socket } from 'node:net'
import type { LoadedConfig } from '../config/load.ts'
import { loadWithPlugins } from '../config/load-with-plugins.ts'
import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import type { StatusDocument } from '../control/status-document.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import type { LogLevel } from '../core/log.ts'
import { type Running, startFrontdesk } from '../supervisor/frontdesk.ts'
import { readVersion } from '../supervisor/read-version.ts'
import { eventually } from './eventually.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { type Got, send, type TestAnswer, type TestRequest, type TestTarget } from './test-answer.ts'

/** A configuration as `createFrontdesk` takes it, or the file that has it. */
export type TestConfig = FrontdeskConfig | { readonly file: string }

/** An event of the log. */
export interface TestLogEvent {
  readonly level: LogLevel
  readonly name: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A client of a test that keeps its cookies. */
export interface TestClient {
  request(asked?: string | TestRequest): Promise<TestAnswer>
  /** Cookies by name, as the answers have set them. */
  readonly cookies: ReadonlyMap<string, string>
}

/**
 * Starts a Frontdesk with that configuration. What differs from production: it runs in this thread (`workers: 0`), every
 * listener is on a free port of 127.0.0.1, and there is no admin API, no state file and no access log. Rejects as
 * `createFrontdesk` does when the configuration is not valid.
 */
export async function testProxy(config: TestConfig): Promise<TestProxy> {
  const loaded = await load(config)
  const log: TestLogEvent[] = []
  const exchanges: Exchange[] = []
  const running = await startFrontdesk({
    loaded,
    log: { event: (level, name, message, fields = {}) => void log.push({ level, name, message, fields }) },
    version: readVersion(),
    onExchange: (entry) => void exchanges.push(exchangeOf(entry)),
  })
  return new TestProxy({ loaded, running, log, exchanges })
}

interface Parts {
  readonly loaded: LoadedConfig
  readonly running: Running
  readonly log: readonly TestLogEvent[]
  readonly exchanges: readonly Exchange[]
}

/** How long the proxy may take to tell what it did, when its answer is there already. */
const TELL_MS = 1000

/** Made by `testProxy`. */
export class TestProxy implements AsyncDisposable {
  /** Every exchange and TCP connection that has ended, in the order of their ends. */
  readonly exchanges: readonly Exchange[]
  /** Everything that it has logged. */
  readonly log: readonly TestLogEvent[]
  readonly #running: Running
  #loaded: LoadedConfig
  #inFlight = 0

  /** @internal */
  constructor({ loaded, running, log, exchanges }: Parts) {
    this.#loaded = loaded
    this.#running = running
    this.log = log
    this.exchanges = exchanges
  }

  /** Of the first listener for HTTP. */
  get url(): string {
    const { port, secure } = this.#target(undefined)
    return `${secure ? 'https' : 'http'}://127.0.0.1:${port}`
  }

  /** Of a listener, by its name; default: the first. */
  port(listener?: string): number {
    const { listeners } = this.#running
    const found = listener === undefined ? listeners[0] : listeners.find(({ name }) => name === listener)
    if (found === undefined)
      throw new Error(`there is no listener ${listener}: ${listeners.map(({ name }) => name).join(', ')}`)
    return found.port
  }

  /** One request on a connection of its own; a text is its path. Never rejects: see `TestAnswer.error`. */
  async request(asked: string | TestRequest = {}): Promise<TestAnswer> {
    const request = typeof asked === 'string' ? { path: asked } : asked
    const from = this.exchanges.length
    const isAlone = this.#inFlight === 0
    this.#inFlight++
    const got = await send(this.#target(request.listener), request).finally(() => this.#inFlight--)
    return { ...got, exchange: await this.#exchangeOf(got, from, isAlone && this.#inFlight === 0) }
  }

  /** A client that keeps its cookies; `from`, `host` and the like hold for all its requests. */
  client(always: TestRequest = {}): TestClient {
    return new CookieClient(this, always)
  }

  /** A connection to a listener, for TCP. */
  connect(listener?: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: this.port(listener), allowHalfOpen: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        socket.on('error', () => undefined)
        resolve(socket)
      })
    })
  }

  status(): StatusDocument {
    return this.#running.status()
  }

  /** To add, change, drain and remove backends. */
  get backends(): Backends {
    return this.#running.backends
  }

  /** What is cached, and purging. */
  get cache(): Cache {
    return this.#running.cache
  }

  /** Another configuration, in any part of it; what is open goes on. Rejects as `testProxy`. */
  async apply(config: TestConfig): Promise<void> {
    const loaded = await load(config)
    const result = await this.#running.reload(loaded)
    if (!result.applied) throw new Error(`needs a restart: ${result.needsRestart.join(', ')}`)
    this.#loaded = loaded
  }

  /** Resolves with the first event of that name, when it is there. */
  logged(name: string): Promise<TestLogEvent> {
    return eventually(() => {
      const found = this.log.find((event) => event.name === name)
      if (found !== undefined) return found
      throw new Error(
        `nothing was logged under ${name}, but ${[...new Set(this.log.map((event) => event.name))].join(', ')}`,
      )
    })
  }

  /** Begins to drain: nothing new is accepted; resolves when what is open has ended, or the grace is over. */
  async drain(): Promise<void> {
    this.#running.drain()
    await this.#running.stopped
  }

  /** Ends it at once; what is open is cut. */
  async close(): Promise<void> {
    this.#running.force()
    await this.#running.stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #target(listener: string | undefined): TestTarget {
    const { listeners } = this.#loaded.config
    const wanted = listeners.find(({ name, protocol }) =>
      listener === undefined ? protocol === 'http' : name === listener,
    )
    if (wanted === undefined) throw new Error(`there is no listener ${listener ?? 'for HTTP'}`)
    return { port: this.port(wanted.name), secure: wanted.tls !== null }
  }

  async #exchangeOf({ headers }: Got, from: number, isAlone: boolean): Promise<Exchange | null> {
    const id = headers['x-request-id']
    if (id === undefined && !isAlone) return null
    const find = (): Exchange | undefined => {
      const news = this.exchanges.slice(from)
      const found = id === undefined ? undefined : news.find(({ requestId }) => requestId === id)
      // An answer that somebody else has put an id on.
      return found ?? (isAlone && news.length === 1 ? news[0] : undefined)
    }
    return eventually(() => find() ?? false, TELL_MS).then(
      (found) => (found === false ? null : found),
      () => null,
    )
  }
}

class CookieClient implements TestClient {
  readonly cookies = new Map<string, string>()
  readonly #proxy: TestProxy
  readonly #always: TestRequest

  constructor(proxy: TestProxy, always: TestRequest) {
    this.#proxy = proxy
    this.#always = always
  }

  async request(asked: string | TestRequest = {}): Promise<TestAnswer> {
    const request = typeof asked === 'string' ? { path: asked } : asked
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie !== '' && { cookie }), ...this.#always.headers, ...request.headers }
    const answer = await this.#proxy.request({ ...this.#always, ...request, headers })
    for (const text of answer.cookies) this.#keep(text)
    return answer
  }

  #keep(text: string): void {
    const [pair = '', ...attributes] = text.split(/; */)
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (attributes.some((attribute) => /^max-age=(0|-)/i.test(attribute))) this.cookies.delete(name)
    else this.cookies.set(name, pair.slice(at + 1))
  }
}

async function load(config: TestConfig): Promise<LoadedConfig> {
  const from = 'file' in config && typeof config.file === 'string' ? { path: config.file } : { value: config }
  const loaded = await loadWithPlugins({ ...from, allowAnyPort: true, overrides: { workers: 0 } })
  const { config: whole } = loaded
  return {
    ...loaded,
    config: {
      ...whole,
      workers: 0,
      admin: null,
      stateFile: null,
      logging: { ...whole.logging, level: 'debug', access: null },
      listeners: whole.listeners.map((listener) => ({
        ...listener,
        host: '127.0.0.1',
        port: 0,
        socketPath: null,
        socketMode: null,
        inherited: null,
        ipv6Only: false,
      })),
    },
  }
}
