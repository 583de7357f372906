// Why answers of a route were not stored, counted since the start.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { Snapshot } from '../../core/spec.ts'
import { type StoreRefusal, storeRefusals } from '../../state/names.ts'
import type { OwnerState } from '../../state/owner-state.ts'

/** Only the reasons that occurred. */
export type RefusalCounts = Readonly<Partial<Record<StoreRefusal, number>>>

/** Rows of a route that are its own: one of very many shares those of the others. */
export function ownRows(
  { rows }: Pick<RouteSpec, 'rows'>,
  { listeners }: Pick<Snapshot, 'listeners'>,
  { sizes }: Pick<OwnerState, 'sizes'>,
): readonly number[] {
  const shared = new Set(listeners.map(({ row }) => sizes.listeners + row))
  return rows.filter((row) => !shared.has(row))
}

/** Over all listeners; of a route that is not counted apart, nothing. */
export function refusalsOf(
  route: Pick<RouteSpec, 'rows'>,
  snapshot: Pick<Snapshot, 'listeners'>,
  state: Pick<OwnerState, 'trafficTotals' | 'sizes'>,
): RefusalCounts {
  return summedRefusals(ownRows(route, snapshot, state).map((row) => state.trafficTotals(row).notStored))
}

export function summedRefusals(counts: readonly RefusalCounts[]): RefusalCounts {
  const sums: Partial<Record<StoreRefusal, number>> = {}
  for (const reason of storeRefusals) {
    const sum = counts.reduce((total, one) => total + (one[reason] ?? 0), 0)
    if (sum > 0) sums[reason] = sum
  }
  return sums
}
