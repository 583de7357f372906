// The Authorization field of the Basic scheme, read strictly. RFC 7617.
import { isUtf8 } from 'node:buffer'
import { passwordForm } from '../../../util/password-hash.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** Scheme in any case, and base64 as RFC 4648 has it: groups of four, padded. */
const BASIC = /^basic +((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i
/** Neither may have control characters (§2). */
const CONTROLS = /[\0-\x1f\x7f-\x9f]/

/** Null = it is of another scheme, malformed, or no UTF-8. */
export function readCredentials(field: string): Credentials | null {
  const bytes = Buffer.from(BASIC.exec(field)?.[1] ?? '', 'base64')
  if (bytes.length === 0 || !isUtf8(bytes)) return null
  const text = passwordForm(bytes.toString('utf8'))
  const colon = text.indexOf(':')
  if (colon === -1 || CONTROLS.test(text)) return null
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
