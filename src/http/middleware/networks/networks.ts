// `allow` and `deny` of a route: which networks may use it. Others are answered with 403.
import { errors } from '../../../core/errors.ts'
import type { Answer, Middleware, RequestView } from '../../../core/plugin.ts'
import { compileCidrs } from '../../../util/cidr.ts'
import { unsliced } from '../../../util/unsliced.ts'
import { refusal } from '../refusal.ts'

/** Verdicts remembered, so that an address is read once and not for each of its requests. */
const maxRemembered = 4096

/**
 * Who is in `deny` is refused, also if `allow` names it; where `allow` is not empty, whoever is not in it is refused too.
 * (Two lists have no order between them: the safe answer wins, as it does with `deny` written first in nginx.)
 */
export function networks(allow: readonly string[], deny: readonly string[]): Middleware {
  return new Networks(allow, deny)
}

class Networks implements Middleware {
  readonly name = 'networks'
  readonly #isAllowed: (address: string) => boolean
  readonly #isDenied: (address: string) => boolean
  readonly #verdicts = new Map<string, boolean>()
  readonly #forbidden: Answer = refusal(errors.forbidden)

  constructor(allow: readonly string[], deny: readonly string[]) {
    this.#isAllowed = allow.length === 0 ? () => true : compileCidrs(allow)
    this.#isDenied = compileCidrs(deny)
  }

  onRequest(request: RequestView): Answer | undefined {
    const { address } = request.client
    return (this.#verdicts.get(address) ?? this.#decide(address)) ? undefined : this.#forbidden
  }

  #decide(address: string): boolean {
    const may = !this.#isDenied(address) && this.#isAllowed(address)
    if (this.#verdicts.size >= maxRemembered) this.#verdicts.clear()
    this.#verdicts.set(unsliced(address), may)
    return may
  }
}
