// Why a request was not passed to a backend although the program gave it to the handler.
import { FrontdeskError } from '../core/frontdesk-error.ts'

/**
 * `body-consumed`: something else has read the body. `unsendable`: what the program has made of the request cannot be
 * sent. `response-begun`: the answer had begun already. `busy`: a limit. `failed`: a function of the options threw.
 */
export type HandlerErrorCode =
  | 'body-consumed'
  | 'unsendable'
  | 'response-begun'
  | 'busy'
  | 'closed'
  | 'start-failed'
  | 'failed'

/** Given to `next`, as frameworks take errors: with `status`. */
export class HandlerError extends FrontdeskError {
  override readonly name = 'HandlerError'
  override readonly code: HandlerErrorCode
  /** 400, 500 or 503. */
  readonly status: number
  /** Fields that belong to an answer with that status. */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: HandlerErrorCode, status: number, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.code = code
    this.status = status
    this.headers = status === 503 ? { 'Retry-After': '1' } : {}
  }
}
