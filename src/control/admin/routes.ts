// The calls of the admin API, described once: what each takes and gives. What they do lies in app.ts.

import { createRoute, z } from '@hono/zod-openapi'
import { problemType } from './problem.ts'
import {
  addBody,
  backendView,
  materialView,
  messageView,
  patchBody,
  problemView,
  reloadView,
  removalView,
  removeBody,
  removeQuery,
  stateView,
  statusView,
} from './schemas.ts'

const json = <S extends z.ZodType>(schema: S) => ({ 'application/json': { schema } })
const gives = <S extends z.ZodType>(description: string, schema: S) => ({ description, content: json(schema) })
const fails = (description: string) => ({ description, content: { [problemType]: { schema: problemView } } })
const takes = <S extends z.ZodType>(schema: S) => ({ body: { content: json(schema), required: true } })
const text = (description: string, type: string) => ({ description, content: { [type]: { schema: z.string() } } })

const badInput = { 400: fails('A field is wrong; `errors` names it.') }
const unknown = { 404: fails('No such backend or pool.') }
const notSaved = {
  500: fails('The change could not be written or applied; nothing was changed.'),
  507: fails('The disk is full, or no slot is left; nothing was changed.'),
}

export const routes = {
  status: createRoute({
    method: 'get',
    path: '/status',
    summary: 'The process and all backends',
    responses: { 200: gives('Now.', statusView) },
  }),
  list: createRoute({
    method: 'get',
    path: '/backends',
    summary: 'All backends',
    responses: {
      200: gives('In the order of their pools; removed ones that are still draining last.', z.array(backendView)),
    },
  }),
  add: createRoute({
    method: 'post',
    path: '/backends',
    summary: 'Add a backend',
    description: 'Answered when it is on disk and every worker uses it. One that is draining is taken back.',
    request: takes(addBody),
    responses: {
      201: gives('The backend; its first health check runs.', backendView),
      409: fails('It is already there.'),
      ...badInput,
      ...unknown,
      ...notSaved,
    },
  }),
  patch: createRoute({
    method: 'patch',
    path: '/backends',
    summary: 'Change a backend',
    description: 'Only what is named changes.',
    request: takes(patchBody),
    responses: { 200: gives('The backend as it is now.', backendView), ...badInput, ...unknown, ...notSaved },
  }),
  remove: createRoute({
    method: 'delete',
    path: '/backends',
    summary: 'Remove a backend',
    description: 'New requests stop at once; those in flight may finish. The URL is in the body or in the query.',
    request: { query: removeQuery, body: { content: json(removeBody), required: false } },
    responses: {
      200: gives('It is gone: nothing was open, or `wait=1` has waited.', removalView),
      202: gives('It gets no new requests and is draining.', removalView),
      409: fails('It was taken back while the call waited.'),
      ...badInput,
      ...unknown,
      ...notSaved,
    },
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
  reload: createRoute({
    method: 'post',
    path: '/reload',
    summary: 'Read the configuration file and the certificates again',
    description: 'The same as HUP. Answered when every worker uses what was read.',
    responses: {
      200: gives('Applied.', reloadView),
      409: fails('Something changed that needs a restart; `errors` names the keys. Nothing was changed.'),
      422: fails(
        'The file or something that it names cannot be used; `errors` says what. Nothing was changed; where only a certificate cannot be used that was in use before, the old one stays and everything else is applied.',
      ),
      ...notSaved,
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
