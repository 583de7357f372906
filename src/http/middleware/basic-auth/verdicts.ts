// What has been found out about credentials, for a while: a bounded memory of answers by key.

interface Verdict {
  readonly value: boolean
  readonly until: number
}

export interface VerdictLimits {
  readonly max: number
  readonly ttlMs: number
}

export class Verdicts {
  readonly #limits: VerdictLimits
  /** In the order in which they were made, which is the order in which they end. */
  readonly #byKey = new Map<string, Verdict>()

  constructor(limits: VerdictLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Undefined = not known, or not any more. */
  get(key: string, nowMs: number): boolean | undefined {
    const found = this.#byKey.get(key)
    if (found === undefined || found.until > nowMs) return found?.value
    this.#byKey.delete(key)
    return undefined
  }

  /** The oldest makes room. */
  set(key: string, value: boolean, nowMs: number): void {
    this.#byKey.delete(key)
    this.#byKey.set(key, { value, until: nowMs + this.#limits.ttlMs })
    if (this.#byKey.size <= this.#limits.max) return
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest)
      return
    }
  }
}
