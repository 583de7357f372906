// How a pool finds out which of its backends are well.
import { z } from 'zod'
import type { HealthCheckSpec, PassiveHealthSpec } from '../../core/spec.ts'
import { parseWireText } from '../wire-text.ts'
import { duration, hostField, parsing, requestPath, whole } from './scalars.ts'

export const healthMethod = z.enum(['tcp', 'http', 'none']).meta({ title: 'tcp | http | none' })
export const healthInterval = duration({ minMs: 1 })

export const healthDefaults = { method: 'tcp', path: '/', interval: '30s' } as const
const longestDefaultTimeoutMs = 5000

function statusRange(text: string | number): { from: number; to: number } {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(text))
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match === null || to < from) {
    throw new Error(`${JSON.stringify(text)} is not a range of statuses; write it like "200-399" or "204"`)
  }
  return { from, to }
}

/** More than this is no greeting. */
const maxWireText = 1024
const wireText = z
  .string()
  .min(1, { error: 'write at least one byte' })
  .transform(parsing(parseWireText))
  .refine((bytes) => bytes.length <= maxWireText, { error: `is longer than ${maxWireText} bytes` })
  .optional()

export const healthCheck = z
  .strictObject({
    method: healthMethod.prefault(healthDefaults.method).meta({
      description:
        '`tcp` connects (and may `send` and `receive`); `http` asks for `path` and looks at the status (the default where `path`, `host` or `expect` is given); `none` switches checks off.',
    }),
    path: requestPath.prefault(healthDefaults.path).meta({ description: 'What an HTTP check asks for.' }),
    host: hostField
      .optional()
      .meta({ description: 'Host field of an HTTP check; without it the address of the backend.' }),
    expect: z
      .union([z.string().meta({ pattern: '^[1-5]\\d\\d(-[1-5]\\d\\d)?$' }), z.number().meta({ type: 'integer' })], {
        error: 'a status or a range like "200-399"',
      })
      .transform(parsing(statusRange))
      .prefault('200-399')
      .meta({ title: 'status range', description: 'Statuses that mean well.' }),
    send: wireText.meta({
      title: 'text or "hex:…"',
      description: 'What a TCP check sends once it is connected: text, or bytes as `"hex:0a0b"`.',
    }),
    receive: wireText.meta({
      title: 'text or "hex:…"',
      description: 'How the answer to a TCP check must begin; without it the connection is enough.',
    }),
    interval: healthInterval.prefault(healthDefaults.interval).meta({
      description: 'Time between two checks of a backend, with 10 % jitter; shorter while a backend is failing.',
    }),
    timeout: duration({ minMs: 1 })
      .optional()
      .meta({ description: 'How long one check may take; without it 5s, or `interval` where that is shorter.' }),
    rise: whole(1, 1000).prefault(1).meta({ description: 'Good checks in a row that bring a backend up.' }),
    fall: whole(1, 1000).prefault(2).meta({ description: 'Failed checks in a row that take a backend down.' }),
  })
  .transform((h): HealthCheckSpec | null => {
    if (h.method === 'none') return null
    return {
      method: h.method,
      path: h.path,
      host: h.host ?? null,
      expectFrom: h.expect.from,
      expectTo: h.expect.to,
      intervalMs: h.interval,
      timeoutMs: h.timeout ?? Math.min(longestDefaultTimeoutMs, h.interval),
      rise: h.rise,
      fall: h.fall,
      send: h.send ?? '',
      receive: h.receive ?? '',
    }
  })

export const passiveHealth = z
  .strictObject({
    max_fails: whole(0, 1_000_000)
      .prefault(5)
      .meta({ description: 'Failed connections within `window` that eject a backend; 0 = never.' }),
    window: duration({ minMs: 1 }).prefault('10s').meta({ description: 'Time over which failures are counted.' }),
    eject: duration({ minMs: 1 })
      .prefault('30s')
      .meta({ description: 'How long an ejected backend gets no requests.' }),
  })
  .transform((p): PassiveHealthSpec => ({ maxFails: p.max_fails, windowMs: p.window, ejectMs: p.eject }))
