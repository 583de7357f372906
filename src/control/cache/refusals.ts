// Why answers of a route were not stored, counted since the start.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { Snapshot } from '../../core/spec.ts'
import { type StoreRefusal, storeRefusals } from '../../state/names.ts'
import type { OwnerState } from '../../state/owner-state.ts'

/** Only the reasons that occurred. */
export type RefusalCounts = Readonly<Partial<Record<StoreRefusal, number>>>

/** Over all listeners; of a route that is not counted apart, nothing. */
export function refusalsOf(
  { rows }: Pick<RouteSpec, 'rows'>,
  { listeners }: Pick<Snapshot, 'listeners'>,
  state: Pick<OwnerState, 'trafficTotals' | 'sizes'>,
): RefusalCounts {
  const shared = new Set(listeners.map(({ row }) => state.sizes.listeners + row))
  const sums: Partial<Record<StoreRefusal, number>> = {}
  for (const row of rows) {
    if (shared.has(row)) continue
    const { notStored } = state.trafficTotals(row)
    for (const reason of storeRefusals) {
      const count = notStored[reason] ?? 0
      if (count > 0) sums[reason] = (sums[reason] ?? 0) + count
    }
  }
  return sums
}
