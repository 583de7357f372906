// What a route and its steps make of an answer: which fields change, and which page stands for an error.
import type { TemplateSpec } from '../../core/route-spec.ts'
import type { AnswerEdits } from '../compose-head.ts'
import { editedBlock } from '../compose-head.ts'
import type { CodableAnswer } from '../compression/compression.ts'
import { interceptedAnswer, withPage } from '../error-pages/error-pages.ts'
import type { BodyReader } from '../http1/body.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { OwnAnswer } from '../own-answer.ts'
import type { RequestRecord } from '../steps/request-record.ts'
import type { ResponseRecord } from '../steps/response-record.ts'
import { type AnswerFacts, renderTemplate } from './render-template.ts'
import type { Route } from './route.ts'

/** A route with the request that took it. */
export interface Taken {
  readonly route: Route
  /** Null where the route needs it for nothing. */
  readonly record: RequestRecord | null
}

export const ownFacts = (status: number): AnswerFacts => ({ status, backend: '', pool: '' })

/** For an answer of a backend. `plain`: what there is to do without a route. `setCookie`: whole lines, or ''. */
export function answerEdits(
  { route, record }: Taken,
  response: ResponseRecord | null,
  facts: { readonly status: number; readonly backend: { readonly url: string; readonly pool: string } },
  { plain, setCookie }: { readonly plain: AnswerEdits; readonly setCookie: string },
): AnswerEdits {
  const edits = route.responseEdits
  const changes = response === null ? null : response.changes
  const status = response === null ? 0 : response.status
  if (edits === null && changes === null && setCookie === '' && status === 0) return plain
  const { url, pool } = facts.backend
  const lines = edits === null ? '' : edits.render(record!, { status: status || facts.status, backend: url, pool })
  return { status, edits, lines, changes, setCookie, hsts: plain.hsts }
}

/** What compression goes by: the answer as the client would see it. */
export function codable(head: ResponseHead, { edits, lines, changes }: AnswerEdits, body: BodyReader): CodableAnswer {
  const isWhole = head.contentLength < 0 && body.done && body.kind !== 'none'
  return {
    status: head.status,
    forward: editedBlock(head.forward, edits, lines, changes),
    contentLength: isWhole ? body.received : head.contentLength,
  }
}

/** The fields of an answer of our own. `taken`: null where no route took the request. */
export function ownFields(taken: Taken | null, answer: OwnAnswer, response: ResponseRecord | null): string {
  const edits = taken === null ? null : taken.route.responseEdits
  const status = response === null ? answer.status : response.status
  const lines = edits === null || edits.variable === null ? '' : edits.render(taken!.record!, ownFacts(status))
  return editedBlock(answer.fields, edits, lines, response === null ? null : response.changes)
}

/** An error in the words of its route, where it has any for it. */
export function inPage({ route, record }: Taken, answer: OwnAnswer): OwnAnswer {
  const page = route.errorPages === null ? undefined : route.errorPages.find(answer.status)
  return page === undefined ? answer : withPage(answer, page, renderer(record, ownFacts(answer.status)))
}

/** The page that takes the place of a backend's answer; undefined = that is passed on. */
export function pageFor(
  { route, record }: Taken,
  head: ResponseHead,
  { backend, hsts }: { readonly backend: { readonly url: string; readonly pool: string }; readonly hsts: string },
): OwnAnswer | undefined {
  const page = route.errorPages === null ? undefined : route.errorPages.findFor(head.status)
  if (page === undefined) return undefined
  const facts = { status: head.status, backend: backend.url, pool: backend.pool }
  return interceptedAnswer(head, page, { render: renderer(record, facts), hsts })
}

function renderer(record: RequestRecord | null, facts: AnswerFacts): (template: TemplateSpec) => string {
  return (template) => renderTemplate(template, record!, facts)
}
