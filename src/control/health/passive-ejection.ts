// Passive health: live connection failures counted per backend in a sliding window; too many take it out for a while,
// but never the last available one of its pool. State is two flags away: this file owns EJECTED and no other.

import type { BackendSpec, PassiveHealthSpec, Slot } from '../../core/spec.ts'
import { Flag } from '../../state/flags.ts'

/** The part of shared memory that is needed here. */
export interface EjectionState {
  isAvailable(slot: Slot): boolean
  flags(slot: Slot): number
  setFlag(slot: Slot, flag: number): boolean
  clearFlag(slot: Slot, flag: number): boolean
}

export interface EjectionOptions {
  readonly state: EjectionState
  readonly onEjected: (backend: BackendSpec, fails: number, spec: PassiveHealthSpec) => void
  readonly onReturned: (backend: BackendSpec, why: 'time' | 'check' | 'last') => void
}

interface Entry {
  backend: BackendSpec
  spec: PassiveHealthSpec
  /** Times of the last failures, oldest first; never more than maxFails. */
  failedAtMs: number[]
  timer: NodeJS.Timeout | null
  /** When it returns, in milliseconds since 1970; 0 = it was never ejected. */
  returnsAtMs: number
}

export class PassiveEjection {
  readonly #entries = new Map<Slot, Entry>()
  readonly #pools = new Map<string, Set<Entry>>()
  readonly #options: EjectionOptions

  constructor(options: EjectionOptions) {
    this.#options = options
  }

  /** Takes a backend in, or its new settings. */
  set(backend: BackendSpec, spec: PassiveHealthSpec): void {
    const known = this.#entries.get(backend.slot)
    if (known !== undefined) {
      known.backend = backend
      known.spec = spec
      if (spec.maxFails === 0) this.#return(known, 'time')
      return
    }
    const entry: Entry = { backend, spec, failedAtMs: [], timer: null, returnsAtMs: 0 }
    this.#entries.set(backend.slot, entry)
    const pool = this.#pools.get(backend.pool)
    if (pool === undefined) this.#pools.set(backend.pool, new Set([entry]))
    else pool.add(entry)
  }

  remove(slot: Slot): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    if (entry.timer !== null) clearTimeout(entry.timer)
    this.#entries.delete(slot)
    this.#pools.get(entry.backend.pool)?.delete(entry)
    this.#options.state.clearFlag(slot, Flag.EJECTED)
  }

  /** `count` connections to the backend failed just now. */
  failed(slot: Slot, count: number): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined || entry.spec.maxFails === 0) return
    const { maxFails, windowMs } = entry.spec
    const now = performance.now()
    const fresh = entry.failedAtMs.filter((at) => now - at < windowMs)
    for (let i = 0; i < Math.min(count, maxFails); i++) fresh.push(now)
    entry.failedAtMs = fresh.slice(-maxFails)
    if (entry.failedAtMs.length >= maxFails && this.#mayEject(entry)) this.#eject(entry)
  }

  /** A regular active check passed: it is back before its time. */
  passed(slot: Slot): void {
    const entry = this.#entries.get(slot)
    if (entry !== undefined) this.#return(entry, 'check')
  }

  /** When an ejected backend returns at the latest, in milliseconds since 1970; null = it is not ejected. */
  returnsAtMs(slot: Slot): number | null {
    const entry = this.#entries.get(slot)
    return entry === undefined || entry.timer === null ? null : entry.returnsAtMs
  }

  /** After any backend of the pool became unavailable: when none is left, the ejected ones are better than nothing. */
  relieve(pool: string): void {
    const entries = [...(this.#pools.get(pool) ?? [])]
    if (entries.some((entry) => this.#options.state.isAvailable(entry.backend.slot))) return
    for (const entry of entries) this.#return(entry, 'last')
  }

  close(): void {
    for (const entry of this.#entries.values()) if (entry.timer !== null) clearTimeout(entry.timer)
    this.#entries.clear()
    this.#pools.clear()
  }

  #mayEject(entry: Entry): boolean {
    const { state } = this.#options
    if (!state.isAvailable(entry.backend.slot)) return false
    for (const other of this.#pools.get(entry.backend.pool) ?? []) {
      if (other !== entry && state.isAvailable(other.backend.slot)) return true
    }
    return false
  }

  #eject(entry: Entry): void {
    const fails = entry.failedAtMs.length
    entry.failedAtMs = []
    this.#options.state.setFlag(entry.backend.slot, Flag.EJECTED)
    entry.returnsAtMs = Date.now() + entry.spec.ejectMs
    entry.timer = setTimeout(() => this.#return(entry, 'time'), entry.spec.ejectMs).unref()
    this.#options.onEjected(entry.backend, fails, entry.spec)
  }

  #return(entry: Entry, why: 'time' | 'check' | 'last'): void {
    if (entry.timer !== null) clearTimeout(entry.timer)
    entry.timer = null
    if (this.#options.state.clearFlag(entry.backend.slot, Flag.EJECTED)) this.#options.onReturned(entry.backend, why)
  }
}
