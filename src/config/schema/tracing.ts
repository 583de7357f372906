// Spans of our own: which traces there are, and where their spans go.
import { z } from 'zod'
import type { TracingSpec } from '../../core/spec.ts'
import { duration, fieldNameAsWritten, parsePercent, parsing, whole } from './scalars.ts'

/** The path of OTLP over HTTP, where a URL has none of its own. */
const TRACES_PATH = '/v1/traces'

function parseEndpoint(text: string): string {
  const example = 'use one such as "http://localhost:4318"'
  if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) {
    throw new Error(`${JSON.stringify(text)} is not an http:// or https:// URL; ${example}`)
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '')
    throw new Error('has a user name in it; use "headers" for credentials')
  if (url.hash !== '') throw new Error(`${JSON.stringify(text)} has a fragment; ${example}`)
  if (url.pathname === '/' && url.search === '') url.pathname = TRACES_PATH
  return url.href
}

const endpoint = z.string().transform(parsing(parseEndpoint)).meta({ title: 'URL' })
const fieldText = z.string().regex(/^[\t\x20-\x7e]*$/, { error: 'is not a value for a header field' })
const attributeName = z.string().regex(/^[!-~]{1,255}$/, { error: 'is not the name of an attribute' })
const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([name, value]) => ({ name, value }))

const tracingObject = z.strictObject({
  create: z
    .boolean()
    .prefault(true)
    .meta({ description: 'Requests that belong to no trace begin one; false: only those that do get spans.' }),
  sample: z.string().transform(parsing(parsePercent)).prefault('100%').meta({
    title: 'percentage',
    description: 'Share of the traces begun here that are recorded; others are as their `traceparent` says.',
  }),
  endpoint: endpoint.nullable().default(null).meta({
    description: 'Where spans go by OTLP/HTTP (JSON); without a path `/v1/traces`. null = nowhere: ids only.',
  }),
  headers: z
    .record(fieldNameAsWritten, fieldText)
    .prefault({})
    .meta({ description: 'Header fields for the endpoint; their values are secrets.' }),
  gzip: z.boolean().prefault(false).meta({ description: 'What is sent to the endpoint is compressed.' }),
  timeout: duration({ minMs: 1 }).prefault('10s').meta({ description: 'How long the endpoint may take for a batch.' }),
  max_waiting: whole(1, 1_000_000)
    .prefault(10_000)
    .meta({ description: 'Spans that may wait for the endpoint; further ones are dropped and counted.' }),
  service_name: z
    .string()
    .min(1, { error: 'is empty' })
    .max(255, { error: 'has more than 255 characters' })
    .prefault('frontdesk')
    .meta({ description: '`service.name` of the spans.' }),
  attributes: z
    .record(attributeName, z.string())
    .prefault({})
    .meta({ description: 'Further resource attributes of the spans, such as `deployment.environment.name`.' }),
})

export const tracing = tracingObject.transform(
  (t): TracingSpec => ({
    create: t.create,
    sample: t.sample,
    export:
      t.endpoint === null
        ? null
        : {
            endpoint: t.endpoint,
            headers: pairs(t.headers),
            gzip: t.gzip,
            timeoutMs: t.timeout,
            maxWaiting: t.max_waiting,
          },
    resource: [{ name: 'service.name', value: t.service_name }, ...pairs(t.attributes)],
  }),
)
