// What session tickets are sealed with: a key for each listener that all workers share, replaced from time to time so
// that a key which leaks opens little. Kept in memory alone: a restart costs each client one full handshake.
import { randomBytes } from 'node:crypto'
import type { ListenerSpec } from '../core/spec.ts'

/** Name, HMAC key and AES key, 16 bytes each: the form Node takes. */
const KEY_BYTES = 48

export class TicketKeys {
  readonly #publish: (keys: ReadonlyMap<string, Uint8Array>) => void
  readonly #keys = new Map<string, Uint8Array>()
  readonly #timers = new Map<string, { readonly everyMs: number; readonly timer: NodeJS.Timeout }>()

  /** `publish` gets the whole table whenever a key has changed. */
  constructor(publish: (keys: ReadonlyMap<string, Uint8Array>) => void) {
    this.#publish = publish
  }

  /** Listeners that are new get a key; those that are gone lose theirs. */
  update(listeners: readonly ListenerSpec[]): void {
    const wanted = new Map(
      listeners.filter(({ tls }) => tls?.sessionTickets === true).map(({ name, tls }) => [name, tls!.ticketRotationMs]),
    )
    let changed = false
    for (const name of this.#keys.keys()) {
      if (wanted.has(name)) continue
      this.#keys.delete(name)
      this.#stopTimer(name)
      changed = true
    }
    for (const [name, everyMs] of wanted) {
      if (!this.#keys.has(name)) {
        this.#keys.set(name, randomBytes(KEY_BYTES))
        changed = true
      }
      if (this.#timers.get(name)?.everyMs === everyMs) continue
      this.#stopTimer(name)
      this.#timers.set(name, { everyMs, timer: setInterval(() => this.rotate(name), everyMs).unref() })
    }
    if (changed) this.#publish(new Map(this.#keys))
  }

  /** A new key for one listener. */
  rotate(name: string): void {
    this.#keys.set(name, randomBytes(KEY_BYTES))
    this.#publish(new Map(this.#keys))
  }

  stop(): void {
    for (const name of [...this.#timers.keys()]) this.#stopTimer(name)
  }

  #stopTimer(name: string): void {
    clearInterval(this.#timers.get(name)?.timer)
    this.#timers.delete(name)
  }
}
