// Secrets in documents: left out where a document is shown, and put back where it comes back.
import { poolPlaces } from '../expand.ts'
import { isSecret, redact, redactedText } from '../redact.ts'
import { formatPath } from '../source-tree.ts'
import { identityOf, isObject, isUnnamed, shapeOf } from './places.ts'
import type { DocumentPath, Json } from './types.ts'

export interface SecretProblem {
  /** As problems have it. */
  readonly path: string
  readonly message: string
}

/** A copy with every secret that is set as `***`. */
export const redactDocument = (document: Json): Json => redact(document)

/**
 * The wanted document, in any form, with each secret that stands there as `***` as it is in the running one, which is in
 * normal form. A problem where there is none.
 */
export function withSecrets(wanted: Json, running: Json): { document: Json; problems: SecretProblem[] } {
  const problems: SecretProblem[] = []
  const document = restored({ wanted, running, steps: [], path: [] }, problems)
  return { document, problems }
}

/** Where a document, in any form, has a secret that is not `***`: whoever writes it can tell whether it is the one in use. */
export function writtenSecrets(document: Json, steps: readonly (string | number)[] = []): string[] {
  if (typeof document === 'string') {
    return document !== '' && document !== redactedText && isSecret(steps) ? [formatPath(steps)] : []
  }
  if (typeof document !== 'object' || document === null) return []
  const entries: [string | number, Json][] = Array.isArray(document)
    ? document.map((item, i) => [i, item])
    : Object.entries(document)
  return entries.flatMap(([key, value]) => writtenSecrets(value, [...steps, key]))
}

interface Place {
  readonly wanted: Json
  readonly running: Json | undefined
  /** In the wanted document. */
  readonly steps: readonly (string | number)[]
  /** In the running one. */
  readonly path: DocumentPath
}

function restored(place: Place, problems: SecretProblem[]): Json {
  const { wanted, running, steps, path } = place
  if (typeof wanted === 'string') return wanted === redactedText && isSecret(steps) ? secretOf(place, problems) : wanted
  if (Array.isArray(wanted)) {
    return wanted.map((item, i) => {
      // Looking for its like among thousands takes long.
      if (!isRedacted(item)) return item
      const there = itemAt(running, path, item, i)
      return restored({ wanted: item, running: there, steps: [...steps, i], path: [...path, String(i)] }, problems)
    })
  }
  if (!isObject(wanted)) return wanted
  const result: Record<string, Json> = {}
  for (const [key, value] of Object.entries(wanted)) {
    const flat = steps.length === 0 && Object.hasOwn(poolPlaces, key)
    const place = flat ? ['pools', 'default', ...poolPlaces[key as keyof typeof poolPlaces]] : [key]
    const inner = restored(
      { wanted: value, running: at(running, place), steps: [...steps, key], path: [...path, ...place] },
      problems,
    )
    Object.defineProperty(result, key, { value: inner, enumerable: true, configurable: true, writable: true })
  }
  return result
}

const isRedacted = (value: Json): boolean =>
  typeof value === 'object' && value !== null ? Object.values(value).some(isRedacted) : value === redactedText

function secretOf({ running, steps }: Place, problems: SecretProblem[]): Json {
  if (typeof running === 'string' && running !== redactedText) return running
  const message = `stands for a secret that is to stay as it is, but there is none; write the ${String(steps.at(-1))} itself`
  problems.push({ path: formatPath(steps), message })
  return redactedText
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  let found = value
  for (const step of path) found = isObject(found) && Object.hasOwn(found, step) ? found[step] : undefined
  return found
}

/** By what it is known by: a route without a name by all that it says, so that no other gets its secrets. */
function itemAt(list: Json | undefined, path: DocumentPath, item: Json, index: number): Json | undefined {
  // One value is as good as a list of one.
  if (!Array.isArray(list)) return index === 0 ? list : undefined
  const identity = shapeOf(path) === 'list' ? identityOf(path, item) : null
  if (identity === null) return list[index]
  if (!isUnnamed(identity)) return list.find((one) => identityOf(path, one) === identity)
  if (!identity.includes(redactedText)) return undefined
  return list.find((one) => identityOf(path, redact(one, [...path, index])) === identity)
}
