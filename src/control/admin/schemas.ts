// What the admin API takes and gives, as zod: validation, TypeScript types and OpenAPI come from here.

import { z } from '@hono/zod-openapi'
import { backendUrl, backup, maxConnections, weight } from '../../config/schema/backend.ts'
import { duration, name } from '../../config/schema/scalars.ts'
import { backendStates } from '../health/backend-state.ts'

const url = backendUrl.meta({
  description:
    'Address: `http://host[:port][/base]`, `https://…` or `unix:/path`; in TCP pools `tcp://host:port`, `tls://host:port` or `unix:/path`. Compared in normal form.',
  example: 'http://localhost:8085',
})
const pool = name.meta({ description: 'Name of the pool; may be left out where it is clear.', example: 'default' })
const settings = {
  weight: weight.unwrap().optional().meta({ description: 'Share of the requests; 1 when added without it.' }),
  max_connections: maxConnections
    .unwrap()
    .optional()
    .meta({ description: 'Requests in flight (TCP: open connections) at once, over all workers; 0 = no limit.' }),
  backup: backup
    .unwrap()
    .optional()
    .meta({ description: 'Serves only while no other backend of the pool is available.' }),
}
const drain = duration().meta({
  description: 'How long requests in flight may take to finish; default 30s, 0s cuts them.',
  example: '30s',
})

export const addBody = z
  .strictObject({
    url,
    pool: pool.optional(),
    ...settings,
    state: z.enum(['up', 'disabled']).optional().meta({
      description: '`disabled`: its health is checked, but it gets nothing before it is patched to `up`.',
    }),
  })
  .openapi('AddBackend')

export const patchBody = z
  .strictObject({
    url,
    pool: pool.optional(),
    weight: settings.weight,
    max_connections: settings.max_connections,
    backup: settings.backup,
    state: z.enum(['up', 'drain', 'disabled']).optional().meta({
      description: '`drain`: no new clients, bound ones stay; `disabled`: nobody; `up`: both taken back.',
    }),
    drain: duration().optional().meta({
      description:
        'With `drain`: how long who is bound may stay; then they choose anew, and what is open is closed. Without it, for ever.',
      example: '5m',
    }),
  })
  .openapi('PatchBackend')

export const addQuery = z.strictObject({
  wait: duration({ minMs: 1 }).optional().meta({
    description:
      'Answer when its first health check has passed; if that does not happen in so long it is left out again, and the answer is 504.',
    example: '30s',
  }),
})

export const removeBody = z
  .strictObject({ url, pool: pool.optional(), drain: drain.optional() })
  .openapi('RemoveBackend')

export const removeQuery = z.strictObject({
  url: url.optional(),
  pool: pool.optional(),
  drain: drain.optional(),
  wait: z.enum(['1', 'true', '0', 'false']).optional().meta({ description: '`1`: answer when the drain has ended.' }),
})

export const backendView = z
  .object({
    url: z.string(),
    alive: z.boolean().openapi({ description: 'Takes new requests; `unknown` counts as alive.' }),
    current_connections: z
      .number()
      .int()
      .openapi({ description: 'Requests in flight, over all workers; in a TCP pool open connections.' }),
    pool: z.string(),
    protocol: z.enum(['http', 'https', 'tcp', 'tls']),
    weight: z.number().int(),
    max_connections: z.number().int().openapi({ description: '0 = no limit.' }),
    backup: z.boolean(),
    state: z.enum(backendStates),
    requests: z.number().int().openapi({ description: '0 in a TCP pool.' }),
    connections: z.number().int().openapi({ description: 'Connections made to it so far.' }),
    errors: z.number().int().openapi({
      description: 'Exchanges (in a TCP pool connections) that it broke, and connections to it that failed.',
    }),
    latency_ms: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }).openapi({
      description:
        'From sending a request to the first byte of its answer, in a TCP pool until a connection stands; null without any.',
    }),
    last_check: z.object({ at: z.iso.datetime(), ok: z.boolean(), reason: z.string() }).nullable(),
    drain_ends_at: z.iso.datetime().optional().openapi({
      description:
        'Of one that drains: then what is still bound to it is released, and what is open is closed. Absent: never.',
    }),
  })
  .openapi('Backend')

export const statusView = z
  .object({
    total_backends: z.number().int(),
    active_backends: z.number().int().openapi({ description: 'How many are alive.' }),
    backends: z.array(backendView),
    version: z.string(),
    uptime_seconds: z.number().int(),
    revision: z.number().int().openapi({ description: 'Grows by one with every applied change.' }),
    draining: z.boolean().openapi({ description: 'The process is stopping.' }),
    workers: z.array(
      z.object({
        id: z.number().int(),
        state: z.enum(['starting', 'running', 'draining', 'dead']),
        restarts: z.number().int(),
        main: z.literal(true).optional().openapi({
          description: 'Not a worker thread: the main thread, which serves what cannot be handed to one.',
        }),
        connections: z.number(),
        utilization: z.number().openapi({ description: 'Share of time it was busy, 0 to 1.' }),
      }),
    ),
  })
  .openapi('Status')

export const removalView = z
  .object({
    message: z.string(),
    url: z.string(),
    pool: z.string(),
    drained_connections: z.number().int().openapi({ description: 'Requests that were in flight.' }),
    cut_connections: z
      .number()
      .int()
      .openapi({ description: 'Those of them that had not ended in time and were cut.' }),
    state: z.enum(['removed', 'draining']),
  })
  .openapi('Removal')

const uses = {
  listeners: z.array(z.string()).openapi({ description: 'Listeners that use it towards clients.' }),
  pools: z.array(z.string()).openapi({ description: 'Pools that use it towards their backends.' }),
  admin: z.boolean().openapi({ description: 'The admin API uses it.' }),
  last_error: z
    .object({ at: z.iso.datetime(), message: z.string() })
    .nullable()
    .openapi({ description: 'Why what is in its files now is not in use; null = it is.' }),
}

const certificateView = z
  .object({
    kind: z.literal('certificate'),
    name: z.string().openapi({ description: 'Name of its file: the label of the metric.' }),
    names: z
      .array(z.string())
      .openapi({ description: 'DNS names it is good for; clients are given a certificate by these.' }),
    alternative_names: z.array(z.string()).openapi({
      description: 'All alternative names with their kind.',
      example: ['DNS:example.com', 'IP Address:192.0.2.1'],
    }),
    subject: z.string(),
    issuer: z.string(),
    not_before: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    days_left: z.number().int().openapi({ description: 'Whole days; negative once it has expired.' }),
    fingerprint: z.string().openapi({ description: 'SHA-256 of the certificate.' }),
    key_type: z.string().openapi({ example: 'ec' }),
    key_bits: z.number().int().nullable(),
    files: z.object({ cert: z.string(), key: z.string() }),
    ...uses,
  })
  .openapi('Certificate')

const authoritiesView = z
  .object({
    kind: z.literal('authorities'),
    name: z.string().openapi({ description: 'Name of its file.' }),
    authorities: z.array(z.object({ subject: z.string(), expires_at: z.iso.datetime() })),
    expires_at: z.iso.datetime().openapi({ description: 'The end of the last of them.' }),
    days_left: z.number().int().openapi({ description: 'Whole days; negative once all have expired.' }),
    files: z.object({ ca: z.string() }),
    ...uses,
  })
  .openapi('Authorities')

const revocationListView = z
  .object({
    kind: z.literal('revocation_list'),
    name: z.string().openapi({ description: 'Name of its file.' }),
    next_update: z.iso.datetime().nullable().openapi({
      description: 'After it every certificate of the authority is refused; null = the list does not say.',
    }),
    days_left: z
      .number()
      .int()
      .nullable()
      .openapi({ description: 'Whole days until the next update; negative once the list has expired.' }),
    files: z.object({ crl: z.string() }),
    ...uses,
  })
  .openapi('RevocationList')

/** What the files of certificates, authorities and revocation lists hold. */
export const materialView = z.discriminatedUnion('kind', [certificateView, authoritiesView, revocationListView])

export const stateView = z.object({ status: z.string() }).openapi('State')
export const messageView = z.object({ message: z.string() }).openapi('Message')

export const problemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    errors: z.array(
      z.object({
        path: z.string(),
        message: z.string(),
        file: z.string().optional().openapi({ description: 'The configuration file.' }),
        line: z.number().int().optional().openapi({ description: 'In that file, from 1.' }),
        column: z.number().int().optional().openapi({ description: 'In that line, from 1.' }),
        hint: z.string().nullable().optional().openapi({ description: 'What to do about it.' }),
      }),
    ),
  })
  .openapi('Problem')
