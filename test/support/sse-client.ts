// A reader of Server-Sent Events over a real socket, which can stop reading as a slow one does.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { until, within } from './wait.ts'

/** One event as it came. */
export interface SseFrame {
  readonly id: string
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface SseOptions {
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes that the client's socket takes in while it does not read; default Node's. */
  readonly highWaterMark?: number
}

export class SseClient {
  readonly frames: SseFrame[] = []
  comments = 0
  /** The server has ended the stream, or the connection has. */
  hasEnded = false
  readonly #outgoing: ClientRequest
  readonly #response: IncomingMessage
  #rest = ''

  private constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#outgoing = outgoing
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#read(text))
    response.on('error', () => {})
    response.on('close', () => (this.hasEnded = true))
  }

  /** Resolves with the stream when its head has come. */
  static async open(port: number, o: SseOptions = {}): Promise<SseClient> {
    const { path = '/events', headers = {} } = o
    const response = await within(
      'the head of a stream',
      new Promise<[ClientRequest, IncomingMessage]>((resolve, reject) => {
        const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (incoming) =>
          resolve([outgoing, incoming]),
        )
        outgoing.on('error', reject)
        outgoing.end()
      }),
    )
    return new SseClient(...response)
  }

  get status(): number {
    return this.#response.statusCode ?? 0
  }

  get type(): string {
    return this.#response.headers['content-type'] ?? ''
  }

  /** Ids of the events so far, without those that have none. */
  get ids(): string[] {
    return this.frames.flatMap(({ id }) => (id === '' ? [] : [id]))
  }

  named(event: string): SseFrame[] {
    return this.frames.filter((frame) => frame.event === event)
  }

  /** Resolves with the nth event (from 1) of that name. */
  async waitFor(event: string, count = 1): Promise<SseFrame> {
    await until(`${count} × event ${event}`, () => this.named(event).length >= count)
    return this.named(event)[count - 1]!
  }

  /** Reads no more, until `resume`. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#outgoing.destroy()
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split('\n\n')
    this.#rest = parts.pop()!
    for (const part of parts) this.#take(part)
  }

  #take(part: string): void {
    let [id, event, data] = ['', 'message', '']
    for (const line of part.split('\n')) {
      if (line.startsWith(':')) this.comments += 1
      else if (line.startsWith('id: ')) id = line.slice(4)
      else if (line.startsWith('event: ')) event = line.slice(7)
      else if (line.startsWith('data: ')) data += line.slice(6)
    }
    if (data !== '') this.frames.push({ id, event, data: JSON.parse(data) as SseFrame['data'] })
  }
}
