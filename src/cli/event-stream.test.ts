import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { AdminTarget } from './admin-client.ts'
import { follow, type StreamNews } from './event-stream.ts'

/** A server whose nth connection is served by the nth function, the last one by all later ones. */
async function serve(
  t: TestContext,
  ...turns: readonly ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<AdminTarget> {
  let turn = 0
  const server = createServer((request, response) => {
    turns[Math.min(turn++, turns.length - 1)]!(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { base: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), token: 'secret' }
}

const stream = (text: string, end: 'end' | 'cut' | 'stay') => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(text, () => {
    if (end === 'end') response.end()
    else if (end === 'cut') response.socket?.resetAndDestroy()
  })
}

/** What comes until `enough` says so. */
async function news(target: AdminTarget, enough: (all: readonly StreamNews[]) => boolean): Promise<StreamNews[]> {
  const end = new AbortController()
  const all: StreamNews[] = []
  for await (const one of follow(target, { path: '/events', signal: end.signal })) {
    all.push(one)
    if (enough(all)) end.abort()
  }
  return all
}

const words = (all: readonly StreamNews[]): string[] =>
  all.map((one) => (one.kind === 'event' ? one.event.data : one.kind))
const events = (all: readonly StreamNews[], count: number): boolean =>
  all.filter(({ kind }) => kind === 'event').length === count

test('a stream that ends or is cut is opened again, from the last event on', async (t) => {
  const seen: unknown[] = []
  const noting = (next: (request: IncomingMessage, response: ServerResponse) => void) => {
    return (request: IncomingMessage, response: ServerResponse) => {
      seen.push([request.headers.authorization, request.headers['last-event-id']])
      next(request, response)
    }
  }
  const target = await serve(
    t,
    noting(stream('id: x-1\ndata: one\n\n', 'end')),
    noting(stream('id: x-2\ndata: two\n\ndata: three, wi', 'cut')),
    noting(stream('data: three\n\n', 'stay')),
  )
  const all = await news(target, (so) => events(so, 3))
  assert.deepEqual(words(all), ['open', 'one', 'lost', 'open', 'two', 'lost', 'open', 'three'])
  assert.deepEqual(seen, [
    ['Bearer secret', undefined],
    ['Bearer secret', 'x-1'],
    ['Bearer secret', 'x-2'],
  ])
})

test('while the other side is ill it is tried again; a refusal ends it', async (t) => {
  const refuse = (status: number) => (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ title: 'no', detail: 'not now' }))
  }
  const target = await serve(
    t,
    stream('data: one\n\n', 'end'),
    refuse(503),
    stream('data: two\n\n', 'end'),
    refuse(401),
  )
  const all: StreamNews[] = []
  await assert.rejects(
    async () => {
      for await (const one of follow(target, { path: '/events', signal: AbortSignal.timeout(20_000) })) all.push(one)
    },
    { name: 'CliError', message: /does not know this token/ },
  )
  assert.deepEqual(words(all), ['open', 'one', 'lost', 'lost', 'open', 'two', 'lost'])
})

test('what cannot be opened the first time, or is no stream, is said', async (t) => {
  const target = await serve(t, (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'))
  await assert.rejects(
    news(target, () => false),
    { message: /\/events at \S+ is no stream of events/ },
  )
  const nobody = { base: new URL('http://127.0.0.1:1'), token: undefined }
  await assert.rejects(
    news(nobody, () => false),
    { message: /cannot reach the admin API at http:\/\/127\.0\.0\.1:1: / },
  )
})
