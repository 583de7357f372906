// POST /explain: what would become of a request that came now.
import { isIP } from 'node:net'
import { createRoute, z } from '@hono/zod-openapi'
import { unixPeers } from '../../../util/cidr.ts'
import type { Explainer } from '../../explain/explain.ts'
import { backendStates } from '../../health/backend-state.ts'
import type { AdminApp } from '../app.ts'
import { fails, gives, takes } from './describe.ts'

export interface ExplainDeps {
  readonly explainer: Pick<Explainer, 'explain'>
}

const count = z.number().int()

const explainBody = z
  .strictObject({
    method: z.string().min(1).max(64).optional().openapi({ description: '`GET` when it is left out.' }),
    url: z.string().min(1).max(16_384).optional().openapi({
      description: 'Absolute, or a target: `/api/x?y=1`. The listener is found by its port, then by its scheme.',
      example: 'http://example.com/api/x',
    }),
    headers: z.record(z.string(), z.string()).optional().openapi({ description: 'As the client sends them.' }),
    client: z
      .string()
      .refine((value) => isIP(value) !== 0 || value === `${unixPeers}:`, 'is no IP address')
      .optional()
      .openapi({ description: 'Address of the client; `127.0.0.1` when it is left out.', example: '192.0.2.7' }),
    listener: z.string().min(1).optional().openapi({ description: 'Name of a listener.' }),
    server_name: z.string().min(1).max(255).optional().openapi({
      description: 'What a TLS client asks for, where its TLS is passed on; in place of `url`.',
      example: 'db.example.com',
    }),
    alpn: z.array(z.string()).max(16).optional().openapi({ description: 'Application protocols that it offers.' }),
  })
  .refine(
    ({ url, server_name, listener }) => url !== undefined || server_name !== undefined || listener !== undefined,
    {
      path: ['url'],
      message: 'is missing; a listener that passes TLS on is asked with "server_name"',
    },
  )
  .openapi('Explain')

const explainedBackend = z.object({
  url: z.string(),
  state: z.enum(backendStates),
  weight: count,
  active: count.openapi({ description: 'In flight; in a TCP pool open connections.' }),
  score: z.number().nullable().openapi({ description: 'Null = the strategy does not weigh it now.' }),
  score_means: z.string(),
  would_take: z.boolean().openapi({ description: 'It would get the request; several, where chance decides.' }),
  why: z.string().openapi({ example: 'down for 12s: connection refused (ECONNREFUSED)' }),
})

const explainedCache = z.object({
  caches: z.boolean().openapi({ description: 'The route caches.' }),
  key: z.string().openapi({ description: 'What purging goes by.', example: 'http://example.com/logo.png' }),
  would_hit: z.boolean().openapi({ description: 'It would be answered from the cache without asking a backend.' }),
  why: z.string().openapi({ example: 'fresh for 42s' }),
  entry: z
    .object({
      age_seconds: count,
      ttl_seconds: count.openapi({ description: 'Below 0: stale for so long.' }),
      status: count,
      variant: z.string().openapi({ description: 'What tells it from others of the same key.' }),
    })
    .nullable()
    .openapi({ description: 'The stored answer that comes into question.' }),
  to_make_it_cacheable: z.array(z.string()).openapi({
    description: 'What to change, in the configuration or in the answers of the backend.',
    example: ['the answer says Cache-Control: private: send "public", or nothing, if everybody may get it'],
  }),
})

export const explanationView = z
  .object({
    listener: z.string(),
    route: z
      .object({ name: z.string(), match: z.string(), action: z.string(), implicit: z.boolean() })
      .nullable()
      .openapi({ description: 'Null = none takes it, or it is TCP.' }),
    considered: z.array(z.object({ route: z.string(), taken: z.boolean(), why: z.string() })).openapi({
      description: 'The nearest routes (server names), ten at most, in the order in which they are tried.',
    }),
    steps: z.array(z.string()).openapi({ description: 'What it passes on its way, in order.' }),
    action: z.enum(['pool', 'split', 'redirect', 'respond', 'none']),
    pool: z.string().nullable(),
    strategy: z.string().nullable(),
    target: z.string().nullable().openapi({ description: 'Path and query as the backend gets them.' }),
    sticky: z
      .object({ by: z.enum(['cookie', 'ip', 'header']), bound_to: z.string().nullable() })
      .nullable()
      .openapi({ description: 'Null = clients are bound to nothing here.' }),
    backends: z.array(explainedBackend),
    answer: z
      .object({ status: count, why: z.string() })
      .nullable()
      .openapi({ description: 'The answer of our own; null = that of a backend. 0 = the connection is closed.' }),
    cache: explainedCache
      .nullable()
      .openapi({ description: 'What the cache would do. Null = no backend would be asked anyway, or it is TCP.' }),
  })
  .openapi('Explanation')

const explain = createRoute({
  method: 'post',
  path: '/explain',
  summary: 'What would become of a request that came now',
  description:
    'By the routes, pools and counters that the workers use; nothing is sent, counted or changed. Plug-in code is not called. ' +
    'The read token is enough.',
  request: takes(explainBody),
  responses: {
    200: gives('What would become of it.', explanationView),
    400: fails('A field is wrong; `errors` names it.'),
    404: fails('No such listener.'),
  },
})

export function addExplainCalls(app: AdminApp, { explainer }: ExplainDeps): void {
  app.openapi(explain, async (c) => {
    const {
      method = 'GET',
      url,
      headers = {},
      client = '127.0.0.1',
      listener,
      server_name,
      alpn = [],
    } = c.req.valid('json')
    const given = { method, headers, client, alpn }
    const asked = { ...given, url: url ?? null, listener: listener ?? null, serverName: server_name ?? null }
    return c.json((await explainer.explain(asked)) as z.output<typeof explanationView>, 200)
  })
}
