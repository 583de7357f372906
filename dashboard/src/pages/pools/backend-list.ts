// The rows of the page of pools: which backends are shown, in which order, below which pool.
import type { PoolView } from '../../api/types.ts'
import type { Backend } from '../../store/state.ts'

export type SortKey = 'order' | 'backend' | 'state' | 'weight' | 'active' | 'rate' | 'errors' | 'latency'

export interface ListOptions {
  /** Text that the URL has to contain. */
  readonly text: string
  readonly state: 'all' | 'troubled' | Backend['state']
  /** '' = all. */
  readonly pool: string
  readonly sort: SortKey
  readonly descending: boolean
}

export type Item =
  | {
      readonly kind: 'pool'
      readonly name: string
      readonly backends: readonly Backend[]
      readonly pool: PoolView | null
    }
  | { readonly kind: 'backend'; readonly backend: Backend }
  | { readonly kind: 'none'; readonly name: string; readonly filtered: boolean }

export interface PoolList {
  readonly items: readonly Item[]
  readonly shown: number
  readonly total: number
}

const stateOrder: Readonly<Record<Backend['state'], number>> = {
  down: 0,
  ejected: 1,
  draining: 2,
  disabled: 3,
  unknown: 4,
  up: 5,
}

const sortValue: Readonly<Record<Exclude<SortKey, 'order'>, (backend: Backend) => number | string>> = {
  backend: ({ url }) => url,
  state: ({ state }) => stateOrder[state] ?? 9,
  weight: ({ weight }) => weight,
  active: ({ current_connections: active }) => active,
  rate: ({ rate }) => rate,
  errors: ({ errors }) => errors,
  latency: ({ latency_ms: { p99 } }) => p99 ?? -1,
}

/** Something is not as it should be: not a state that somebody asked for. */
export const isTroubled = ({ state }: Backend): boolean => state === 'down' || state === 'ejected'

function isShown(backend: Backend, { text, state }: ListOptions): boolean {
  if (text !== '' && !backend.url.toLowerCase().includes(text.toLowerCase())) return false
  if (state === 'all') return true
  return state === 'troubled' ? backend.state !== 'up' && backend.state !== 'unknown' : backend.state === state
}

function sorted(backends: readonly Backend[], { sort, descending }: ListOptions): readonly Backend[] {
  if (sort === 'order') return backends
  const value = sortValue[sort]
  const sign = descending ? -1 : 1
  const compare = (a: Backend, b: Backend): number => {
    const x = value(a)
    const y = value(b)
    return x === y ? 0 : (x < y ? -1 : 1) * sign
  }
  return backends.toSorted(compare)
}

/** Pools in the order of the API, each followed by its backends. */
export function listPools(backends: Iterable<Backend>, pools: readonly PoolView[], options: ListOptions): PoolList {
  const byPool = new Map<string, Backend[]>(pools.map(({ name }) => [name, []]))
  for (const backend of backends) {
    const list = byPool.get(backend.pool)
    if (list === undefined) byPool.set(backend.pool, [backend])
    else list.push(backend)
  }
  const items: Item[] = []
  let shown = 0
  let total = 0
  for (const [name, all] of byPool) {
    total += all.length
    if (options.pool !== '' && options.pool !== name) continue
    const some = sorted(
      all.filter((backend) => isShown(backend, options)),
      options,
    )
    shown += some.length
    items.push({ kind: 'pool', name, backends: all, pool: pools.find((pool) => pool.name === name) ?? null })
    if (some.length === 0) items.push({ kind: 'none', name, filtered: all.length > 0 })
    for (const backend of some) items.push({ kind: 'backend', backend })
  }
  return { items, shown, total }
}
