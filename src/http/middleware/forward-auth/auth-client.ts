// Asks the authentication server of a route: short requests without a body on kept connections, each within its time,
// not too many of them at once.
import * as http from 'node:http'
import * as https from 'node:https'
import type { AuthAgents } from './auth-agents.ts'
import type { FlatFields } from './auth-fields.ts'

export interface AuthReply {
  readonly status: number
  /** Name and value in turn. */
  readonly fields: readonly string[]
  /** Null = larger than may be passed on. Empty where the status is 2xx: nobody reads it. */
  readonly body: Buffer | null
}

/** No answer; `reason` is for people and never names the server. */
export class AuthFailure {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export interface AuthClientOptions {
  readonly url: string
  /** For the whole call. */
  readonly timeoutMs: number
  /** Our entry for Via, by which a server that leads back here is found out; '' = none. */
  readonly via: string
  readonly agents: AuthAgents
  /** Calls in flight and waiting for a connection; beyond that they fail at once. */
  readonly maxCalls?: number
}

/** A larger answer goes to the client without its body. */
export const MAX_BODY_BYTES = 64 * 1024
const MAX_CALLS = 1024

export class AuthClient {
  readonly #timeoutMs: number
  readonly #via: string
  readonly #maxCalls: number
  readonly #request: http.RequestOptions
  readonly #host: string
  readonly #send: typeof http.request
  #calls = 0

  constructor(options: AuthClientOptions) {
    const url = new URL(options.url)
    this.#timeoutMs = options.timeoutMs
    this.#via = options.via
    this.#maxCalls = options.maxCalls ?? MAX_CALLS
    this.#send = url.protocol === 'https:' ? https.request : http.request
    this.#host = url.host
    this.#request = {
      method: 'GET',
      // Brackets of IPv6 literals belong to URLs alone.
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: url.pathname + url.search,
      agent: options.agents.of(url),
    }
  }

  /** In flight or waiting for a connection. */
  get calls(): number {
    return this.#calls
  }

  ask(fields: FlatFields): AuthCall | AuthFailure {
    if (this.#calls >= this.#maxCalls) return new AuthFailure('too many calls at once')
    this.#calls++
    const headers = ['Host', this.#host, ...fields]
    if (this.#via !== '') headers.push('Via', this.#via)
    const open = (): http.ClientRequest => this.#send({ ...this.#request, headers })
    const call = new AuthCall(open, this.#timeoutMs)
    void call.outcome.then(() => this.#calls--)
    return call
  }
}

/** One question. */
export class AuthCall {
  /** Never rejects. */
  readonly outcome: Promise<AuthReply | AuthFailure>
  readonly #open: () => http.ClientRequest
  #resolve: (outcome: AuthReply | AuthFailure) => void = () => {}
  #request: http.ClientRequest | null = null
  readonly #timer: NodeJS.Timeout
  /** A head has come. */
  #answered = false
  #settled = false

  constructor(open: () => http.ClientRequest, timeoutMs: number) {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#open = open
    this.#timer = setTimeout(() => this.#stop('timed out'), timeoutMs)
    this.#attempt()
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#stop('cancelled')
  }

  #stop(reason: string): void {
    this.#settle(new AuthFailure(reason))
    this.#request?.destroy()
  }

  #attempt(): void {
    try {
      this.#request = this.#open()
      this.#listen(this.#request)
    } catch {
      // Node will not send one of the fields.
      this.#stop('could not be asked')
      clearTimeout(this.#timer)
    }
  }

  #listen(request: http.ClientRequest): void {
    request.on('response', (response) => this.#onResponse(response))
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#settled) return
      // The other side may have closed a kept connection at that very moment. To ask twice does no harm.
      if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) this.#attempt()
      else this.#settle(new AuthFailure(error.code ?? 'failed'))
    })
    // Whatever else may happen to it (an upgrade that nobody asked for, say).
    request.on('close', () => {
      if (this.#request !== request) return
      clearTimeout(this.#timer)
      this.#settle(new AuthFailure(this.#answered ? 'the answer was cut' : 'no answer'))
    })
    request.end()
  }

  #onResponse(response: http.IncomingMessage): void {
    this.#answered = true
    const { statusCode: status = 0, rawHeaders: fields } = response
    const chunks: Buffer[] = []
    let bytes = 0
    const isYes = status >= 200 && status <= 299
    if (status < 200 || status > 599) this.#stop('no usable answer')
    if (isYes) this.#settle({ status, fields, body: Buffer.alloc(0) })
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) {
        if (!isYes) chunks.push(chunk)
        return
      }
      this.#settle({ status, fields, body: null })
      this.#request?.destroy()
    })
    response.on('end', () => this.#settle({ status, fields, body: Buffer.concat(chunks) }))
    response.on('error', () => this.#stop('the answer was cut'))
  }

  /** The timer goes on after a settled 2xx: its body has to end in time, too. */
  #settle(outcome: AuthReply | AuthFailure): void {
    if (this.#settled) return
    this.#settled = true
    this.#resolve(outcome)
  }
}
