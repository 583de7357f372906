// One request to the proxy of a test, and what came back.
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { clearTimeout as clearRealTimeout, setTimeout as realTimeout } from 'node:timers'
import type { Exchange } from './exchange.ts'

export interface TestRequest {
  /** Default GET. */
  readonly method?: string
  /** Path and query, sent as they are. Default `/`. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** The Host field: the name of a site. Default: the address. */
  readonly host?: string
  /** An object is sent as JSON. */
  readonly body?: string | Uint8Array | object
  /** Name of the listener. Default: the first for HTTP. */
  readonly listener?: string
  /** Address of the client, such as `127.0.0.2`: on Linux every one of 127.0.0.0/8 may be used. */
  readonly from?: string
  /** Until it is given up, by the real clock. Default 10000. */
  readonly timeoutMs?: number
}

/** What the client got. */
export interface TestAnswer {
  /** 0 = no complete answer: see `error`. */
  readonly status: number
  /** By lower-case name; several fields of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[]
  readonly body: Buffer
  readonly text: string
  json<T = unknown>(): T
  /** '' or why there is no complete answer: `ECONNRESET`, `timeout`. */
  readonly error: string
  /**
   * What the proxy did. Null = not known: the answer has no X-Request-Id (which fake backends and the proxy's own answers
   * have), and it was not the only request at that time.
   */
  readonly exchange: Exchange | null
}

/** Where to ask. */
export interface TestTarget {
  readonly port: number
  readonly secure: boolean
}

export type Got = Omit<TestAnswer, 'exchange'>

/** On a connection of its own. Never rejects. */
export function send(target: TestTarget, asked: TestRequest): Promise<Got> {
  return new Promise((resolve) => {
    const { method = 'GET', path = '/', host, from, timeoutMs = 10_000 } = asked
    const { bytes, type } = bodyOf(asked.body)
    const headers: Record<string, string | string[]> = {
      ...(host !== undefined && { host }),
      ...(type !== '' && { 'content-type': type }),
      ...(bytes !== null && { 'content-length': String(Buffer.byteLength(bytes)) }),
      ...mutable(asked.headers ?? {}),
    }
    const begin = target.secure ? secureRequest : plainRequest
    const outgoing = begin({
      host: '127.0.0.1',
      port: target.port,
      method,
      path,
      headers,
      agent: false,
      ...(from !== undefined && { localAddress: from }),
      // Its certificate is for another name than 127.0.0.1.
      ...(target.secure && { rejectUnauthorized: false, ...(host !== undefined && { servername: nameOf(host) }) }),
    })
    const late = realTimeout(
      () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'timeout' })),
      timeoutMs,
    )
    const parts: Buffer[] = []
    let answer: IncomingMessage | null = null
    const end = (error: string): void => {
      clearRealTimeout(late)
      resolve(got(answer, Buffer.concat(parts), error))
    }
    outgoing.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    outgoing.on('response', (response) => {
      answer = response
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
      response.on('end', () => end(''))
    })
    outgoing.end(bytes ?? undefined)
  })
}

/** As Node's types want them. */
function mutable(headers: NonNullable<TestRequest['headers']>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
}

function got(answer: IncomingMessage | null, body: Buffer, error: string): Got {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer?.headersDistinct ?? {})) headers[name] = (value ?? []).join(', ')
  return {
    status: error === '' ? (answer?.statusCode ?? 0) : 0,
    headers,
    cookies: answer?.headersDistinct['set-cookie'] ?? [],
    body,
    text: body.toString(),
    json: <T>() => JSON.parse(body.toString()) as T,
    error,
  }
}

function bodyOf(body: TestRequest['body']): { bytes: string | Uint8Array | null; type: string } {
  if (body === undefined) return { bytes: null, type: '' }
  if (typeof body === 'string' || body instanceof Uint8Array) return { bytes: body, type: '' }
  return { bytes: JSON.stringify(body), type: 'application/json' }
}

/** SNI has no ports, and no addresses. */
function nameOf(host: string): string {
  const name = host.replace(/:\d+$/, '')
  return /^[\d.]+$|^\[/.test(name) ? '' : name
}
