// Two forms of one thing, as the long form writes it: which of its values differ. Secrets are not shown.

import type { Json } from '../../config/document/types.ts'
import { redact } from '../../config/redact.ts'
import { formatPath } from '../../config/source-tree.ts'
import type { PlannedChange } from './plan-types.ts'

type Form = Readonly<Record<string, unknown>>

export interface FormChangesOptions {
  /** Where the thing stands in a configuration, so that secrets are known. */
  readonly at?: readonly string[]
  /** Keys of the outermost level that are told elsewhere. */
  readonly skip?: readonly string[]
}

/** Both forms come from one writer: keys have one order. */
export const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

const isForm = (value: unknown): value is Form => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects are compared key by key, lists as one value. */
export function formChanges(
  before: Form,
  after: Form,
  { at = [], skip = [] }: FormChangesOptions = {},
): PlannedChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !skip.includes(key))
  return keys.flatMap((key) => between(before[key], after[key], { at, path: [key] }))
}

function between(
  from: unknown,
  to: unknown,
  place: { readonly at: readonly string[]; readonly path: readonly string[] },
): PlannedChange[] {
  if (same(from, to)) return []
  const { at, path } = place
  if (isForm(from) && isForm(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
    return keys.flatMap((key) => between(from[key], to[key], { at, path: [...path, key] }))
  }
  const shown = (value: unknown): Json => redact(value, [...at, ...path]) as Json
  return [
    {
      path: formatPath(path),
      ...(from !== undefined && { from: shown(from) }),
      ...(to !== undefined && { to: shown(to) }),
    },
  ]
}
