// The time of grace that a program gives, checked.
import type { CloseOptions } from './frontdesk.ts'

/** As the supervisor takes it. @throws RangeError for what is no time. */
export function graceOf({ graceMs }: CloseOptions): { readonly graceMs?: number } {
  if (graceMs === undefined) return {}
  if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
    throw new RangeError('graceMs is a number of milliseconds, 0 or more')
  }
  return { graceMs }
}
