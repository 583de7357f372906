// An error of an exchange as its client gets it: in the form it asks for, told of the inside or not, or as its route words it.
import type { ErrorSpec } from '../../core/errors.ts'
import { listValue } from '../../observe/tracing/trace-context.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { Site } from '../context.ts'
import { errorAnswer } from '../error-response.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { isInsideClient } from '../hygiene/inside-client.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { inPage, type Taken } from '../route/answer-edits.ts'
import { preferredForm } from './accept.ts'
import type { InsideFacts } from './body.ts'

/** What an error answer depends on besides its error. */
export interface ErrorContext extends Pick<InsideFacts, 'pool' | 'failures'> {
  readonly plane: PlaneContext
  readonly site: Site
  /** Address of the connection. */
  readonly peer: string
  readonly head: RequestHead
  readonly requestId: string
  /** Null where no route took the request. */
  readonly taken: Taken | null
}

/** `code`: what the system, TLS or a limit said; '' for nothing. `fields`: further ones. */
export function tellError(error: ErrorSpec, code: string, fields: string, context: ErrorContext): OwnAnswer {
  const { taken, requestId } = context
  const { block } = context.head.fields
  const hasPage = taken !== null && taken.route.errorPages?.find(error.status) !== undefined
  const form = hasPage ? 'text' : preferredForm(listValue(block, 'accept'))
  const said = errorAnswer(error, { requestId, form, details: code, inside: insideFacts(code, context) })
  const answer = fields === '' ? said : { ...said, fields: said.fields + fields }
  return hasPage ? inPage(taken, answer) : answer
}

function insideFacts(
  code: string,
  { plane, site, peer, head, taken, pool, failures }: ErrorContext,
): InsideFacts | null {
  if (!plane.tellsInside || !isInsideClient(peer, head.fields.block, site.isTrusted)) return null
  return { listener: site.listener.name, route: taken === null ? '' : taken.route.name, pool, code, failures }
}
