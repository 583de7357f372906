// How a middleware of our own refuses a request: an answer that knows which error it is.
import type { ErrorSpec } from '../../core/errors.ts'
import type { Answer } from '../../core/plugin.ts'

/** The pipeline counts, logs and words it as that error; `headers` come on top of what such an answer has anyway. */
class Refusal implements Answer {
  readonly status: number
  readonly headers: NonNullable<Answer['headers']>
  readonly body: string
  readonly error: ErrorSpec
  /** For Proxy-Status and the access log; '' for nothing. */
  readonly details: string

  constructor(error: ErrorSpec, headers: NonNullable<Answer['headers']>, details: string) {
    this.status = error.status
    this.headers = headers
    this.body = `${error.summary}.\n`
    this.error = error
    this.details = details
  }
}

export type { Refusal }

export function refusal(error: ErrorSpec, headers: NonNullable<Answer['headers']> = {}, details = ''): Refusal {
  return new Refusal(error, headers, details)
}

/** Answers of plug-ins are none, whatever members they have. */
export function isRefusal(answer: Answer): answer is Refusal {
  return answer instanceof Refusal
}
