// Access logs as snapshots have them, every default filled in.
import type { AccessLogSpec } from '../../src/core/spec.ts'
import { redactedByDefault } from '../../src/observe/access/redaction.ts'

export function accessLogSpec(given: Partial<AccessLogSpec> = {}): AccessLogSpec {
  return {
    format: 'json',
    template: [],
    fields: null,
    file: null,
    sample: 1,
    keepErrors: true,
    skip: [],
    redact: redactedByDefault,
    ...given,
  }
}
