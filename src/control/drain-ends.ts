// The ends of drains. Of a backend that stays in its pool: when its time is over, who is still bound to it is released, and
// what is open is closed. Of one that was removed: nothing of it is open any more.

import type { Log } from '../core/log.ts'
import type { BackendSpec, Slot } from '../core/spec.ts'
import type { Departure } from './departures.ts'
import type { EventSink } from './events.ts'
import { formatDuration } from './format-duration.ts'
import type { Health } from './health/health.ts'
import type { ControlPort } from './port.ts'
import type { Roster } from './roster.ts'

export interface DrainEndsOptions {
  readonly port: Pick<ControlPort, 'state' | 'cutBackend' | 'setAddresses'>
  readonly log: Log
  readonly events: EventSink
  readonly health: Pick<Health, 'addresses'>
  readonly roster: Pick<Roster, 'members' | 'release'>
}

/** What Node's timers take; a later end is looked at again. */
const longestTimerMs = 2 ** 31 - 1

interface Pending {
  readonly endsAt: string
  readonly sinceMs: number
  backend: BackendSpec
  timer: NodeJS.Timeout | null
}

export class DrainEnds {
  readonly #o: DrainEndsOptions
  readonly #pending = new Map<Slot, Pending>()

  constructor(options: DrainEndsOptions) {
    this.#o = options
  }

  /** Looks at the backends there are now. An end that has passed before it was seen is no event. */
  follow(): void {
    const seen = new Set<Slot>()
    for (const { backend, drainEndsAt } of this.#o.roster.members()) {
      if (drainEndsAt === null) continue
      seen.add(backend.slot)
      const known = this.#pending.get(backend.slot)
      if (known?.endsAt === drainEndsAt) known.backend = backend
      else this.#begin(backend, drainEndsAt)
    }
    for (const slot of [...this.#pending.keys()]) if (!seen.has(slot)) this.#drop(slot)
  }

  /** A removed backend has finished. */
  departed({ backend, cutCount, since }: Departure): void {
    this.#tell(backend, cutCount, Date.now() - since.getTime())
  }

  close(): void {
    for (const slot of [...this.#pending.keys()]) this.#drop(slot)
  }

  #begin(backend: BackendSpec, endsAt: string): void {
    this.#drop(backend.slot)
    const pending: Pending = { endsAt, sinceMs: Date.now(), backend, timer: null }
    this.#pending.set(backend.slot, pending)
    if (Date.parse(endsAt) > pending.sinceMs) this.#wait(pending)
  }

  #wait(pending: Pending): void {
    const leftMs = Date.parse(pending.endsAt) - Date.now()
    pending.timer = setTimeout(() => this.#look(pending), Math.min(Math.max(leftMs, 1), longestTimerMs)).unref()
  }

  #look(pending: Pending): void {
    if (Date.parse(pending.endsAt) > Date.now()) this.#wait(pending)
    else this.#end(pending)
  }

  #end({ backend, sinceMs }: Pending): void {
    const { port, roster, health } = this.#o
    const { slot } = backend
    roster.release(slot)
    const cut = port.state.active(slot)
    port.cutBackend(slot)
    // It may be asked for again, by a worker that has not seen it yet as well.
    const addresses = health.addresses().get(slot)
    if (addresses !== undefined) port.setAddresses(slot, addresses)
    this.#tell(backend, cut, Date.now() - sinceMs)
  }

  #drop(slot: Slot): void {
    const pending = this.#pending.get(slot)
    if (pending?.timer) clearTimeout(pending.timer)
    this.#pending.delete(slot)
  }

  #tell({ pool, url }: BackendSpec, cut: number, afterMs: number): void {
    const rest = cut === 0 ? '' : `, ${cut} cut`
    const message = `backend ${url} has drained (after ${formatDuration(afterMs)}${rest})`
    this.#o.log.event('info', 'backend_drained', message, { pool, backend: url, cut, after_ms: afterMs })
    this.#o.events.emit({ type: 'backend_drained', pool, backend: url, cut, afterMs })
  }
}
