// The error pages of a route: which of them stands for a status, and the answer that has it for its body.
import type { ErrorPageSpec } from '../../core/route-spec.ts'
import { withoutReserved } from '../hygiene/reserved-fields.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { type Render, renderBody } from './render-body.ts'

export class ErrorPages {
  readonly #pages: readonly ErrorPageSpec[]
  readonly #intercepting: readonly ErrorPageSpec[]

  constructor(pages: readonly ErrorPageSpec[]) {
    this.#pages = pages
    this.#intercepting = pages.filter(({ intercept }) => intercept)
  }

  /** The first that stands for an error of the proxy's own; undefined = it is told in our words. */
  find(status: number): ErrorPageSpec | undefined {
    return this.#pages.find(({ from, to }) => status >= from && status <= to)
  }

  /** The first that takes the place of a backend's answer; undefined = that is passed on. */
  findFor(backendStatus: number): ErrorPageSpec | undefined {
    return this.#intercepting.find(({ from, to }) => backendStatus >= from && backendStatus <= to)
  }
}

/** Folded names of what describes the body that is replaced (RFC 9110 §8); freshness, cookies and challenges stay. */
const OF_BODY: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'digest',
  'etag',
  'last-modified',
  'repr-digest',
])

/** Besides those of its body, what every answer of ours has by itself. */
const OF_BACKEND: ReadonlySet<string> = new Set([...OF_BODY, 'date', 'x-request-id'])
const WITHOUT_HSTS: ReadonlySet<string> = new Set([...OF_BACKEND, 'strict-transport-security'])

/** The same error with the page for its body. */
export function withPage({ status, fields }: OwnAnswer, page: ErrorPageSpec, render: Render): OwnAnswer {
  return answerOf(status, withoutReserved(fields, OF_BODY), page, render)
}

/**
 * What the client gets instead of a backend's answer: its status and end-to-end fields, and the page. `hsts`: the line
 * that takes the place of the backend's own, or ''.
 */
export function interceptedAnswer(
  { status, forward }: { readonly status: number; readonly forward: string },
  page: ErrorPageSpec,
  { render, hsts }: { readonly render: Render; readonly hsts: string },
): OwnAnswer {
  return answerOf(status, withoutReserved(forward, hsts === '' ? OF_BACKEND : WITHOUT_HSTS), page, render)
}

function answerOf(status: number, fields: string, page: ErrorPageSpec, render: Render): OwnAnswer {
  const { contentType, body } = page
  const type = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`
  return { status, fields: fields + type, body: renderBody(body, contentType, render) }
}
