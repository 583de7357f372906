// Hands exchanges to those who follow them live, besides whoever is told of them anyway. It exists only while somebody
// follows: else the exchange finds the access log itself, or null.
import type { RedactionSpec } from '../../core/spec.ts'
import { accessJson, JsonLines } from '../access/json-line.ts'
import { defaultRedaction, Redaction } from '../access/redaction.ts'
import type { AccessEntry, EndedEntry, TcpEntry } from '../access-entry.ts'
import type { ExchangeObserver } from '../exchange-observer.ts'
import { compileFollow, type FollowFilter } from './follow-filter.ts'

/** Somebody who follows, as workers are told. */
export interface Follow {
  readonly id: number
  readonly filter: FollowFilter
  /** Of one worker; more are counted only. */
  readonly perSecond: number
}

/** What was followed since the last time. */
export interface Followed {
  readonly id: number
  /** JSON, one object each. */
  readonly entries: readonly string[]
  /** Those that were too many in a second. */
  readonly skipped: number
}

/** How long entries wait for others. */
const GATHER_MS = 100

export class FollowedLog implements ExchangeObserver {
  readonly #followers = new Map<number, Follower>()
  readonly #deliver: (followed: Followed) => void
  #inner: ExchangeObserver | null = null
  #innerWants = false
  #redaction = defaultRedaction
  #lines = new JsonLines(null, defaultRedaction)
  #timer: NodeJS.Timeout | null = null

  constructor(deliver: (followed: Followed) => void) {
    this.#deliver = deliver
  }

  /** What the access log hides is hidden here too; null = there is none: what is hidden by default. */
  set redact(spec: RedactionSpec | null) {
    this.#redaction = spec === null ? defaultRedaction : new Redaction(spec)
    this.#lines = new JsonLines(null, this.#redaction)
  }

  /** Whom exchanges shall be told to: this while somebody follows, else `inner`. */
  over(inner: ExchangeObserver | null): ExchangeObserver | null {
    this.#inner = inner
    return this.#followers.size === 0 ? inner : this
  }

  follow(follow: Follow): void {
    this.#followers.set(follow.id, new Follower(follow, (target) => this.#redaction.target(target)))
  }

  unfollow(id: number): void {
    this.#followers.delete(id)
    if (this.#followers.size === 0) this.#stopTimer()
  }

  wants(id: string, target: string, status: number, error: string, logged: boolean): boolean {
    this.#innerWants = this.#inner?.wants(id, target, status, error, logged) === true
    return true
  }

  add(entry: AccessEntry): void {
    if (this.#innerWants) this.#inner!.add(entry)
    this.#offer(entry)
  }

  addTcp(entry: TcpEntry): void {
    if (this.#innerWants) this.#inner!.addTcp(entry)
    this.#offer(entry)
  }

  flush(): void {
    this.#inner?.flush()
    this.#stopTimer()
    for (const follower of this.#followers.values()) {
      const followed = follower.take()
      if (followed !== null) this.#deliver(followed)
    }
  }

  #offer(entry: EndedEntry): void {
    let line = ''
    for (const follower of this.#followers.values()) {
      if (!follower.wants(entry)) continue
      if (line === '') line = accessJson(entry, Date.now(), this.#lines)
      follower.push(line)
    }
    if (this.#timer === null) this.#timer = setTimeout(() => this.flush(), GATHER_MS).unref()
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

class Follower {
  readonly #follow: Follow
  readonly #test: (entry: EndedEntry) => boolean
  #entries: string[] = []
  #skipped = 0
  #second = 0
  #inSecond = 0

  constructor(follow: Follow, shown: (target: string) => string) {
    this.#follow = follow
    this.#test = compileFollow(follow.filter, shown)
  }

  /** False also for one too many. */
  wants(entry: EndedEntry): boolean {
    if (!this.#test(entry)) return false
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    this.#inSecond += 1
    if (this.#inSecond <= this.#follow.perSecond) return true
    this.#skipped += 1
    return false
  }

  push(line: string): void {
    this.#entries.push(line)
  }

  take(): Followed | null {
    if (this.#entries.length === 0 && this.#skipped === 0) return null
    const followed = { id: this.#follow.id, entries: this.#entries, skipped: this.#skipped }
    this.#entries = []
    this.#skipped = 0
    return followed
  }
}
