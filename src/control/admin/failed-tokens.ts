// Wrong tokens by the address they come from: after some the next are looked at one by one and slowly. The right one is
// never refused for what others at its address do, unless they keep the whole queue full.

import { isIPv6 } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { network64 } from '../../http/middleware/rate-limit/network64.ts'

export interface FailedTokensOptions {
  /** Wrong tokens that cost nothing; default 10. */
  readonly burst?: number
  /** After this time one of them is forgotten; default 6 s. */
  readonly forgetMs?: number
  /** Time between two tokens of an address beyond that; default 100 ms. */
  readonly paceMs?: number
  /** Tokens of one address that wait for their turn; default 32. */
  readonly maxWaiting?: number
  /** Addresses remembered at once; default 4096. */
  readonly maxAddresses?: number
  /** The clock, in milliseconds. */
  readonly now?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

export interface Failure {
  /** Until a wrong one costs nothing again; 0 = it does not yet. */
  readonly retryAfterSeconds: number
  /** The first one from there, or the one too many. */
  readonly isNews: boolean
}

interface Row {
  /** Wrong tokens not yet forgotten, as of `atMs`. */
  level: number
  atMs: number
  waiting: number
  /** When the next token may be looked at. */
  nextMs: number
}

export class FailedTokens {
  readonly #o: Required<FailedTokensOptions>
  /** By address (IPv6: by its /64); who failed last is last. */
  readonly #rows = new Map<string, Row>()

  constructor(options: FailedTokensOptions = {}) {
    this.#o = {
      burst: 10,
      forgetMs: 6_000,
      paceMs: 100,
      maxWaiting: 32,
      maxAddresses: 4096,
      now: () => performance.now(),
      wait: (ms) => pause(ms, undefined, { ref: false }),
      ...options,
    }
  }

  /** Resolves when a token from there may be looked at: 0, or the seconds after which to come again, as too many wait. */
  async admit(address: string): Promise<number> {
    const row = this.#rows.get(keyOf(address))
    if (row === undefined) return 0
    const seconds = this.#secondsOver(row)
    if (seconds === 0) return 0
    if (row.waiting >= this.#o.maxWaiting) return seconds
    const now = this.#o.now()
    const turnMs = Math.max(now, row.nextMs)
    row.nextMs = turnMs + this.#o.paceMs
    row.waiting += 1
    await this.#o.wait(turnMs - now)
    row.waiting -= 1
    return 0
  }

  /** Counts a wrong one. */
  failed(address: string): Failure {
    const { burst, maxAddresses } = this.#o
    const key = keyOf(address)
    const known = this.#rows.get(key)
    const row = known ?? { level: 0, atMs: this.#o.now(), waiting: 0, nextMs: 0 }
    const wasSlow = this.#secondsOver(row) > 0
    // Whoever goes on and on is not kept out for longer than this.
    row.level = Math.min(row.level + 1, burst * 2)
    this.#rows.delete(key)
    this.#rows.set(key, row)
    if (this.#rows.size > maxAddresses) this.#rows.delete(this.#rows.keys().next().value!)
    const retryAfterSeconds = this.#secondsOver(row)
    return { retryAfterSeconds, isNews: known === undefined || (!wasSlow && retryAfterSeconds > 0) }
  }

  /** Addresses remembered now. */
  get size(): number {
    return this.#rows.size
  }

  #secondsOver(row: Row): number {
    this.#forget(row)
    const { burst, forgetMs } = this.#o
    return row.level < burst ? 0 : Math.max(1, Math.ceil(((row.level - burst + 1) * forgetMs) / 1000))
  }

  #forget(row: Row): void {
    const now = this.#o.now()
    row.level = Math.max(0, row.level - (now - row.atMs) / this.#o.forgetMs)
    row.atMs = now
  }
}

const network = new Uint32Array(2)

function keyOf(address: string): string {
  if (!isIPv6(address)) return address
  network64(address, network)
  return network.join('/')
}
