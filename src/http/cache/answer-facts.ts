// What the head of a backend's answer says to caches; kept with the head, which backends repeat.
import type { CacheSpec } from '../../core/cache-spec.ts'
import { ResponseHead } from '../http1/response-head.ts'
import { withoutReserved } from '../hygiene/reserved-fields.ts'
import { type AnswerDirectives, readAnswer } from './policy/answer.ts'

export class AnswerFacts {
  readonly directives: AnswerDirectives
  /** The head as clients see it: without what is meant for caches alone. */
  readonly shown: ResponseHead
  readonly #spec: CacheSpec

  constructor(head: ResponseHead, spec: CacheSpec, hidden: ReadonlySet<string>) {
    this.directives = readAnswer(head.forward, head.status, spec.targetFields, spec.tagFields)
    this.shown = shownOf(head, hidden)
    this.#spec = spec
  }

  isFor(spec: CacheSpec): boolean {
    return this.#spec === spec
  }
}

/** `hidden`: folded names. */
export function answerFactsOf(head: ResponseHead, spec: CacheSpec, hidden: ReadonlySet<string>): AnswerFacts {
  const known = head.cacheFacts
  if (known?.isFor(spec) === true) return known
  const facts = new AnswerFacts(head, spec, hidden)
  head.cacheFacts = facts
  return facts
}

function shownOf(head: ResponseHead, hidden: ReadonlySet<string>): ResponseHead {
  const forward = withoutReserved(head.forward, hidden)
  if (forward === head.forward) return head
  const composed = head.composed.map(() => null)
  return Object.assign(new ResponseHead(), head, { forward, composed, cacheFacts: null })
}
