// Words that the descriptions of calls share: what they give, what they refuse.
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { AdminEnv } from '../guard.ts'
import { problemType } from '../problem.ts'
import { problemView } from '../schemas.ts'
import type { StreamCaller } from '../streams.ts'

const json = <S extends z.ZodType>(schema: S) => ({ 'application/json': { schema } })

export const gives = <S extends z.ZodType>(description: string, schema: S) => ({ description, content: json(schema) })

export const takes = <S extends z.ZodType>(schema: S) => ({ body: { content: json(schema), required: true } })

export const fails = (description: string) => ({
  description,
  content: { [problemType]: { schema: problemView } },
})

/** For `Streams`. */
export const streamCaller = (c: Context<AdminEnv>): StreamCaller => ({
  method: c.req.method,
  role: c.get('caller')?.role ?? 'none',
})

/** A stream of Server-Sent Events. */
export const streams = (description: string) => ({
  description,
  content: { 'text/event-stream': { schema: z.string() } },
})

export const latencyView = z.object({ p50: z.number().nullable(), p99: z.number().nullable() })
