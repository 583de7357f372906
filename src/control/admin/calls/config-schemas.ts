// What the calls of the configuration take and give, as zod.
import { z } from '@hono/zod-openapi'
import { problemView } from '../schemas.ts'

const count = z.number().int()
const revision = count.openapi({ description: 'Grows by one with every change.' })

export const documentView = z
  .record(z.string(), z.unknown())
  .openapi({ type: 'object', description: 'A configuration; /schema.json describes it.', additionalProperties: true })
  .openapi('Config')

export const originsView = z
  .object({
    revision,
    values: z.array(
      z.object({
        path: z.string().openapi({ example: 'pools.api.backends[http://10.0.0.1:3000].weight' }),
        value: z.unknown(),
        removed: z.literal(true).optional().openapi({ description: 'A change has taken it out; `value` is null.' }),
        origin: z.enum(['file', 'environment', 'command_line', 'api', 'default']),
        place: z.string().nullable().openapi({ example: 'config.json:3:15' }),
        at: z.string().nullable(),
        by: z.string().nullable().openapi({ description: 'Of what was changed while it ran.' }),
        revision: count.nullable(),
      }),
    ),
  })
  .openapi('ConfigOrigins')

const stepView = z
  .object({
    action: z.enum(['add', 'change', 'move', 'remove', 'drain']),
    kind: z.enum(['listener', 'pool', 'backend', 'route', 'plugins', 'certificate', 'workers', 'setting']),
    name: z.string(),
    pool: z.string().optional(),
    changes: z.array(
      z.object({
        path: z.string(),
        from: z.unknown().optional().openapi({ description: 'Absent: it was not there.' }),
        to: z.unknown().optional().openapi({ description: 'Absent: it is not there any more.' }),
      }),
    ),
    connections: count.openapi({ description: 'Live connections and exchanges that it touches.' }),
    note: z.string().optional(),
  })
  .openapi('PlanStep')

export const planView = z
  .object({
    steps: z.array(stepView),
    conflicts: z.array(
      z.object({
        path: z.string(),
        file: z.unknown().optional(),
        api: z.unknown().optional(),
        wins: z.enum(['file', 'api']),
        message: z.string(),
      }),
    ),
    touched_connections: count.openapi({ description: 'None, unless a backend or listener is removed.' }),
    needs_restart: z.array(z.string()),
  })
  .openapi('Plan')

export const changedView = z
  .object({
    revision,
    dry_run: z.boolean(),
    changes: z.array(z.string()).openapi({ description: 'One line each, for people; empty = nothing changes.' }),
    plan: planView,
    refused: problemView.shape.errors.optional().openapi({
      description: 'Certificates that cannot be used as they are now: the old ones stay in force.',
    }),
    warnings: z.array(z.string()).optional().openapi({ description: 'What the file has that is probably not meant.' }),
  })
  .openapi('Changed')

export const historyView = z
  .object({
    revision,
    history: z.array(
      z.object({
        revision: count,
        at: z.string(),
        by: z.string().openapi({ example: 'admin API (127.0.0.1)' }),
        cause: z.string().openapi({ example: 'PATCH /config' }),
        changes: z.array(z.string()),
      }),
    ),
  })
  .openapi('History')

export const rollbackBody = z.strictObject({ revision: count.min(1).optional() }).openapi('Rollback')

export const savedView = z.object({ file: z.string(), changes: z.array(z.string()), revision }).openapi('Saved')
