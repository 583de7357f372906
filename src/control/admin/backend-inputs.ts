// What a program says of backends, judged by the schemas of the admin API: the same rules, the same words.

import type { z } from '@hono/zod-openapi'
import type { CheckedUpdate } from '../backend-calls.ts'
import type { AddBackend, BackendName } from '../backends.ts'
import { defaultDrainMs } from '../changes.ts'
import { ControlError } from '../control-error.ts'
import { addBody, patchBody, removeBody } from './schemas.ts'
import { inputProblems } from './validation.ts'

/** @throws ControlError invalid, the fields named; so do the others here. */
export const addInput = (input: unknown): AddBackend => checked(addBody, input)

export const updateInput = (input: unknown): CheckedUpdate => checked(patchBody, input)

export function removeInput(input: unknown): BackendName & { readonly drainMs: number } {
  const { drain = defaultDrainMs, ...at } = checked(removeBody, input)
  return { ...at, drainMs: drain }
}

function checked<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const { detail, errors } = inputProblems(result.error.issues)
  throw new ControlError('invalid', detail, errors)
}
