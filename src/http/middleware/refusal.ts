// How a middleware of our own refuses a request: an answer that knows which error it is.
import type { ErrorSpec } from '../../core/errors.ts'
import type { Answer } from '../../core/plugin.ts'

/** The pipeline counts, logs and words it as that error; `headers` come on top of what such an answer has anyway. */
export interface Refusal extends Answer {
  readonly error: ErrorSpec
  /** For Proxy-Status and the access log; '' for nothing. */
  readonly details: string
}

export function refusal(error: ErrorSpec, headers: Answer['headers'] = {}, details = ''): Refusal {
  return { status: error.status, headers, body: `${error.summary}.\n`, error, details }
}

/** Answers of plug-ins have no error of ours. */
export function isRefusal(answer: Answer): answer is Refusal {
  return 'error' in answer && answer.error !== undefined
}
