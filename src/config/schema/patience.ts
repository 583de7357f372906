// How long a backend is waited for, and when another attempt is made: of a pool, and of a route that differs from it.
import { z } from 'zod'
import type { RetriesSpec, TimeoutsSpec } from '../../core/spec.ts'
import { duration, parsePercent, parsing, whole } from './scalars.ts'

export const timeoutDefaults = { connect: '5s', first_byte: '10s', idle: '60s', tunnel: '1h', total: '0s' } as const

const timeoutTexts = {
  connect: 'Until the connection to a backend stands; then the next backend is tried.',
  first_byte: 'From the end of the request to the first byte of the answer; then 504.',
  idle: 'Silence in the middle of an answer.',
  tunnel: 'Silence of both sides after an Upgrade, such as on a WebSocket.',
  total: 'The whole exchange with all its attempts.',
} as const

const timeout = (key: keyof typeof timeoutDefaults) =>
  duration().prefault(timeoutDefaults[key]).meta({ description: timeoutTexts[key] })
const ownTimeout = (key: keyof typeof timeoutDefaults) => duration().optional().meta({ description: timeoutTexts[key] })

export const timeouts = z
  .strictObject({
    connect: timeout('connect'),
    first_byte: timeout('first_byte'),
    idle: timeout('idle'),
    tunnel: timeout('tunnel'),
    total: timeout('total'),
  })
  .transform(
    (t): TimeoutsSpec => ({
      connectMs: t.connect,
      firstByteMs: t.first_byte,
      idleMs: t.idle,
      totalMs: t.total,
      tunnelMs: t.tunnel,
    }),
  )

/** Of a route: what is not given is as the pool has it. */
export const ownTimeouts = z
  .strictObject({
    connect: ownTimeout('connect'),
    first_byte: ownTimeout('first_byte'),
    idle: ownTimeout('idle'),
    tunnel: ownTimeout('tunnel'),
    total: ownTimeout('total'),
  })
  .transform(
    (t): Partial<TimeoutsSpec> => ({
      ...(t.connect !== undefined && { connectMs: t.connect }),
      ...(t.first_byte !== undefined && { firstByteMs: t.first_byte }),
      ...(t.idle !== undefined && { idleMs: t.idle }),
      ...(t.total !== undefined && { totalMs: t.total }),
      ...(t.tunnel !== undefined && { tunnelMs: t.tunnel }),
    }),
  )

const retryStatus = /^[45]\d\d$/
const retryCause = z
  .string()
  .refine((text) => text === 'connect' || text === 'reset' || retryStatus.test(text), {
    error: 'is no cause for a retry; use "connect", "reset" or a status from "400" to "599"',
  })
  .meta({ title: 'connect | reset | status', pattern: '^(connect|reset|[45]\\d\\d)$' })

/** Retries that the budget always allows, however few requests are in flight. */
const budgetMin = 3

const attempts = whole(0, 10)
const attemptsText = { description: 'Further attempts after the first; 0 = none.' }
const causes = z.array(retryCause)
const causesText = {
  description:
    '`connect`: the connection failed. `reset`: it broke before the first byte of the answer, and the request is idempotent or was not sent. A status: the backend answered with it, and the method is idempotent.',
}
const budget = z.string().transform(parsing(parsePercent))
const budgetText = {
  title: 'percentage',
  description: `Retries at once, as a share of the requests in flight; ${budgetMin} are always allowed.`,
}

const causesOf = (on: readonly string[]) => ({
  onConnect: on.includes('connect'),
  onReset: on.includes('reset'),
  onStatus: [...new Set(on.filter((cause) => retryStatus.test(cause)).map(Number))].sort((a, b) => a - b),
})

export const retries = z
  .strictObject({
    attempts: attempts.prefault(2).meta(attemptsText),
    on: causes.prefault(['connect', 'reset']).meta(causesText),
    budget: budget.prefault('20%').meta(budgetText),
  })
  .transform((r): RetriesSpec => ({ attempts: r.attempts, ...causesOf(r.on), budgetRatio: r.budget, budgetMin }))

/** Of a route: what is not given is as the pool has it. */
export const ownRetries = z
  .strictObject({
    attempts: attempts.optional().meta(attemptsText),
    on: causes.optional().meta(causesText),
    budget: budget.optional().meta(budgetText),
  })
  .transform(
    (r): Partial<RetriesSpec> => ({
      ...(r.attempts !== undefined && { attempts: r.attempts }),
      ...(r.on !== undefined && causesOf(r.on)),
      ...(r.budget !== undefined && { budgetRatio: r.budget }),
    }),
  )
