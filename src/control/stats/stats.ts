// Statistics once a second, from shared memory, while somebody reads them; in between it costs nothing. Each reader is told
// what has changed since it was told last, however slowly it reads.
import { Sampler, type StatsSources } from './sampler.ts'

export type { StatsSources } from './sampler.ts'

export interface StatsOptions {
  /** Time between two samples; default 1 s. */
  readonly intervalMs?: number
}

/** Somebody who reads. */
interface Reader {
  /** A sample that it has not been told of is there. */
  readonly onSample: () => void
}

export class Stats {
  readonly #sources: StatsSources
  readonly #intervalMs: number
  readonly #readers = new Set<Reader>()
  #sampler: Sampler | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(sources: StatsSources, { intervalMs = 1000 }: StatsOptions = {}) {
    this.#sources = sources
    this.#intervalMs = intervalMs
  }

  /** Begins to sample if nobody has read so far. */
  read(onSample: () => void): StatsReading {
    const reader: Reader = { onSample }
    this.#readers.add(reader)
    if (this.#sampler === null) {
      this.#sampler = new Sampler(this.#sources)
      this.#sampler.sample()
      this.#timer = setInterval(() => this.#sample(), this.#intervalMs).unref()
    }
    const sampler = this.#sampler
    let seen = 0
    return {
      take: () => {
        if (sampler.number === seen) return null
        const since = seen
        seen = sampler.number
        return sampler.frame(since)
      },
      close: () => this.#left(reader),
    }
  }

  #sample(): void {
    this.#sampler?.sample()
    for (const { onSample } of this.#readers) onSample()
  }

  #left(reader: Reader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#sampler = null
  }
}

export interface StatsReading {
  /** JSON of the newest sample, with what has changed since the last call; null = there is no newer one. */
  take(): string | null
  close(): void
}
