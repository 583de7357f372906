// Which values are secrets, and a printable copy without them.
import type { Path } from './source-tree.ts'

/** Lower case, without `_` and `-`. Our own, and what plug-ins call theirs in their options. */
const secretKeys = new Set([
  ...['token', 'readtoken', 'secret', 'accesstoken', 'apikey', 'authtoken', 'clientsecret'],
  ...['passphrase', 'passwd', 'password', 'privatekey', 'refreshtoken', 'secretkey'],
])
/** Header fields whose values are passwords or stand for them; lower case. */
const secretFields = new Set(['authorization', 'cookie', 'x-api-key', 'x-auth-token', 'x-csrf-token'])
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
    secretKeys.has(key.toLowerCase().replace(/[_-]/g, '')) ||
    isSecretField(path) ||
    secretObjects.some((object) => endsWith(path.slice(0, -1), object))
  )
}

/** Where header fields are set or added. */
const isSecretField = (path: Path): boolean =>
  secretFields.has(String(path.at(-1)).toLowerCase()) && (path.at(-2) === 'set' || path.at(-2) === 'add')

const endsWith = (path: Path, end: Path): boolean => end.every((step, i) => path.at(i - end.length) === step)

/** What stands in the place of a secret. */
export const redactedText = '***'

/** A deep copy with every secret that is set replaced by `***`; `path`: where the value stands. */
export function redact<T>(value: T, path: Path = []): T {
  if (typeof value === 'string') return (value !== '' && isSecret(path) ? redactedText : value) as T
  if (Array.isArray(value)) return value.map((item, i) => redact(item, [...path, i])) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, [...path, key])])) as T
}
