// GET /requests: exchanges and TCP connections as they end, live or gathered for a moment.
import { createRoute, z } from '@hono/zod-openapi'
import { backendUrl } from '../../../config/schema/backend.ts'
import type { FollowFilter } from '../../../observe/follow/follow-filter.ts'
import { cacheResults } from '../../../state/names.ts'
import { parseCidr, unixPeers } from '../../../util/cidr.ts'
import { type LivePort, LiveReader } from '../../live-requests.ts'
import type { AdminApp } from '../app.ts'
import { problem } from '../problem.ts'
import { type FrameSource, frame, type Streams } from '../streams.ts'
import { fails, streamCaller } from './describe.ts'

export interface RequestDeps {
  readonly streams: Streams
  readonly live: LivePort
}

/** How long entries are gathered where nobody follows. */
const gatherMs = 1000
/** Lists gathered at once: each is looked at for every exchange. */
const maxLists = 16

const text = (description: string, example?: string) =>
  z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .openapi({ description, ...(example !== undefined && { example }) })

const statuses = z
  .string()
  .transform((value, context) => {
    const ranges = value.split(',').map((one) => statusRange(one.trim()))
    if (ranges.every((range) => range !== null)) return ranges
    context.addIssue({
      code: 'custom',
      message: 'use a status, a class as "5xx", or a range as "400-499"; several with commas',
    })
    return z.NEVER
  })
  .optional()
  .openapi({
    type: 'string',
    description: 'Statuses, classes or ranges, separated by commas.',
    example: '404,5xx,200-299',
  })

const cache = z
  .string()
  .transform((value, context) => {
    const results = value.split(',').map((one) => one.trim().toLowerCase())
    const known: readonly string[] = cacheResults
    if (results.every((one) => known.includes(one))) return results
    context.addIssue({ code: 'custom', message: `use ${known.join(', ')}; several with commas` })
    return z.NEVER
  })
  .optional()
  .openapi({
    type: 'string',
    description: `What the cache made of them, separated by commas: ${cacheResults.join(', ')}.`,
    example: 'miss,bypass',
  })

const client = z
  .string()
  .superRefine((value, context) => {
    try {
      if (value !== unixPeers) parseCidr(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
  .optional()
  .openapi({ description: 'Address or block of the client; `unix` for Unix sockets.', example: '10.0.0.0/8' })

const query = z.strictObject({
  follow: z.enum(['0', '1']).optional().openapi({ description: '`1`: as they happen, as Server-Sent Events.' }),
  limit: z.coerce.number().int().min(1).max(1000).optional().openapi({ description: 'Without `follow`; 100.' }),
  listener: text('Name of a listener.'),
  route: text('Name of a route.'),
  pool: text('Name of a pool.'),
  backend: backendUrl.optional().openapi({ description: 'URL of a backend that was asked.' }),
  host: text('Host that was asked for, without a port.', 'example.com'),
  method: text('Method.', 'POST'),
  client,
  path: text('What the target begins with.', '/api/'),
  status: statuses,
  cache,
  min_ms: z.coerce.number().min(0).optional().openapi({ description: 'At least so long, in milliseconds.' }),
  errors: z.enum(['0', '1']).optional().openapi({ description: '`1`: 5xx, and whatever ended with an error.' }),
})

const requests = createRoute({
  method: 'get',
  path: '/requests',
  summary: 'Requests and TCP connections as they end',
  description:
    'With `follow=1` Server-Sent Events: `hello` when all workers tell, then `request` for each, with the members of a ' +
    'JSON line of the access log, whether or not there is one; at most 200 a second, and `skipped` tells how many were more. ' +
    'Otherwise what ends within a second, as a list. All filters must hold; a TCP connection meets none that asks for ' +
    'something of a request.',
  request: { query },
  responses: {
    200: {
      description: 'A stream that ends with the process, or a list.',
      content: {
        'text/event-stream': { schema: z.string() },
        'application/json': { schema: z.array(z.record(z.string(), z.unknown())) },
      },
    },
    400: fails('A parameter is wrong; `errors` names it.'),
    503: fails('As many streams are read as there may be, or the process is stopping.'),
  },
})

export function addRequestCalls(app: AdminApp, { streams, live }: RequestDeps): void {
  let lists = 0
  app.openapi(requests, async (c) => {
    const { follow, limit = 100, ...wanted } = c.req.valid('query')
    const filter = filterOf(wanted)
    if (follow === '1') {
      return streams.answer(streamCaller(c), (wake) => new RequestFrames(live, filter, wake)) as never
    }
    if (lists >= maxLists) return tooManyLists() as never
    lists += 1
    const entries = await gathered(live, filter, limit).finally(() => {
      lists -= 1
    })
    return c.body(`[${entries.join(',')}]`, 200, { 'content-type': 'application/json' }) as never
  })
}

function tooManyLists(): Response {
  const detail = `${maxLists} lists of requests are gathered already; try again in a second, or follow with "?follow=1"`
  return problem({ status: 503, detail, headers: { 'retry-after': '1' } })
}

type Wanted = Omit<z.output<typeof query>, 'follow' | 'limit'>

function filterOf({ errors, min_ms: minMs, status, method, host, ...names }: Wanted): FollowFilter {
  return {
    listener: names.listener ?? null,
    route: names.route ?? null,
    pool: names.pool ?? null,
    backend: names.backend ?? null,
    host: host?.toLowerCase() ?? null,
    method: method?.toUpperCase() ?? null,
    client: names.client ?? null,
    path: names.path ?? null,
    statuses: status ?? null,
    cache: names.cache ?? null,
    minMs: minMs ?? null,
    errors: errors === '1',
  }
}

/** `404`, `5xx` or `400-499`; null = it is none. */
export function statusRange(value: string): { from: number; to: number } | null {
  const [, digit] = /^([1-5])xx$/i.exec(value) ?? []
  if (digit !== undefined) return { from: Number(digit) * 100, to: Number(digit) * 100 + 99 }
  const [, first, last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(value) ?? []
  if (first === undefined || last === undefined || first > last) return null
  return { from: Number(first), to: Number(last) }
}

async function gathered(live: LivePort, filter: FollowFilter, limit: number): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const entries: string[] = []
  const reader = new LiveReader(live, filter, () => {
    entries.push(...reader.take().entries)
    if (entries.length >= limit) resolve()
  })
  const timer = setTimeout(resolve, gatherMs).unref()
  await promise
  clearTimeout(timer)
  reader.close()
  return entries.slice(0, limit)
}

class RequestFrames implements FrameSource {
  readonly #reader: LiveReader
  #hello = ''

  constructor(live: LivePort, filter: FollowFilter, wake: () => void) {
    this.#reader = new LiveReader(live, filter, wake)
    void this.#reader.ready.then(() => {
      this.#hello = frame('hello', JSON.stringify({ at: new Date().toISOString() }))
      wake()
    })
  }

  take(): string {
    let frames = this.#hello
    this.#hello = ''
    const { entries, skipped } = this.#reader.take()
    if (skipped > 0) frames += frame('skipped', JSON.stringify({ count: skipped }))
    for (const entry of entries) frames += frame('request', entry)
    return frames
  }

  close(): void {
    this.#reader.close()
  }
}
