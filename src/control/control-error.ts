// What can be wrong with a change somebody asked for: data, so that the admin API and the command line word it alike.
import type { Problem } from '../config/problem.ts'
import { FrontdeskError } from '../core/frontdesk-error.ts'

/** One thing that is wrong; `path` names the field (`weight`, `url`), '' the whole. */
export interface FieldProblem {
  readonly path: string
  readonly message: string
  /** The configuration file, with line and column from 1; only where it has a place there. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** What to do about it, or null where the message says it. */
  readonly hint?: string | null
}

/** A problem of a configuration, as the admin API and `frontdesk check --json` tell it. */
export function fieldProblem({ path, message, hint, file, line, column }: Problem): FieldProblem {
  return { path, message, hint, file, ...(line > 0 && { line, column }) }
}

export type ControlErrorKind =
  /** The request makes no sense as it is. */
  | 'invalid'
  | 'not-found'
  | 'duplicate'
  /** Somebody else wanted the contrary meanwhile. */
  | 'conflict'
  /** No room: the disk is full, or no slot is left. */
  | 'no-space'
  /** It could not be written; nothing has changed. */
  | 'failed'
  /** A worker could not make it ready, or an address cannot be had. */
  | 'unavailable'
  /** It was made for another revision than the one in force. */
  | 'stale'
  /** A running process cannot follow it. */
  | 'needs-restart'
  /** It did not come up in the time that was given. */
  | 'timeout'

/** A change that is refused; its `code` is its kind. Nothing has changed. */
export class ControlError extends FrontdeskError {
  override readonly name = 'ControlError'
  readonly kind: ControlErrorKind
  readonly errors: readonly FieldProblem[]

  constructor(kind: ControlErrorKind, message: string, errors: readonly FieldProblem[] = []) {
    super(kind, message)
    this.kind = kind
    this.errors = errors
  }
}
