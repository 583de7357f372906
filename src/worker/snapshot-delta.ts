// A snapshot as it is sent to a worker that has another one: only what differs. Ten thousand routes are copied into a thread in
// a tenth of a second; a change of one backend must not cost that.
import type { RouteSpec } from '../core/route-spec.ts'
import type { ListenerSpec, PoolSpec, Snapshot } from '../core/spec.ts'
import { sameData } from '../util/same-data.ts'

/** A list by what stands where in the old one, or -1 - n for the nth of the new items. Null = as it was. */
export interface ListDelta<T> {
  readonly order: Int32Array
  readonly fresh: readonly T[]
}

type Lists = 'listeners' | 'pools' | 'routes'

export interface SnapshotDelta {
  /** Generation of the snapshot that it is to be laid over. */
  readonly base: number
  readonly listeners: ListDelta<ListenerSpec> | null
  readonly pools: ListDelta<PoolSpec> | null
  readonly routes: ListDelta<RouteSpec> | null
  /** All else that differs. */
  readonly rest: Partial<Omit<Snapshot, Lists>>
}

/** The same snapshot, with the objects of `running` wherever they say the same: what is identical has not changed. */
export function sharing(running: Snapshot, next: Snapshot): Snapshot {
  const rest: Record<string, unknown> = { ...next }
  for (const key of Object.keys(next) as (keyof Snapshot)[]) {
    if (sameData(running[key], next[key])) rest[key] = running[key]
  }
  return {
    ...(rest as unknown as Snapshot),
    listeners: sharedList(running.listeners, next.listeners),
    pools: sharedList(running.pools, next.pools),
    routes: sharedList(running.routes, next.routes),
  }
}

function sharedList<T extends { readonly name: string }>(running: readonly T[], next: readonly T[]): readonly T[] {
  if (running === next) return running
  let byName: Map<string, T> | null = null
  const shared = next.map((item, at) => {
    if (running[at] === item) return item
    byName ??= new Map(running.map((one) => [one.name, one]))
    const known = byName.get(item.name)
    return known !== undefined && sameData(known, item) ? known : item
  })
  return shared.length === running.length && shared.every((item, at) => item === running[at]) ? running : shared
}

/** What to send to a worker that runs `running`. `next` is `sharing` with it. */
export function deltaOf(running: Snapshot, next: Snapshot): SnapshotDelta {
  const rest: Record<string, unknown> = {}
  for (const key of Object.keys(next) as (keyof Snapshot)[]) {
    if (key !== 'listeners' && key !== 'pools' && key !== 'routes' && running[key] !== next[key]) rest[key] = next[key]
  }
  return {
    base: running.generation,
    listeners: listDelta(running.listeners, next.listeners),
    pools: listDelta(running.pools, next.pools),
    routes: listDelta(running.routes, next.routes),
    rest,
  }
}

function listDelta<T>(running: readonly T[], next: readonly T[]): ListDelta<T> | null {
  if (running === next) return null
  const places = new Map(running.map((item, at) => [item, at]))
  const fresh: T[] = []
  const order = Int32Array.from(next, (item) => places.get(item) ?? -fresh.push(item))
  return { order, fresh }
}

/** The next snapshot, with the objects of `running` where nothing has changed. @throws Error if it belongs to another one. */
export function withDelta(running: Snapshot, delta: SnapshotDelta): Snapshot {
  if (running.generation !== delta.base) {
    throw new Error(`runs generation ${running.generation}, the change is one of generation ${delta.base}`)
  }
  return {
    ...running,
    ...delta.rest,
    listeners: withListDelta(running.listeners, delta.listeners),
    pools: withListDelta(running.pools, delta.pools),
    routes: withListDelta(running.routes, delta.routes),
  }
}

function withListDelta<T>(running: readonly T[], delta: ListDelta<T> | null): readonly T[] {
  if (delta === null) return running
  return Array.from(delta.order, (at) => (at >= 0 ? running[at]! : delta.fresh[-1 - at]!))
}
