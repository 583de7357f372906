// docs/reference/metrics.md, from the table of metrics.
import { metricsReference } from '../../src/control/metrics/reference.ts'
import type { Generator } from './generator.ts'

export const metrics: Generator = { file: 'docs/reference/metrics.md', render: metricsReference }
