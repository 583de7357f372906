// What is done with answers: compression, and pages in place of errors.
import { z } from 'zod'
import type { CompressionSpec, ErrorPageSpec } from '../../../core/route-spec.ts'
import { oneOrMore } from '../lists.ts'
import { byteSize, parsing } from '../scalars.ts'
import { type BodyConfig, body, bodyKeys, contentTypeOf, oneBody } from './body.ts'

const algorithms = ['zstd', 'br', 'gzip'] as const
const compressibleTypes = [
  ...['text/*', 'application/json', 'application/*+json', 'application/javascript', 'application/xml'],
  ...['application/*+xml', 'application/wasm', 'application/manifest+json', 'image/svg+xml', 'font/ttf', 'font/otf'],
]

const mediaType = z
  .string()
  .regex(/^[a-z0-9!#$&^_.-]+\/(?:\*|\*\+[a-z0-9!#$&^_.-]+|[a-z0-9!#$&^_.+-]+)$/i, {
    error: 'is not a media type; write it like "text/*" or "application/json"',
  })
  .transform((text) => text.toLowerCase())
  .meta({ title: 'media type' })

const compressionObject = z
  .strictObject({
    algorithms: z
      .array(z.enum(algorithms).meta({ title: algorithms.join(' | ') }))
      .min(1, { error: 'is empty' })
      .refine((list) => new Set(list).size === list.length, { error: 'names one twice' })
      .prefault([...algorithms])
      .meta({ description: 'The preferred one first.' }),
    types: oneOrMore(mediaType).prefault(compressibleTypes).meta({ description: 'Media types that are compressed.' }),
    min_size: byteSize(0, 2 ** 30, '0 to 1GB')
      .prefault('1KB')
      .meta({ description: 'Smaller answers of known length stay as they are.' }),
  })
  .transform((c): CompressionSpec => ({ algorithms: c.algorithms, types: c.types, minSize: c.min_size }))

export const compression = z.union(
  [z.boolean().transform((on) => (on ? compressionObject.parse({}) : null)), compressionObject],
  { error: 'true, or an object such as {"algorithms": ["br", "gzip"]}' },
)

export interface StatusRange {
  readonly from: number
  readonly to: number
}

export interface ErrorPageConfig extends Pick<ErrorPageSpec, 'intercept' | 'contentType'> {
  readonly statuses: readonly StatusRange[]
  readonly body: BodyConfig
}

/** "404" or "500-599". Throws an `Error` with a sentence. */
function parseStatuses(text: string | number): StatusRange {
  const match = /^([45]\d\d)(?:-([45]\d\d))?$/.exec(String(text))
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match !== null && to >= from) return { from, to }
  throw new Error(`${JSON.stringify(text)} is no error; use statuses from 400 to 599, like "404" or "500-599"`)
}

const statuses = z
  .union([z.string(), z.number()], { error: 'a status or a range like "500-599"' })
  .transform(parsing(parseStatuses))
  .meta({ title: 'status range' })

const errorPage = z
  .strictObject({
    status: oneOrMore(statuses).meta({ description: 'Statuses that it is for: `404`, `"500-599"`, or a list.' }),
    ...bodyKeys,
    intercept: z
      .boolean()
      .prefault(false)
      .meta({ description: 'Also in place of what backends answer with these statuses.' }),
  })
  .superRefine((page, context) => {
    if (page.body !== undefined || page.file !== undefined) return oneBody(page, context)
    context.addIssue({ code: 'custom', path: ['body'], message: 'write what is sent, or name a file' })
  })
  .transform(
    (p): ErrorPageConfig => ({
      statuses: p.status,
      intercept: p.intercept,
      contentType: contentTypeOf(p, 'text/html; charset=utf-8'),
      body: body(p),
    }),
  )

export const errorPages = z.array(errorPage).max(64, { error: 'has more than 64 pages' })
