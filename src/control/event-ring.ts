// The last events, numbered: who was away, or is slow, reads on where it stopped. However many read, each event is kept once.
import { randomBytes } from 'node:crypto'
import { type EventView, eventView } from './event-view.ts'
import type { EventSink, FrontdeskEvent, NewEvent } from './events.ts'

/** An event with its number, counted from 1. */
export interface NumberedEvent {
  readonly number: number
  readonly type: FrontdeskEvent['type']
  readonly view: EventView
  /** JSON of the view. */
  readonly json: string
}

/** What has happened since. */
export interface Missed {
  readonly events: readonly NumberedEvent[]
  /** So many before them are kept no more. */
  readonly lost: number
}

export interface EventRingOptions {
  /** Events that are kept; default 1000. */
  readonly size?: number
  /** Their JSON together, in characters: one may name a thousand backends. Default 4 Mi. */
  readonly maxLength?: number
  /** Tells this process from the one before, in the ids of events; default random. */
  readonly instance?: string
}

export class EventRing implements EventSink {
  readonly instance: string
  readonly #size: number
  readonly #maxLength: number
  readonly #kept: NumberedEvent[] = []
  readonly #listeners = new Set<() => void>()
  #last = 0
  #length = 0

  constructor(options: EventRingOptions = {}) {
    const { size = 1000, maxLength = 4 * 1024 * 1024, instance = randomBytes(4).toString('hex') } = options
    this.#size = size
    this.#maxLength = maxLength
    this.instance = instance
  }

  /** Number of the newest event; 0 = none yet. */
  get last(): number {
    return this.#last
  }

  emit(event: NewEvent): void {
    const view = eventView({ ...event, at: new Date() } as FrontdeskEvent)
    this.#last += 1
    const json = jsonOf(view)
    this.#kept.push({ number: this.#last, type: view.type, view, json })
    this.#length += json.length
    this.#dropOldest()
    for (const listener of this.#listeners) listener()
  }

  /** The newest stays, whatever its size. */
  #dropOldest(): void {
    while (this.#kept.length > this.#size || (this.#length > this.#maxLength && this.#kept.length > 1)) {
      this.#length -= this.#kept.shift()!.json.length
    }
  }

  /** Events with greater numbers, at most `limit` of them, the oldest first. */
  after(number: number, limit: number = this.#size): Missed {
    const oldest = this.#last - this.#kept.length
    const from = Math.max(0, number - oldest)
    return { events: this.#kept.slice(from, from + limit), lost: Math.max(0, oldest - number) }
  }

  /** The number in an id as `idOf` makes them; 0, so that all that is kept follows, if another process made it. */
  numberOf(id: string): number {
    const [, instance, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? []
    return instance === this.instance ? Math.min(Number(number), this.#last) : 0
  }

  idOf(number: number): string {
    return `${this.instance}-${number}`
  }

  /** Calls back after each event, until the function that is returned is called. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** Details of problems come from anywhere. */
function jsonOf(view: EventView): string {
  try {
    return JSON.stringify(view)
  } catch {
    return JSON.stringify({ ...view, details: {} })
  }
}
