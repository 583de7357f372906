// Warns before certificates end: in the log and as events, 30, 7 and 1 days before, once each, and when it has happened.
import type { Log } from '../../core/log.ts'
import { type EventSink, noEvents } from '../events.ts'

/** Something that ends. */
export interface Expiring {
  /** What it is in messages, and the same in every configuration: the name of its file. */
  readonly name: string
  /** `certificate` or `revocation list`. */
  readonly what: string
  readonly endsAtMs: number
  /** What it is good for, in words; '' = nothing to say. */
  readonly about: string
  /** Days before its end at which to warn. */
  readonly warnDays: readonly number[]
}

export interface ExpiryWatchOptions {
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number
}

export const warnDays: readonly number[] = [30, 7, 1]

const DAY_MS = 86_400_000
/** At the latest after so long it looks again: clocks are set, and computers sleep. (A timer takes 24 days at most.) */
const LOOK_MS = 3_600_000

export class ExpiryWatch {
  readonly #log: Log
  readonly #events: EventSink
  readonly #now: () => number
  /** The last threshold told of, in days before the end, by name and end: another certificate is told of anew. */
  readonly #told = new Map<string, number>()
  #watched: readonly Expiring[] = []
  #timer: NodeJS.Timeout | null = null

  constructor({ log, events = noEvents, now = Date.now }: ExpiryWatchOptions) {
    this.#log = log
    this.#events = events
    this.#now = now
  }

  /** Watches these in place of those before, and tells at once what is to be told. */
  watch(expiring: readonly Expiring[]): void {
    this.#watched = expiring
    const keys = new Set(expiring.map(keyOf))
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key)
    this.look()
  }

  /** Tells what has come near since the last look, and looks again when the next does. */
  look(): void {
    this.close()
    const now = this.#now()
    let nextMs = LOOK_MS
    for (const one of this.#watched) {
      const left = one.endsAtMs - now
      const thresholds = [...one.warnDays, 0]
      const reached = thresholds.filter((days) => left <= days * DAY_MS)
      const nearest = Math.min(...reached)
      if (reached.length > 0 && nearest < (this.#told.get(keyOf(one)) ?? Number.POSITIVE_INFINITY)) {
        this.#told.set(keyOf(one), nearest)
        this.#tell(one, left)
      }
      for (const days of thresholds) {
        if (left > days * DAY_MS) nextMs = Math.min(nextMs, left - days * DAY_MS)
      }
    }
    if (this.#watched.length > 0) this.#timer = setTimeout(() => this.look(), Math.max(nextMs, 10)).unref()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #tell({ name, what, endsAtMs, about }: Expiring, leftMs: number): void {
    const at = new Date(endsAtMs).toISOString()
    const subject = `the ${what} ${name}${about === '' ? '' : ` (${about})`}`
    const fields = { name, expires_at: at, days_left: daysLeft(leftMs) }
    const kind = what === 'certificate' ? 'certificate' : 'revocation_list'
    const expiresAt = new Date(endsAtMs)
    this.#events.emit({ type: 'certificate_expires', name, kind, expiresAt, daysLeft: fields.days_left })
    if (leftMs <= 0) {
      const consequence = what === 'revocation list' ? ': every client certificate is refused' : ''
      this.#log.event(
        'error',
        'certificate_expired',
        `${subject} expired at ${at}${consequence}; put a new one in its place`,
        fields,
      )
      return
    }
    this.#log.event('warn', 'certificate_expires', `${subject} expires in ${inWords(leftMs)}, at ${at}`, fields)
  }
}

/** Whole days that are left, rounded down; negative since the end. */
export const daysLeft = (leftMs: number): number => Math.floor(leftMs / DAY_MS)

const keyOf = ({ name, endsAtMs }: Expiring): string => `${name}\n${endsAtMs}`

function inWords(leftMs: number): string {
  const [count, noun] = leftMs >= 2 * DAY_MS ? [daysLeft(leftMs), 'day'] : [Math.ceil(leftMs / 3_600_000), 'hour']
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
