// Which exchanges have a line: a sample, without some paths, but whatever failed.
import type { AccessLogSpec } from '../../core/spec.ts'
import { hash32, mix32 } from '../../util/hash32.ts'

export class LineChoice {
  /** Hashes below this are in the sample. */
  readonly #below: number
  readonly #keepErrors: boolean
  readonly #exact: ReadonlySet<string>
  /** With their last slash. */
  readonly #prefixes: readonly string[]
  readonly #takesAll: boolean
  #nameless = 0

  constructor({ sample, keepErrors, skip }: Pick<AccessLogSpec, 'sample' | 'keepErrors' | 'skip'>) {
    this.#below = sample * 2 ** 32
    this.#keepErrors = keepErrors
    const prefixes = skip.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1))
    // As in routes, `/a/*` takes `/a` too.
    this.#exact = new Set([
      ...skip.filter((path) => !path.endsWith('/*')),
      ...prefixes.map((path) => path.slice(0, -1)),
    ])
    this.#prefixes = prefixes
    this.#takesAll = sample === 1 && skip.length === 0
  }

  /** `id`: whoever hashes the same one, here or at another proxy, chooses the same. '' = it has none. */
  takes(id: string, target: string, status: number, error: string): boolean {
    if (this.#takesAll) return true
    if (this.#keepErrors && (status >= 500 || error !== '')) return true
    const hash = id === '' ? mix32(this.#nameless++ >>> 0) : hash32(id)
    return hash < this.#below && !this.#skips(target)
  }

  #skips(target: string): boolean {
    if (this.#exact.size === 0) return false
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    if (this.#exact.has(path)) return true
    for (const prefix of this.#prefixes) if (path.startsWith(prefix)) return true
    return false
  }
}
