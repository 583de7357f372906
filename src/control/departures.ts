// Backends that have left their pool but are still finishing: new requests stopped at once, those in flight end by
// themselves or are cut at the deadline; then the idle connections are closed and the slot is given back.

import type { BackendSpec, Slot } from '../core/spec.ts'
import type { ControlPort } from './port.ts'

/** One backend on its way out. */
export interface Departure {
  readonly backend: BackendSpec
  readonly since: Date
  /** Exchanges in flight when it began. */
  readonly inFlight: number
  /** When what is left of them is cut. */
  readonly endsAt: Date
  /** Those that had to be cut as they had not ended in time; 0 so far. */
  readonly cutCount: number
  /** Resolves with true when nothing is in flight any more, false if it was taken back. */
  readonly done: Promise<boolean>
}

interface Entry extends Omit<Departure, 'cutCount' | 'endsAt'> {
  cutCount: number
  endsAt: Date
  deadlineMs: number
  cut: boolean
  /** A change that takes it back is under way: it must not end meanwhile. */
  held: boolean
  finish: (gone: boolean) => void
}

type DeparturePort = Pick<ControlPort, 'cutBackend'> & {
  readonly state: Pick<ControlPort['state'], 'active' | 'backendTotals' | 'freeSlot'>
}

/** How often what is still open is looked at. */
const pollMs = 20

export class Departures {
  readonly #port: DeparturePort
  /** Told of each that has finished by itself or was cut. */
  readonly #onDone: (departure: Departure) => void
  readonly #entries = new Map<Slot, Entry>()
  /** Nothing in flight any more, waiting for the workers to close the idle connections. */
  readonly #closing = new Set<Slot>()
  #timer: NodeJS.Timeout | null = null

  constructor(port: DeparturePort, onDone: (departure: Departure) => void = () => {}) {
    this.#port = port
    this.#onDone = onDone
  }

  /** Begins after the workers have swapped to a snapshot without the backend. Ends at once where nothing is in flight. */
  begin(backend: BackendSpec, drainMs: number): Departure {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const inFlight = this.#port.state.active(backend.slot)
    const entry: Entry = {
      backend,
      since: new Date(),
      inFlight,
      cutCount: 0,
      endsAt: new Date(Date.now() + drainMs),
      done: promise,
      deadlineMs: performance.now() + drainMs,
      cut: false,
      held: false,
      finish: resolve,
    }
    this.#entries.set(backend.slot, entry)
    this.#look(entry)
    this.#watch()
    return entry
  }

  /** Backends that still have something in flight. */
  list(): readonly Departure[] {
    return [...this.#entries.values()]
  }

  find(pool: string, url: string): Departure | undefined {
    for (const entry of this.#entries.values()) {
      if (entry.backend.pool === pool && entry.backend.url === url) return entry
    }
    return undefined
  }

  /** It stays as it is until it is taken back or released. */
  hold(departure: Departure): void {
    const entry = this.#entries.get(departure.backend.slot)
    if (entry !== undefined) entry.held = true
  }

  /** The change did not come about: it goes on leaving. */
  release(departure: Departure): void {
    const entry = this.#entries.get(departure.backend.slot)
    if (entry !== undefined) entry.held = false
  }

  /** Another deadline for one that is under way: from now. */
  hurry(departure: Departure, drainMs: number): void {
    const entry = this.#entries.get(departure.backend.slot)
    if (entry === undefined) return
    entry.deadlineMs = performance.now() + drainMs
    entry.endsAt = new Date(Date.now() + drainMs)
    this.#look(entry)
  }

  /** The backend stays after all; its slot is in use again. */
  takeBack(departure: Departure): void {
    const entry = this.#entries.get(departure.backend.slot)
    if (entry === undefined) return
    this.#entries.delete(departure.backend.slot)
    entry.finish(false)
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    for (const entry of this.#entries.values()) entry.finish(true)
    this.#entries.clear()
    this.#closing.clear()
  }

  #watch(): void {
    if (this.#entries.size + this.#closing.size === 0) return
    this.#timer ??= setInterval(() => this.#poll(), pollMs).unref()
  }

  #poll(): void {
    for (const entry of [...this.#entries.values()]) this.#look(entry)
    for (const slot of [...this.#closing]) this.#release(slot)
    if (this.#entries.size + this.#closing.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #look(entry: Entry): void {
    const { slot } = entry.backend
    if (entry.held) return
    if (this.#port.state.active(slot) > 0) {
      if (entry.cut || performance.now() < entry.deadlineMs) return
      entry.cut = true
      entry.cutCount = this.#port.state.active(slot)
      this.#port.cutBackend(slot)
      return
    }
    this.#entries.delete(slot)
    this.#closing.add(slot)
    this.#port.cutBackend(slot)
    // Who asked for the removal tells of it first.
    setImmediate(() => this.#onDone(entry))
    entry.finish(true)
  }

  /** The slot is free when no worker keeps anything of it: an idle connection counted later would spoil the next owner's row. */
  #release(slot: Slot): void {
    const { active, idle } = this.#port.state.backendTotals(slot)
    if (active !== 0 || idle !== 0) return
    this.#closing.delete(slot)
    this.#port.state.freeSlot(slot)
  }
}
