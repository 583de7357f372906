// Who may use a route: CORS, passwords, and a service that is asked.
import { z } from 'zod'
import type { CorsSpec, ForwardAuthSpec } from '../../../core/route-spec.ts'
import { parsePasswordHash } from '../../../util/password-hash.ts'
import { oneOrMore } from '../lists.ts'
import { duration, fieldName, fieldNameAsWritten, filePath, parsing } from '../scalars.ts'
import { changeable } from './headers.ts'

const originPattern = /^https?:\/\/(?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$/

/** An origin as browsers send it, or with `*.` before its host. Throws an `Error` with a sentence. */
function parseOrigin(text: string): string {
  const shown = JSON.stringify(text)
  // `null` is what sandboxed pages and local files send.
  if (text === '*' || text === 'null') return text
  const origin = text.toLowerCase()
  if (/^https?:\/\/[^/]+\//.test(origin)) throw new Error(`${shown} has a path; an origin ends before it`)
  if (!originPattern.test(origin)) {
    throw new Error(`${shown} is not an origin; write "https://app.example.com", "https://*.example.com" or "*"`)
  }
  // Browsers leave out the port that goes without saying.
  return origin.replace(/^(http:.*):80$|^(https:.*):443$/, '$1$2')
}

const method = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Z]{1,32}$/, { error: 'is not a method in upper case' })
/** Lower case; clients' fields of that name are removed. */
const ownField = changeable.transform((name) => name.toLowerCase()).meta({ title: 'header name' })
const headerOrAll = z.union([z.literal('*'), fieldName])
const corsDefaults = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  headers: ['*'],
  maxAge: '10m',
} as const

const corsObject = z
  .strictObject({
    origins: oneOrMore(z.string().transform(parsing(parseOrigin)).meta({ title: 'origin' }))
      .prefault('*')
      .meta({ description: 'Whose pages may ask: origins, `"https://*.example.com"`, or `"*"`.' }),
    methods: oneOrMore(method)
      .prefault([...corsDefaults.methods])
      .meta({ description: 'Methods that they may use.' }),
    headers: oneOrMore(headerOrAll)
      .prefault([...corsDefaults.headers])
      .meta({ description: 'Request fields that they may send; `"*"`: whatever they ask for.' }),
    expose: z.array(fieldNameAsWritten).prefault([]).meta({ description: 'Fields of answers that they may read.' }),
    credentials: z
      .boolean()
      .prefault(false)
      .meta({ description: 'They may send cookies and passwords; then `origins` names them.' }),
    max_age: duration({ maxMs: 86_400_000 })
      .prefault(corsDefaults.maxAge)
      .meta({ description: 'How long browsers remember the answer to a preflight.' }),
  })
  .transform(
    (c): CorsSpec => ({
      origins: c.origins,
      methods: c.methods,
      headers: c.headers,
      expose: c.expose,
      credentials: c.credentials,
      maxAgeS: Math.floor(c.max_age / 1000),
    }),
  )

export const cors = z.union([z.boolean().transform((on) => (on ? corsObject.parse({}) : null)), corsObject], {
  error: 'true, or an object such as {"origins": ["https://app.example.com"]}',
})

export interface BasicAuthConfig {
  readonly realm: string
  readonly users: readonly { readonly name: string; readonly hash: string }[]
  /** Further users stand there; null = none. */
  readonly usersFile: string | null
  /** Those users, once the file has been read. */
  readonly fileUsers: readonly { readonly name: string; readonly hash: string }[]
  /** Lower case; '' = the backend is not told. */
  readonly userHeader: string
}

const userName = z
  .string()
  .regex(/^[^\0-\x1f\x7f:]{1,255}$/, { error: 'is not the name of a user; it has no ":" and no control characters' })

/** Throws an `Error` whose sentence does not repeat what was given. */
export function parseHash(text: string): string {
  parsePasswordHash(text)
  return text
}

export const basicAuth = z
  .strictObject({
    users: z
      .record(userName, z.string().transform(parsing(parseHash)).meta({ title: 'hash' }))
      .prefault({})
      .meta({ description: 'Hashes of passwords by user, as `frontdesk hash-password` makes them.' }),
    users_file: filePath.optional().meta({ description: 'File with a line `user:hash` for each user.' }),
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/, { error: 'is not the name of a realm; use plain text' })
      .prefault('Restricted')
      .meta({ title: 'text', description: 'What browsers show when they ask.' }),
    user_header: ownField.optional().meta({ description: 'Request field that tells the backend who it is.' }),
  })
  .transform(
    (b): BasicAuthConfig => ({
      realm: b.realm,
      users: Object.entries(b.users).map(([name, hash]) => ({ name, hash })),
      usersFile: b.users_file ?? null,
      fileUsers: [],
      userHeader: b.user_header ?? '',
    }),
  )

/** http:// or https://, without user info and fragment. Throws an `Error` with a sentence. */
function parseAuthUrl(text: string): string {
  const shown = JSON.stringify(text)
  if (!/^https?:\/\/[^/?#\s]/i.test(text) || !URL.canParse(text)) {
    throw new Error(`${shown} is not a URL; write it like "http://localhost:4000/verify"`)
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '')
    throw new Error('the URL has a user name in it, which has no place here')
  if (url.hash !== '') throw new Error(`${shown} has a fragment ("#…"); remove it`)
  return url.href
}

const authUrl = z.string().transform(parsing(parseAuthUrl)).meta({ title: 'URL' })
const forwardObject = z
  .strictObject({
    url: authUrl.meta({
      description: 'Asked before each request; a 2xx answer lets it through, any other goes to the client.',
    }),
    timeout: duration({ minMs: 1 }).prefault('5s').meta({ description: 'How long it may take; then 503.' }),
    request_headers: oneOrMore(fieldName)
      .optional()
      .meta({ description: 'Request fields that it gets; without it all end-to-end ones.' }),
    copy_headers: oneOrMore(ownField).optional().meta({
      description: "Fields of its answer that the backend gets; clients' own ones are always removed.",
    }),
  })
  .transform(
    (f): ForwardAuthSpec => ({
      url: f.url,
      timeoutMs: f.timeout,
      requestHeaders: f.request_headers ?? [],
      copyHeaders: f.copy_headers ?? [],
    }),
  )

export const forwardAuth = z.union(
  [
    authUrl.transform((url): ForwardAuthSpec => ({ url, timeoutMs: 5000, requestHeaders: [], copyHeaders: [] })),
    forwardObject,
  ],
  { error: 'a URL, or an object with "url"' },
)
