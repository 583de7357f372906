// The origin of the cache suite: says what a case's script says, byte by byte, and keeps a record of what reached it.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type Field,
  fieldValue,
  fieldValues,
  type Message,
  parseRequest,
  requestLine,
} from '../support/http-message.ts'
import { type Answer, says } from './case.ts'

/** One request as it arrived. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly fields: readonly Field[]
  /** Which answer it got, from 1. */
  readonly answer: number
}

/** What the origin knows of one path. */
export interface Script {
  readonly answers: readonly Answer[]
  readonly startMs: number
  /** What `{path}` stands for. */
  readonly path: string
  readonly seen: Seen[]
}

export class Origin {
  /** Milliseconds since the epoch, for its dates. */
  now: () => number = Date.now
  port = 0
  readonly #scripts = new Map<string, Script>()
  readonly #sockets = new Set<Socket>()
  #server: Server

  constructor() {
    this.#server = this.#create()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Listens, on the same port as before. */
  async up(): Promise<this> {
    if (this.#server.listening) return this
    this.#server = this.#create()
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  /** Closes every connection and listens no more: connecting is refused. */
  async down(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async close(): Promise<void> {
    await this.down()
  }

  /** From now on this path is answered so. */
  script(target: string, { answers, startMs, path }: Pick<Script, 'answers' | 'startMs' | 'path'>): void {
    this.#scripts.set(target, { answers, startMs, path, seen: [] })
  }

  /** What has arrived for a path. */
  seen(target: string): readonly Seen[] {
    return this.#scripts.get(target)?.seen ?? []
  }

  #create(): Server {
    return createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      let bytes: Buffer = Buffer.alloc(0)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
        for (;;) {
          const parsed = parseRequest(bytes)
          if (parsed.kind === 'malformed') return void socket.destroy()
          if (parsed.kind !== 'message') return
          bytes = bytes.subarray(parsed.end)
          this.#serve(socket, parsed.message)
        }
      })
    })
  }

  #serve(socket: Socket, request: Message): void {
    const { method, target, version } = requestLine(request)
    const script = this.#scripts.get(target)
    if (script === undefined) return void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
    const answer = Math.min(script.seen.length, script.answers.length - 1)
    script.seen.push({ method, target, fields: request.fields, answer: script.seen.length + 1 })
    const chosen = this.#chosen(script, answer, request)
    if (chosen.fault === 'lost') return void socket.destroy()
    const { text, isCut } = this.#message(script, chosen, { method, target })
    const closes =
      chosen.framing === 'close' || isCut || version === 'HTTP/1.0' || fieldValue(request, 'connection') === 'close'
    if (closes) socket.end(text, 'latin1')
    else socket.write(text, 'latin1')
  }

  /** A 304 to a request without condition would be nonsense: the last complete answer is sent in its place. */
  #chosen({ answers }: Script, index: number, request: Message): Answer {
    const answer = answers[index]!
    if (answer.status !== 304 || answer.isAnyway || isConditional(request.fields)) return answer
    return answers.slice(0, index).findLast(({ status }) => status !== 304) ?? says(500)
  }

  #message(script: Script, answer: Answer, { method, target }: { method: string; target: string }) {
    const { framing, trailers, status } = answer
    const dates = { now: this.now(), start: script.startMs }
    const named = (name: string): boolean =>
      answer.fields.some((line) => line.toLowerCase().startsWith(`${name}:`) || line.toLowerCase() === `!${name}`)
    const body = status === 304 || status === 204 ? '' : (answer.body ?? mark(target, script.seen.length))
    const isLong = body !== ''
    const lines = answer.fields.filter((line) => !line.startsWith('!'))
    if (!named('date')) lines.unshift('Date: {now}')
    // A 304 and an answer to HEAD change the fields of what is stored: their number would hide whose body it has.
    if (status !== 304 && method === 'GET') lines.push(`X-Answer: ${script.seen.length}`)
    if (isLong && !named('content-type')) lines.push('Content-Type: text/plain')
    if (status !== 304 && status !== 204) {
      if (framing === 'length' && !named('content-length')) lines.push(`Content-Length: ${body.length}`)
      if (framing === 'chunked') lines.push('Transfer-Encoding: chunked')
      if (trailers.length > 0) lines.push(`Trailer: ${trailers.map((line) => line.split(':')[0]).join(', ')}`)
    }
    if (framing === 'close') lines.push('Connection: close')
    const interim = answer.interim.length === 0 ? '' : head(Number(answer.interim[0]), answer.interim.slice(1))
    const isCut = answer.fault === 'cut'
    const sent = method === 'HEAD' ? '' : isCut ? body.slice(0, body.length / 2) : body
    const last = trailers.length === 0 ? '0\r\n\r\n' : `0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`
    const chunk = sent === '' ? '' : `${sent.length.toString(16)}\r\n${sent}\r\n`
    const content = method === 'HEAD' || framing !== 'chunked' ? sent : `${chunk}${isCut ? '' : last}`
    return { text: `${dated(interim + head(status, lines), dates).replaceAll('{path}', script.path)}${content}`, isCut }
  }
}

/** The body of an answer that has none of its own. */
export const mark = (target: string, answer: number): string => `answer ${answer} to ${target}`

/** Whether a request asks for a 304. */
export function isConditional(fields: readonly Field[]): boolean {
  const request = { startLine: '', fields }
  return fieldValues(request, 'if-none-match').length + fieldValues(request, 'if-modified-since').length > 0
}

/** Replaces `{now+60}` and `{start-60}` by HTTP dates. */
export function dated(text: string, times: { readonly now: number; readonly start: number }): string {
  return text.replaceAll(/\{(now|start)([+-]\d+)?\}/g, (_, from: 'now' | 'start', seconds = '0') =>
    new Date(times[from] + Number(seconds) * 1000).toUTCString(),
  )
}

const head = (status: number, lines: readonly string[]): string =>
  `HTTP/1.1 ${status} Said\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
