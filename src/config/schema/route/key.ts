// Whose requests are taken together: by address, header field or cookie.
import { z } from 'zod'
import type { KeySpec } from '../../../core/route-spec.ts'
import { parsing } from '../scalars.ts'

/** "ip", "all", "header:NAME" or "cookie:NAME". Throws an `Error` with a sentence. */
export function parseKey(text: string): KeySpec {
  if (text === 'ip' || text === 'all') return { by: text }
  const match = /^(header|cookie):([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})$/.exec(text)
  if (match === null) throw new Error(`${JSON.stringify(text)} is no key; use ip, all, header:NAME or cookie:NAME`)
  const [, by, name = ''] = match
  return by === 'header' ? { by, name: name.toLowerCase() } : { by: 'cookie', name }
}

/** The other way round. */
export const formatKey = (key: KeySpec): string => ('name' in key ? `${key.by}:${key.name}` : key.by)

export const key = z.string().transform(parsing(parseKey)).meta({ title: 'ip | all | header:NAME | cookie:NAME' })
