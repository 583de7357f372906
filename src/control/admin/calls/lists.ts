// GET /listeners, /pools and /routes: what is configured, and what it has seen.
import { createRoute, z } from '@hono/zod-openapi'
import type { ListenerView } from '../../lists/listener-list.ts'
import type { PoolView } from '../../lists/pool-list.ts'
import type { RouteView } from '../../lists/route-list.ts'
import type { AdminApp } from '../app.ts'
import { gives, latencyView } from './describe.ts'

export interface ListDeps {
  readonly lists: {
    listeners(): ListenerView[]
    pools(): Promise<PoolView[]>
    routes(): Promise<RouteView[]>
  }
}

const count = z.number().int()

export const listenerView = z
  .object({
    name: z.string(),
    protocol: z.enum(['http', 'tcp', 'tls-passthrough']),
    address: z.string().openapi({
      description: '`*` stands for all interfaces; `unix:/path`; `systemd:name` for one that systemd has opened.',
      example: 'https://*:443',
    }),
    tls: z.boolean().openapi({ description: 'It terminates TLS.' }),
    pool: z.string().nullable().openapi({ description: 'Where what no route takes goes; null = nowhere.' }),
    connections: z.object({ active: count, total: count, rejected: count }),
    requests: z.object({ total: count, active: count }).openapi({ description: '0 where it speaks no HTTP.' }),
  })
  .openapi('Listener')

export const poolView = z
  .object({
    name: z.string(),
    kind: z.enum(['http', 'tcp']),
    strategy: z.string(),
    sticky: z.enum(['cookie', 'ip', 'header']).nullable(),
    backends: count,
    alive: count,
    current_connections: count,
    requests: count.openapi({ description: '0 in a TCP pool.' }),
    errors: count,
    retries: count,
    health_check: z
      .object({
        method: z.enum(['tcp', 'http']),
        path: z.string().nullable(),
        interval_ms: z.number(),
        timeout_ms: z.number(),
        rise: count,
        fall: count,
      })
      .nullable(),
  })
  .openapi('Pool')

export const routeView = z
  .object({
    name: z.string(),
    match: z.string().openapi({ example: 'example.com /api/*, GET POST' }),
    action: z.string().openapi({ example: 'pool api' }),
    pool: z.string().nullable().openapi({ description: 'Null where it splits, or answers by itself.' }),
    listeners: z.array(z.string()),
    implicit: z.boolean().openapi({ description: 'What a listener does with requests that no written route takes.' }),
    order: count.nullable().openapi({ description: 'Its place in the file, from 1; null = it is implicit.' }),
    requests: count.nullable().openapi({ description: 'Null = so many routes that it is not counted apart.' }),
    errors: count.nullable().openapi({ description: 'Answers with 5xx, and those that broke in the middle.' }),
    latency_ms: latencyView.openapi({ description: 'Of whole exchanges; null without any.' }),
  })
  .openapi('Route')

const listeners = createRoute({
  method: 'get',
  path: '/listeners',
  summary: 'All listeners',
  responses: { 200: gives('In the order of the configuration.', z.array(listenerView)) },
})

const pools = createRoute({
  method: 'get',
  path: '/pools',
  summary: 'All pools',
  responses: { 200: gives('In the order of the configuration.', z.array(poolView)) },
})

const routes = createRoute({
  method: 'get',
  path: '/routes',
  summary: 'All routes',
  responses: {
    200: gives('In the order in which they are tried, then what listeners do with the rest.', z.array(routeView)),
  },
})

export function addListCalls(app: AdminApp, { lists }: ListDeps): void {
  app.openapi(listeners, (c) => c.json(lists.listeners(), 200))
  app.openapi(pools, async (c) => c.json(await lists.pools(), 200))
  app.openapi(routes, async (c) => c.json(structuredClone(await lists.routes()) as never, 200))
}
