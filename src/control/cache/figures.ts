// What the cache amounts to just now, for metrics and statistics: cheap enough for once a second.
import type { DiskTotals } from '../../disk/types.ts'
import type { CacheTotals } from '../../state/cache/types.ts'
import type { ControlPort } from '../port.ts'

/** Of everything that is cached. */
export interface CacheFigures {
  readonly memory: CacheTotals
  /** Null = memory only. */
  readonly disk: DiskTotals | null
}

/** Of what is in force; null = no route caches. */
export function cacheFigures(port: Pick<ControlPort, 'caches'>): CacheFigures | null {
  const plane = port.caches?.()[0]
  return plane === undefined ? null : { memory: plane.store.totals(), disk: plane.disk?.totals() ?? null }
}
