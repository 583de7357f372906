// The access log and tracing in the long form.
import type { TracingSpec } from '../../core/spec.ts'
import { formatDuration } from '../../util/duration.ts'
import type { AccessConfig } from '../config.ts'
import { formatPercent } from '../schema/scalars.ts'

type Form = Record<string, unknown>

export function accessLogForm({ format, template, fields, file, skip, redact, ...access }: AccessConfig): Form {
  return {
    format,
    ...(template !== null && { template }),
    // Only a line of JSON has members.
    ...(format === 'json' && { fields }),
    file,
    sample: formatPercent(access.sample),
    keep_errors: access.keepErrors,
    skip,
    redact,
  }
}

const recordOf = (pairs: readonly { readonly name: string; readonly value: string }[]): Form =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, value]))

export function tracingForm({ create, sample, export: sent, resource }: TracingSpec): Form {
  const [service, ...attributes] = resource
  return {
    create,
    sample: formatPercent(sample),
    endpoint: sent?.endpoint ?? null,
    ...(sent !== null && {
      headers: recordOf(sent.headers),
      gzip: sent.gzip,
      timeout: formatDuration(sent.timeoutMs),
      max_waiting: sent.maxWaiting,
    }),
    service_name: service!.value,
    attributes: recordOf(attributes),
  }
}
