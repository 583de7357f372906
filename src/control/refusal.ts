// What stood against a change, as its caller is told: the disk, the room, or a worker that did not get ready.

import type { LoadedConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { problemsOf } from './certificates/certificate-store.ts'
import type { MaterialRead } from './certificates/material.ts'
import { ControlError, type FieldProblem, fieldProblem } from './control-error.ts'
import { StoreError } from './store/state-store.ts'

/** Errors that say themselves what is wrong stay as they are. */
export function refusalOf(error: unknown): Error {
  if (error instanceof ControlError) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof StoreError) {
    const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT'
    return new ControlError(isFull ? 'no-space' : 'failed', `${reason}. Nothing was changed`)
  }
  if (error instanceof RangeError) return new ControlError('no-space', `${reason}. Nothing was changed`)
  if (error instanceof ConfigError) return error
  return new ControlError('unavailable', `The change could not be applied (${reason}). Nothing was changed`)
}

/** Certificates that cannot be used as they are now, with their places in the file. */
export function refusedOf(read: MaterialRead | null, loaded: LoadedConfig): FieldProblem[] {
  if (read === null || read.refusals.length === 0) return []
  const located = loaded.locate(new ConfigError(problemsOf(read.refusals, null))) as ConfigError
  return located.problems.map(fieldProblem)
}
