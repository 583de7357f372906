// The Prometheus text format (version 0.0.4), written by hand: families in order, label values escaped.

import { type MetricName, type MetricSpec, metrics } from '../../observe/metric-names.ts'

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Escapes a label value: backslash, double quote and line feed. */
export function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value
}

const escapeHelp = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')

const formatNumber = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}

/** `a="x",b="y"`: made once per backend or listener and used for all of its samples. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeLabel(values[index] ?? '')}"`).join(',')
}

/** What a histogram's samples are made of; `counts[i]` are the observations up to `bounds[i]`, cumulated. */
export interface HistogramSample {
  readonly bounds: readonly number[]
  readonly cumulative: readonly number[]
  readonly count: number
  readonly sum: number
}

/** Gathers one scrape. A family is begun once; its samples follow. */
export class TextWriter {
  #text = ''
  #name = ''

  /** Begins a family: its HELP and TYPE lines. */
  family(name: MetricName): this {
    const spec: MetricSpec = metrics[name]
    this.#name = name
    this.#text += `# HELP ${name} ${escapeHelp(spec.help)}\n# TYPE ${name} ${spec.type}\n`
    return this
  }

  /** One sample of the family begun last; `labels` comes from labelText, '' for none. */
  sample(labels: string, value: number): this {
    this.#text += `${labels === '' ? this.#name : `${this.#name}{${labels}}`} ${formatNumber(value)}\n`
    return this
  }

  histogram(labels: string, sample: HistogramSample): this {
    const prefix = labels === '' ? '' : `${labels},`
    const name = this.#name
    let text = ''
    for (let index = 0; index < sample.bounds.length; index++) {
      text += `${name}_bucket{${prefix}le="${sample.bounds[index]}"} ${sample.cumulative[index]}\n`
    }
    const suffix = labels === '' ? '' : `{${labels}}`
    text += `${name}_bucket{${prefix}le="+Inf"} ${sample.count}\n`
    this.#text += `${text}${name}_sum${suffix} ${sample.sum}\n${name}_count${suffix} ${sample.count}\n`
    return this
  }

  /** Characters written since the last take. */
  get length(): number {
    return this.#text.length
  }

  /** What was written since the last take. */
  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}
