// Assertions about what the proxy did with a request: they throw AssertionError, which every test runner knows.
import { AssertionError } from 'node:assert'
import { type Exchange, explain } from './exchange.ts'
import type { TestAnswer } from './test-answer.ts'

/** A backend, by itself or by its URL in normal form. */
export type BackendLike = string | { readonly url: string; readonly name?: string }

/** An answer, or the exchange that it came of. */
export type Answered = TestAnswer | Exchange

/**
 * The backend that answered must be this one, or one of these. Fails, saying what the proxy did, also where another was
 * asked, or none.
 */
export function expectBackend(answer: Answered, ...backends: readonly [BackendLike, ...BackendLike[]]): void {
  const exchange = exchangeOf(answer, expectBackend)
  const urls = backends.map(urlOf)
  if (exchange.error === '' && urls.includes(exchange.backend)) return
  fail(`${backends.map(nameOf).join(' or ')} should have answered; ${told(exchange, backends)}`, {
    actual: exchange.error === '' ? exchange.backend : exchange.error,
    expected: urls.length === 1 ? urls[0] : urls,
    at: expectBackend,
  })
}

/** These backends must have been asked, in this order; the last of them answered, or the exchange failed there. */
export function expectAttempts(answer: Answered, backends: readonly BackendLike[]): void {
  const exchange = exchangeOf(answer, expectAttempts)
  const expected = backends.map(urlOf)
  const actual = attemptsOf(exchange)
  if (actual.length === expected.length && actual.every((url, i) => url === expected[i])) return
  const names = backends.length === 0 ? 'no backend' : backends.map(nameOf).join(', then ')
  fail(`${names} should have been asked; ${told(exchange, backends)}`, { actual, expected, at: expectAttempts })
}

/** No backend must have been asked: the proxy answered by itself. `error`: with this error, '' = with none. */
export function expectOwnAnswer(answer: Answered, error?: string): void {
  const exchange = exchangeOf(answer, expectOwnAnswer)
  const asked = attemptsOf(exchange)
  if (asked.length === 0 && (error === undefined || exchange.error === error)) return
  const how = error === undefined ? '' : error === '' ? ' without an error' : ` with ${error}`
  fail(`the proxy should have answered by itself${how}; ${explain(exchange)}`, {
    actual: asked.length > 0 ? asked : exchange.error,
    expected: error ?? [],
    at: expectOwnAnswer,
  })
}

/** Every backend that was asked, in order. */
function attemptsOf({ failures, backend, error }: Exchange): string[] {
  const inVain = failures.map(({ backend: url }) => url)
  return backend === '' || error !== '' ? inVain : [...inVain, backend]
}

function exchangeOf(answer: Answered, at: (...given: never[]) => void): Exchange {
  if (!('exchange' in answer)) return answer
  if (answer.exchange !== null) return answer.exchange
  const why = answer.error === '' ? 'the answer has no X-Request-Id, and other requests were under way' : answer.error
  return fail(`it is not known what the proxy did with this request: ${why}`, { actual: null, expected: null, at })
}

const urlOf = (backend: BackendLike): string => (typeof backend === 'string' ? backend : backend.url)
const nameOf = (backend: BackendLike): string => (typeof backend === 'string' ? backend : (backend.name ?? backend.url))

/** With the names that the test has for its backends. */
function told(exchange: Exchange, backends: readonly BackendLike[]): string {
  let text = explain(exchange)
  for (const backend of backends) {
    if (typeof backend !== 'string' && backend.name !== undefined) text = text.replaceAll(backend.url, backend.name)
  }
  return text
}

interface Difference {
  readonly actual: unknown
  readonly expected: unknown
  /** Left out of the stack with all above it. */
  readonly at: (...given: never[]) => void
}

function fail(message: string, { actual, expected, at }: Difference): never {
  throw new AssertionError({ message, actual, expected, operator: at.name, stackStartFn: at })
}
