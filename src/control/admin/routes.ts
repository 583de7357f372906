// The calls of the admin API, described once: what each takes and gives. What they do lies in app.ts.

import { createRoute, z } from '@hono/zod-openapi'
import { materialView, messageView, stateView, statusView } from './schemas.ts'

const json = <S extends z.ZodType>(schema: S) => ({ 'application/json': { schema } })
const gives = <S extends z.ZodType>(description: string, schema: S) => ({ description, content: json(schema) })
const text = (description: string, type: string) => ({ description, content: { [type]: { schema: z.string() } } })

export const routes = {
  status: createRoute({
    method: 'get',
    path: '/status',
    summary: 'The process and all backends',
    responses: { 200: gives('Now.', statusView) },
  }),
  certificates: createRoute({
    method: 'get',
    path: '/certificates',
    summary: 'The certificates, authorities and revocation lists in use',
    responses: {
      200: gives(
        'In the order of the configuration: what listeners name, then what pools name.',
        z.array(materialView),
      ),
    },
  }),
  stop: createRoute({
    method: 'post',
    path: '/stop',
    summary: 'Drain and stop the process',
    description: 'The same as SIGTERM.',
    responses: { 202: gives('It is draining.', messageView) },
  }),
  metrics: createRoute({
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    responses: { 200: text('Prometheus text format.', 'text/plain') },
  }),
  healthz: createRoute({
    method: 'get',
    path: '/healthz',
    summary: 'Liveness',
    description: 'Needs no token.',
    security: [],
    responses: { 200: gives('The main thread answers.', stateView) },
  }),
  readyz: createRoute({
    method: 'get',
    path: '/readyz',
    summary: 'Readiness',
    description: 'Needs no token.',
    security: [],
    responses: { 200: gives('Workers serve.', stateView), 503: gives('Starting or draining.', stateView) },
  }),
} as const
