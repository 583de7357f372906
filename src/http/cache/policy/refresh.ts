// What a 304, and the answer to a HEAD, change of what is stored (RFC 9111 §3.2, §4.3.4, §4.3.5).
import { fieldValue } from '../../../util/field-block.ts'
import { fieldNames } from '../../hygiene/field-values.ts'
import { equalWeakly } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'
import { isNeverKept, withoutFields } from './kept-fields.ts'

/**
 * Fields that a 304 does not change: they say how the stored body is to be read. Set-Cookie is for the client that asked, and
 * for nobody else.
 */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-digest',
  'content-range',
  'repr-digest',
  'set-cookie',
])

/**
 * The stored head with the fields of the 304 in the place of its own (§3.2), lines with CRLF each. Age of the 304 stays in it,
 * if there is one: it is for `readAnswer` and `judge`, which are to be asked about the result (with the stored status), and
 * which give the head that is kept. A verdict whose `vary` is not what the entry was selected by means that it is to be dropped.
 */
export function refreshedHead(stored: string, from304: string): string {
  const tag = fieldValue(stored, 'etag')
  const newTag = fieldValue(from304, 'etag')
  // A tag that differs in its weakness alone: the stored one tells how good the stored body is.
  const keepsTag = tag !== '' && equalWeakly(tag, newTag)
  const changes = withoutFields(
    from304,
    (name) => OF_THE_BODY.has(name) || (name !== 'age' && isNeverKept(name)) || (keepsTag && name === 'etag'),
  )
  // A 304 without Date is as old as it is here: the time of the stored answer would make it old from the first moment.
  const replaced = new Set([...fieldNames(changes), 'date'])
  return withoutFields(stored, (name) => replaced.has(name)) + changes
}

/** The answer to a HEAD that was passed on. */
export interface HeadAnswer {
  readonly status: number
  /** End-to-end fields, a line each. */
  readonly forward: string
  /** -1 = not said. */
  readonly contentLength: number
}

/**
 * What the answer to a HEAD means for a stored answer to GET that would have been chosen for it (§4.3.5). `update`: as a 304
 * does; `invalidate`: it is stale.
 */
export function headUpdates(
  entry: { readonly head: string; readonly status: number; readonly bodyLength: number },
  answer: HeadAnswer,
): 'update' | 'invalidate' | 'nothing' {
  if (answer.status !== 200 || entry.status !== 200) return 'nothing'
  const etag = fieldValue(answer.forward, 'etag')
  if (etag !== '' && etag !== fieldValue(entry.head, 'etag')) return 'invalidate'
  const lastModified = fieldValue(answer.forward, 'last-modified')
  if (lastModified !== '' && !isSameTime(lastModified, fieldValue(entry.head, 'last-modified'))) return 'invalidate'
  return answer.contentLength < 0 || answer.contentLength === entry.bodyLength ? 'update' : 'invalidate'
}

function isSameTime(a: string, b: string): boolean {
  return a === b || parseHttpDate(a) === parseHttpDate(b)
}
