// GET /whoami: what the caller may do here, for those who want to know before they try (the dashboard).

import { createRoute, z } from '@hono/zod-openapi'
import type { AdminApp } from '../app.ts'
import type { Gate } from '../caller.ts'

export interface WhoamiDeps {
  readonly gate: Gate
}

const whoamiView = z
  .object({
    who: z.string().openapi({ description: 'As logs name it.', example: 'admin API (127.0.0.1, token)' }),
    role: z.enum(['full', 'read', 'none']).openapi({
      description: '`read`: may look, explain and try out; `none`: the token is missing or wrong.',
    }),
    token_required: z.boolean().openapi({ description: 'A token is configured.' }),
  })
  .openapi('Whoami')

const whoami = createRoute({
  method: 'get',
  path: '/whoami',
  summary: 'Who is calling, and what that may do',
  description: 'Needs no token; one that is sent is judged.',
  security: [],
  responses: { 200: { description: 'So it is.', content: { 'application/json': { schema: whoamiView } } } },
})

export function addWhoamiCalls(app: AdminApp, { gate }: WhoamiDeps): void {
  app.openapi(whoami, (c) => {
    const { who, role } = c.get('caller')
    return c.json({ who, role, token_required: gate.access.token !== null }, 200)
  })
}
