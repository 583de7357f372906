// Load on a proxy from within a test: a number of requests, or a steady stream until the test stops it.
import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** One answer, or why there was none. */
export interface Answered {
  /** 0 = no complete answer. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** '' or the system's error code. */
  readonly error: string
}

export interface AskOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Path of a Unix socket to ask instead of a port. */
  readonly socketPath?: string
  /** Default: a connection of its own. */
  readonly agent?: Agent
}

/** One request, read to its end. Never rejects. */
export function ask(port: number, o: AskOptions = {}): Promise<Answered> {
  return new Promise((resolve) => {
    const { method = 'GET', path = '/', agent = false, host = '127.0.0.1', socketPath } = o
    const place = socketPath === undefined ? { host, port } : { socketPath }
    // Node announces no length for DELETE by itself.
    const length = o.body === undefined ? {} : { 'content-length': Buffer.byteLength(o.body) }
    const headers = { ...length, ...o.headers }
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ status: 0, headers: {}, body: '', error: error.code ?? error.message })
    const outgoing = request({ ...place, method, path, headers, agent }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', failed)
      response.on('end', () => {
        const body = Buffer.concat(parts).toString('latin1')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, error: '' })
      })
    })
    outgoing.on('error', failed)
    outgoing.end(o.body)
  })
}

/** What came of a load. */
export class Tally {
  answered = 0
  /** What is not a complete 200: status or error code. */
  readonly failures: string[] = []
  /** Answers by the value of x-backend. */
  readonly byBackend = new Map<string, number>()

  add({ status, headers, error }: Answered): void {
    if (status !== 200) this.failures.push(error === '' ? String(status) : error)
    else {
      this.answered++
      const name = String(headers['x-backend'])
      this.byBackend.set(name, (this.byBackend.get(name) ?? 0) + 1)
    }
  }
}

export interface LoadOptions extends AskOptions {
  /** Keep-alive connections, each with one request at a time. */
  readonly connections: number
}

/** So many requests, as fast as they are answered. */
export async function load(port: number, requests: number, o: LoadOptions): Promise<Tally> {
  let left = requests
  return stream(port, o, () => left-- > 0)
}

/** A load that goes on until `stop` is called; `stop` returns what came of it. */
export function steadyLoad(port: number, o: LoadOptions): { tally: Tally; stop: () => Promise<Tally> } {
  let going = true
  const tally = new Tally()
  const done = stream(port, o, () => going, tally)
  const stop = (): Promise<Tally> => {
    going = false
    return done
  }
  return { tally, stop }
}

async function stream(port: number, o: LoadOptions, more: () => boolean, tally = new Tally()): Promise<Tally> {
  const agent = new Agent({ keepAlive: true, maxSockets: o.connections })
  const lane = async (): Promise<void> => {
    while (more()) tally.add(await ask(port, { agent, ...o }))
  }
  await Promise.all(Array.from({ length: o.connections }, lane))
  agent.destroy()
  return tally
}
