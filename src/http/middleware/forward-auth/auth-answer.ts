// From what the authentication server answered to what the client gets, where that is not "go on".
import type { Answer } from '../../../core/plugin.ts'
import { framesOrRoutes } from '../../hygiene/field-changes.ts'
import { foldedName } from '../../hygiene/reserved-fields.ts'
import type { AuthReply } from './auth-client.ts'

/** Of the hop to that server, or of what it runs on; every answer of ours has its own. Folded. */
const NOT_PASSED_ON = new Set([
  'alt-svc',
  'date',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'proxy-status',
  'server',
  'via',
  'x-powered-by',
  'x-request-id',
])

/** What describes a body that is not there. Folded. */
const OF_BODY = new Set(['content-encoding', 'content-language', 'content-type', 'digest', 'etag', 'last-modified'])

export function answerFrom({ status, fields, body }: AuthReply): Answer {
  const listed = new Set(
    valuesOf(fields, 'connection')
      .flatMap((value) => value.split(','))
      .map(folded),
  )
  const headers = new Map<string, string[]>()
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at]!, fields[at + 1]!]
    const plain = folded(name)
    if (framesOrRoutes(name) || NOT_PASSED_ON.has(plain) || listed.has(plain)) continue
    if (body === null && OF_BODY.has(plain)) continue
    const values = headers.get(plain)
    if (values === undefined) headers.set(plain, [value])
    else values.push(value)
  }
  // Some of these statuses may be cached without a word (RFC 9110 §15.1), and the next client is another one.
  if (!headers.has('cache-control')) headers.set('cache-control', ['no-store'])
  return { status, headers: Object.fromEntries(headers), body: body ?? '' }
}

/** Every value of that name (lower case), in order. */
export function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at]!.toLowerCase() === name) values.push(fields[at + 1]!)
  }
  return values
}

const folded = (name: string): string => foldedName(name.trim())
