// Which values are secrets, and a printable copy without them.
import { isSecretField, isSecretName, redactedText } from '../util/secret-names.ts'
import type { Path } from './source-tree.ts'

export { redactedText }

/** Objects with a value for each header field: those that are changed, and those that a route asks for. */
const fieldObjects: ReadonlySet<string> = new Set(['set', 'add', 'header'])
/** Objects whose values are all secret. */
const secretObjects: readonly Path[] = [
  ['basic_auth', 'users'],
  ['tracing', 'headers'],
]

/** Whether the value at this path must never be printed, in files and in the long form alike. */
export function isSecret(path: Path): boolean {
  const key = path.at(-1)
  if (typeof key !== 'string') return path.length > 0 && isSecret(path.slice(0, -1))
  return (
    isSecretName(key) ||
    (fieldObjects.has(String(path.at(-2))) && isSecretField(key)) ||
    secretObjects.some((object) => endsWith(path.slice(0, -1), object))
  )
}

const endsWith = (path: Path, end: Path): boolean => end.every((step, i) => path.at(i - end.length) === step)

/** A deep copy with every secret that is set replaced by `***`; `path`: where the value stands. */
export function redact<T>(value: T, path: Path = []): T {
  if (typeof value === 'string') return (value !== '' && isSecret(path) ? redactedText : value) as T
  if (Array.isArray(value)) return value.map((item, i) => redact(item, [...path, i])) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, [...path, key])])) as T
}
