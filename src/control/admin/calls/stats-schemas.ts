// The data of a `stats` frame of GET /events.
import { z } from '@hono/zod-openapi'
import { backendStates } from '../../health/backend-state.ts'
import { latencyView } from './describe.ts'

const count = z.number().int()
const rate = z.number().openapi({ description: 'Per second, over the last second.' })
const errorRate = z.number().openapi({ description: 'Share of failures in the last second, 0 to 1.' })
const latency = latencyView.openapi({ description: 'Over the last ten seconds; null = nothing was observed.' })

const backendStats = z.object({
  pool: z.string(),
  url: z.string(),
  state: z.enum(backendStates),
  alive: z.boolean(),
  weight: count,
  current_connections: count,
  requests: count,
  rate: rate.openapi({ description: 'Requests (in a TCP pool connections) per second.' }),
  errors: count,
  error_rate: errorRate,
  latency_ms: latency,
  last_check: z.object({ at: z.iso.datetime(), ok: z.boolean(), reason: z.string() }).nullable(),
})

export const statsView = z
  .object({
    at: z.iso.datetime(),
    revision: count,
    uptime_seconds: count,
    draining: z.boolean(),
    requests: z.object({
      total: count,
      rate,
      active: count,
      errors_total: count.openapi({ description: 'Answers with 5xx, and those that broke in the middle.' }),
      error_rate: errorRate,
    }),
    latency_ms: latency.openapi({ description: 'Of whole exchanges, over the last ten seconds.' }),
    connections: z.object({ active: count, total: count, rejected_total: count }),
    bytes: z.object({ received_total: count, sent_total: count, received_rate: z.number(), sent_rate: z.number() }),
    listeners: z.array(
      z.object({
        name: z.string(),
        connections: count,
        rate: rate.openapi({ description: 'Requests per second; of a TCP listener connections per second.' }),
      }),
    ),
    tcp: z.object({ active: count.openapi({ description: 'Open connections of TCP listeners.' }) }),
    cache: z
      .object({
        hits: count.openapi({ description: 'Requests that it answered.' }),
        requests: count.openapi({ description: 'Those that were looked up.' }),
        ratio: z.number().nullable().openapi({ description: 'Of the last second, 0 to 1; null = there were none.' }),
        bytes: count.openapi({ description: 'In use, with index and metadata.' }),
        entries: count,
      })
      .nullable()
      .openapi({ description: 'Null = no route caches.' }),
    workers: z.array(
      z.object({
        id: count,
        state: z.enum(['starting', 'running', 'draining', 'dead']),
        restarts: count,
        main: z.literal(true).optional(),
        connections: count,
        utilization: z.number(),
      }),
    ),
    full: z.boolean().openapi({ description: '`backends` lists all of them, as in the first frame.' }),
    backends: z
      .array(backendStats)
      .openapi({ description: 'Those of which something has changed since the frame before.' }),
    removed: z
      .array(z.object({ pool: z.string(), url: z.string() }))
      .openapi({ description: 'Backends that are there no more since the frame before.' }),
  })
  .openapi('Stats')
