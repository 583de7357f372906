// GET, POST, PATCH and DELETE /backends: looked at and changed while traffic flows.
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { BackendCalls } from '../../backend-calls.ts'
import { type Asked, defaultDrainMs } from '../../changes.ts'
import type { AdminApp } from '../app.ts'
import type { AdminEnv } from '../guard.ts'
import { problem } from '../problem.ts'
import { addBody, addQuery, backendView, patchBody, removalView, removeBody, removeQuery } from '../schemas.ts'
import { fails, gives, takes } from './describe.ts'

export interface BackendDeps {
  readonly backends: Pick<BackendCalls, 'list' | 'add' | 'update' | 'remove'>
}

const badInput = { 400: fails('A field is wrong; `errors` names it.') }
const unknown = { 404: fails('No such backend or pool.') }
/** What may become of any change. */
export const notChanged = {
  500: fails('The change could not be written; nothing was changed.'),
  503: fails('A worker could not make it ready, or an address cannot be had; nothing was changed.'),
  507: fails('The disk is full, or no slot is left; nothing was changed.'),
}

const list = createRoute({
  method: 'get',
  path: '/backends',
  summary: 'All backends',
  responses: {
    200: gives('In the order of their pools; removed ones that are still draining last.', z.array(backendView)),
  },
})

const add = createRoute({
  method: 'post',
  path: '/backends',
  summary: 'Add a backend',
  description: 'Answered when it is on disk and every worker uses it. One that is draining is taken back.',
  request: { query: addQuery, ...takes(addBody) },
  responses: {
    201: gives('The backend; its first health check runs, or has passed where the call waited.', backendView),
    409: fails('It is already there, or was removed while the call waited.'),
    504: fails('It did not come up in the time that the call waited, and is left out again.'),
    ...badInput,
    ...unknown,
    ...notChanged,
  },
})

const patch = createRoute({
  method: 'patch',
  path: '/backends',
  summary: 'Change a backend',
  description: 'Only what is named changes.',
  request: takes(patchBody),
  responses: { 200: gives('The backend as it is now.', backendView), ...badInput, ...unknown, ...notChanged },
})

const remove = createRoute({
  method: 'delete',
  path: '/backends',
  summary: 'Remove a backend',
  description: 'New requests stop at once; those in flight may finish. The URL is in the body or in the query.',
  request: { query: removeQuery, body: { ...takes(removeBody).body, required: false } },
  responses: {
    200: gives('It is gone: nothing was open, or `wait=1` has waited.', removalView),
    202: gives('It gets no new requests and is draining.', removalView),
    409: fails('It was taken back while the call waited.'),
    ...badInput,
    ...unknown,
    ...notChanged,
  },
})

/** Who asks for what, as logs and the history name it. */
export const askedBy = (c: Context<AdminEnv>, cause = `${c.req.method} ${c.req.path}`): Asked => ({
  by: c.get('caller')?.who ?? 'admin API',
  cause,
})

/** The call may take longer than the silence that is allowed on a connection. */
export const mayTakeLong = (c: Context<AdminEnv>): void => void c.env.incoming?.socket.setTimeout(0)

export function addBackendCalls(app: AdminApp, { backends }: BackendDeps): void {
  app.openapi(list, async (c) => c.json(await backends.list(), 200))
  app.openapi(add, async (c) => {
    const { wait: waitMs } = c.req.valid('query')
    if (waitMs !== undefined) mayTakeLong(c)
    return c.json(await backends.add(c.req.valid('json'), askedBy(c), { waitMs }), 201)
  })
  app.openapi(patch, async (c) => c.json(await backends.update(c.req.valid('json'), askedBy(c)), 200))
  app.openapi(remove, async (c) => {
    const query = c.req.valid('query')
    const body = c.req.valid('json')
    const url = body.url ?? query.url
    if (url === undefined) return invalidUrl('is missing') as never
    if (query.url !== undefined && query.url !== url) return invalidUrl('is not the same in query and body') as never
    const drainMs = body.drain ?? query.drain ?? defaultDrainMs
    const wait = query.wait === '1' || query.wait === 'true'
    if (wait) mayTakeLong(c)
    const removed = await backends.remove({ url, pool: body.pool ?? query.pool }, { drainMs, wait }, askedBy(c))
    return c.json(removed, removed.state === 'removed' ? 200 : 202)
  })
}

const invalidUrl = (message: string): Response =>
  problem({ status: 400, detail: `url: ${message}`, errors: [{ path: 'url', message }] })
