// Events and the access log.
import { z } from 'zod'
import type { AccessLogSpec } from '../../core/spec.ts'
import { redactedByDefault } from '../../observe/access/redaction.ts'
import { parsePathPattern } from '../path-list.ts'
import { fieldName, filePath, parsePercent, parsing } from './scalars.ts'

/** As AccessLogSpec, the template as it is written. */
export interface AccessConfig extends Omit<AccessLogSpec, 'template' | 'redact'> {
  /** Null unless `format` is `template`. */
  readonly template: string | null
  /** As written: beside the defaults, or in their place. */
  readonly redact: AccessLogSpec['redact'] & { readonly defaults: boolean }
}

const parameterName = z
  .string()
  .regex(/^[!-~]{1,128}$/, { error: 'is not the name of a query parameter' })
  .meta({ title: 'name' })

const redact = z.strictObject({
  query: z
    .array(parameterName)
    .prefault([])
    .meta({ description: 'Query parameters whose values are hidden, in targets and in `Referer`.' }),
  headers: z.array(fieldName).prefault([]).meta({ description: 'Header fields whose values are hidden.' }),
  defaults: z.boolean().prefault(true).meta({
    description: 'Those that are hidden anyway (the page on observability lists them) stay hidden.',
  }),
})

const oneLine = z
  .string()
  .min(1, { error: 'is empty; write a line such as "{client.ip} {request.method} {request.uri} {status}"' })
  .regex(/^[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*$/, { error: 'has control characters; a line is one line' })
  .meta({ title: 'line with variables' })

const accessObject = z.strictObject({
  format: z.enum(['json', 'combined', 'template']).optional().meta({
    title: 'json | combined | template',
    description: 'Form of a line; without it `template` where there is one, else `json`.',
  }),
  template: oneLine.optional().meta({ description: 'The line itself: `{client.ip} {request.uri} {status}`.' }),
  fields: z
    .array(z.string())
    .nullable()
    .default(null)
    .meta({ description: 'JSON: names of its members, besides `time`; null = all.' }),
  file: filePath
    .nullable()
    .default(null)
    .meta({ description: 'Where lines go, relative to the configuration file; null = standard output.' }),
  sample: z
    .string()
    .transform(parsing(parsePercent))
    .prefault('100%')
    .meta({ title: 'percentage', description: 'Share of the requests that have a line.' }),
  keep_errors: z.boolean().prefault(true).meta({
    description:
      'Whatever failed (a status from 500 on, or an `error`) has its line, whatever `sample` and `skip` say.',
  }),
  skip: z
    .array(z.string().transform(parsing(parsePathPattern)).meta({ title: 'path' }))
    .prefault([])
    .meta({ description: 'Paths without a line, as clients send them: `/healthz`, or `/assets/*`.' }),
  redact: redact.prefault({}).meta({ description: 'What no line shows; `***` stands there instead.' }),
})
type Raw = z.output<typeof accessObject>

const access = accessObject.superRefine(oneForm).transform(
  (a): AccessConfig => ({
    format: a.format ?? (a.template === undefined ? 'json' : 'template'),
    template: a.template ?? null,
    fields: a.fields,
    file: a.file,
    sample: a.sample,
    keepErrors: a.keep_errors,
    skip: a.skip,
    redact: a.redact,
  }),
)

function oneForm({ format, template, fields }: Raw, context: z.core.$RefinementCtx): void {
  const report = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
  if (format === 'template' && template === undefined) report('template', 'is missing: it is the line')
  if (template !== undefined && format !== undefined && format !== 'template') {
    report('template', `cannot stand beside the format ${format}; keep one of the two`)
  }
  const isJson = format === 'json' || (format === undefined && template === undefined)
  if (fields !== null && !isJson) report('fields', 'are those of the format json')
}

/** Everything that is hidden: what is written, and the defaults unless they are not wanted. */
export function redactionOf({ redact: { query, headers, defaults } }: AccessConfig): AccessLogSpec['redact'] {
  if (!defaults) return { query, headers }
  return { query: [...redactedByDefault.query, ...query], headers: [...redactedByDefault.headers, ...headers] }
}

export const logging = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .prefault('info')
    .meta({ title: 'debug | info | warn | error', description: 'The least level that is written.' }),
  format: z
    .enum(['auto', 'text', 'json'])
    .prefault('auto')
    .meta({ title: 'auto | text | json', description: '`auto`: text on a terminal, JSON elsewhere.' }),
  access: access.nullable().default(null).meta({ description: 'Access log; null = off.' }),
})
