// A collector of spans (OTLP over HTTP, JSON) that keeps what it gets, and answers as it is told.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Scope } from './leaks.ts'

export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[]
  readonly status?: { readonly code: number }
}

export interface CollectedRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly spans: readonly CollectedSpan[]
}

export interface FakeCollector {
  readonly url: string
  readonly requests: readonly CollectedRequest[]
  readonly spans: readonly CollectedSpan[]
  /** How the next requests are answered; default 200 with `{}`. */
  answer: (response: ServerResponse, request: CollectedRequest) => void
}

export async function startFakeCollector(scope: Scope): Promise<FakeCollector> {
  const requests: CollectedRequest[] = []
  const server = createServer((message, response) => {
    const pieces: Buffer[] = []
    message.on('data', (piece: Buffer) => pieces.push(piece))
    message.on('end', () => {
      const bytes = Buffer.concat(pieces)
      const text = (message.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
      const request = { path: message.url ?? '', headers: message.headers, text, spans: spansOf(text) }
      requests.push(request)
      collector.answer(response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const { port } = server.address() as { port: number }
  const collector: FakeCollector = {
    url: `http://127.0.0.1:${port}`,
    requests,
    get spans() {
      return requests.flatMap(({ spans }) => spans)
    },
    answer: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  }
  return collector
}

function spansOf(text: string): CollectedSpan[] {
  const { resourceSpans } = JSON.parse(text) as {
    resourceSpans: { scopeSpans: { spans: CollectedSpan[] }[] }[]
  }
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

/** The attributes of a span as one object; numbers as they are on the wire: strings. */
export function attributesOf({ attributes }: CollectedSpan): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']))
}
