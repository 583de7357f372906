// What `top` knows of the running Frontdesk: the figures as its stream tells them, put together.
import type { BackendFigures, HelloDocument, StatsDocument } from '../stream-documents.ts'

/** So many seconds of request rates are kept for the little chart. */
const CHART_SECONDS = 120

/** A moment; never changed once it is made. */
export interface TopSnapshot {
  readonly version: string
  /** Null until the first figures have come. */
  readonly stats: Omit<StatsDocument, 'backends' | 'removed' | 'full'> | null
  /** In the order of the configuration. */
  readonly backends: readonly BackendFigures[]
  /** Requests per second, oldest first, one a second. */
  readonly rates: readonly number[]
}

export const keyOf = ({ pool, url }: Pick<BackendFigures, 'pool' | 'url'>): string => `${pool}\n${url}`

export class TopData {
  #backends: readonly BackendFigures[] = []
  #stats: TopSnapshot['stats'] = null
  #rates: readonly number[] = []
  #version = ''

  hello({ version }: HelloDocument): void {
    this.#version = version
  }

  stats(document: StatsDocument): void {
    const { backends, removed, full, ...stats } = document
    this.#backends = full ? backends : merged(this.#backends, backends, removed)
    this.#stats = stats
    this.#rates = [...this.#rates, stats.requests.rate].slice(-CHART_SECONDS)
  }

  snapshot(): TopSnapshot {
    return { version: this.#version, stats: this.#stats, backends: this.#backends, rates: this.#rates }
  }
}

/** The same rows with what has changed; new ones stand behind the others of their pool. */
function merged(
  rows: readonly BackendFigures[],
  changed: readonly BackendFigures[],
  removed: StatsDocument['removed'],
): readonly BackendFigures[] {
  const news = new Map(changed.map((one) => [keyOf(one), one]))
  const gone = new Set(removed.map(keyOf))
  const kept = rows.flatMap((row) => {
    const key = keyOf(row)
    const now = news.get(key)
    news.delete(key)
    return now !== undefined ? [now] : gone.has(key) ? [] : [row]
  })
  for (const one of news.values()) {
    const last = kept.findLastIndex(({ pool }) => pool === one.pool)
    kept.splice(last === -1 ? kept.length : last + 1, 0, one)
  }
  return kept
}
