// The test client behind `frontdesk request`: a number of requests over some connections, and who answered them.
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { CookieJar } from './cookie-jar.ts'

/** A longer answer is counted, but not searched for a backend's name. */
const MAX_SEARCHED_BYTES = 64 * 1024

export interface LoadOptions {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  /** Requests over all clients. */
  readonly count: number
  /** Clients at once, each with one connection and its own cookies. */
  readonly concurrency: number
  readonly keepCookies: boolean
  /** For one whole exchange. */
  readonly timeoutMs: number
  /** Ends the run early; what is done so far counts. */
  readonly signal: AbortSignal
}

export interface LoadReport {
  readonly sent: number
  readonly answered: number
  readonly elapsedMs: number
  /** Answers by backend; an answer that names none counts under ''. */
  readonly backends: ReadonlyMap<string, number>
  readonly statuses: ReadonlyMap<number, number>
  /** Requests without an answer, by reason. */
  readonly failures: ReadonlyMap<string, number>
  /** Ascending, one for each answer. */
  readonly latenciesMs: readonly number[]
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends them all, however many fail. */
export async function runLoad(o: LoadOptions): Promise<LoadReport> {
  const backends = new Map<string, number>()
  const statuses = new Map<number, number>()
  const failures = new Map<string, number>()
  const latenciesMs: number[] = []
  let sent = 0
  const client = async (): Promise<void> => {
    const agent = new (o.url.protocol === 'https:' ? HttpsAgent : Agent)({ keepAlive: true, maxSockets: 1 })
    const jar = o.keepCookies ? new CookieJar() : undefined
    while (sent < o.count && !o.signal.aborted) {
      sent++
      const startedMs = performance.now()
      try {
        const answer = await exchange(o, agent, jar)
        latenciesMs.push(performance.now() - startedMs)
        increment(statuses, answer.status)
        increment(backends, backendOf(answer))
      } catch (error) {
        if (o.signal.aborted) sent--
        else increment(failures, reasonOf(error))
      }
    }
    agent.destroy()
  }
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: Math.min(o.concurrency, o.count) }, client))
  latenciesMs.sort((a, b) => a - b)
  const elapsedMs = performance.now() - startedMs
  return { sent, answered: latenciesMs.length, elapsedMs, backends, statuses, failures, latenciesMs }
}

/** The value below which a share `q` (0–1) of an ascending list lies; NaN for an empty one. */
export function quantile(ascending: readonly number[], q: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * q))] ?? Number.NaN
}

function exchange(o: LoadOptions, agent: Agent, jar: CookieJar | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cookie = jar?.header()
    const headers = { ...o.headers, ...(cookie === undefined ? {} : { cookie }) }
    const send = o.url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(o.url, { method: o.method, headers, agent, signal: o.signal })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${o.timeoutMs} ms`)), o.timeoutMs)
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      act()
    }
    request.on('error', (error) => settle(() => reject(error)))
    request.on('response', (response) => {
      jar?.store(response.headers['set-cookie'])
      readAnswer(response).then(
        (answer) => settle(() => resolve(answer)),
        (error) => settle(() => reject(error)),
      )
    })
    request.end()
  })
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= MAX_SEARCHED_BYTES) chunks.push(chunk)
  }
  const body = bytes <= MAX_SEARCHED_BYTES ? Buffer.concat(chunks).toString('utf8') : ''
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

/** The X-Backend field, else a `backend`, `server` or `name` in a JSON body, else ''. */
function backendOf(answer: Answer): string {
  const field = answer.headers['x-backend']
  if (typeof field === 'string') return field
  if (!answer.headers['content-type']?.includes('json')) return ''
  try {
    const body = JSON.parse(answer.body) as Record<string, unknown> | null
    const named = body?.backend ?? body?.server ?? body?.name
    return typeof named === 'string' ? named : ''
  } catch {
    return ''
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed without a whole answer',
  EPIPE: 'connection closed while sending',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ETIMEDOUT: 'connecting timed out',
  HPE_INVALID_CONSTANT: 'the answer is not HTTP',
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined)?.message : undefined
  const known = reasons[code]
  return known === undefined ? message || inner || code : `${known} (${code})`
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
