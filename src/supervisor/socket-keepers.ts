// Which worker accepts from which Unix socket. Unlike ports, which all workers listen on, a path is one worker's; when
// that one dies, another takes the path over at once.
import type { ListenerSpec } from '../core/spec.ts'

export interface SocketKeepersOptions {
  /** Workers that accept connections now. */
  readonly running: () => readonly number[]
  readonly takeOver: (worker: number, listener: string) => void
  /** Somebody else listens there now, or the folder has gone: it is tried again after so long. Default 5 s. */
  readonly retryMs?: number
}

export class SocketKeepers {
  readonly #options: SocketKeepersOptions
  readonly #keepers = new Map<string, number>()
  readonly #retries = new Map<string, NodeJS.Timeout>()

  constructor(options: SocketKeepersOptions) {
    this.#options = options
  }

  /**
   * Spreads the listeners with Unix sockets over these workers; who keeps one of them already goes on, under another name too.
   * `before`: the listeners so far.
   */
  plan(
    listeners: readonly ListenerSpec[],
    workers: readonly number[],
    before: readonly ListenerSpec[] = [],
  ): ReadonlyMap<string, number> {
    const plan = new Map<string, number>()
    const unix = listeners.filter(({ socketPath }) => socketPath !== null)
    const byPath = new Map(before.map(({ socketPath, name }) => [socketPath, name]))
    for (const { name, socketPath } of unix) {
      const keeper = this.#keepers.get(byPath.get(socketPath) ?? name)
      if (keeper !== undefined && workers.includes(keeper)) plan.set(name, keeper)
    }
    const load = (worker: number): number => [...plan.values()].filter((keeper) => keeper === worker).length
    for (const { name } of unix) {
      const [least] = plan.has(name) ? [] : [...workers].sort((a, b) => load(a) - load(b))
      if (least !== undefined) plan.set(name, least)
    }
    return plan
  }

  adopt(plan: ReadonlyMap<string, number>): void {
    for (const listener of [...this.#keepers.keys()]) {
      if (plan.get(listener) === this.#keepers.get(listener)) continue
      this.#keepers.delete(listener)
      this.#forgetRetry(listener)
    }
    for (const [listener, keeper] of plan) this.#keepers.set(listener, keeper)
  }

  /** Undefined = nobody. */
  keeperOf(listener: string): number | undefined {
    return this.#keepers.get(listener)
  }

  /** The listeners whose sockets are this worker's. */
  of(worker: number): string[] {
    return [...this.#keepers].filter(([, keeper]) => keeper === worker).map(([listener]) => listener)
  }

  /** Where no worker is left, the sockets stay with the dead one: whoever takes its place gets them with its start. */
  died(worker: number): void {
    for (const listener of this.of(worker)) this.#move(listener)
  }

  /** A running worker could not take a socket over. */
  failed(listener: string): void {
    this.#retries.set(
      listener,
      setTimeout(() => this.#move(listener), this.#options.retryMs ?? 5000),
    )
  }

  stop(): void {
    for (const retry of this.#retries.values()) clearTimeout(retry)
    this.#keepers.clear()
  }

  #forgetRetry(listener: string): void {
    clearTimeout(this.#retries.get(listener))
    this.#retries.delete(listener)
  }

  /** To the running worker that has the fewest. */
  #move(listener: string): void {
    this.#forgetRetry(listener)
    const [next] = [...this.#options.running()].sort((a, b) => this.of(a).length - this.of(b).length)
    if (next === undefined) return
    this.#keepers.set(listener, next)
    this.#options.takeOver(next, listener)
  }
}
