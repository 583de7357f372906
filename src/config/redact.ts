// Which values are secrets, and a printable copy without them.
import type { Path } from './source-tree.ts'

const secretKeys = new Set(['token', 'secret'])

/** Whether the value at this path must never be printed, in files and in the long form alike. */
export function isSecret(path: Path): boolean {
  const key = path.at(-1)
  return typeof key === 'string' && secretKeys.has(key)
}

/** What stands in the place of a secret. */
export const redactedText = '***'

/** A deep copy with every secret that is set replaced by `***`. */
export function redact<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => redact(item)) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    secretKeys.has(key) && typeof item === 'string' && item !== '' ? redactedText : redact(item),
  ])
  return Object.fromEntries(entries) as T
}
