// The page of pools: every backend with its state and figures, found by filter, changed by button or key.
import { useCallback, useMemo, useRef, useState } from 'preact/hooks'
import type { PoolView } from '../../api/types.ts'
import { VirtualRows } from '../../list/virtual-rows.tsx'
import { FilterInput } from '../../parts/filter-input.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Empty, Failure, useResource } from '../../parts/resource.tsx'
import { useNow } from '../../parts/use-now.ts'
import { useRefusal, WriteButton } from '../../parts/write-button.tsx'
import { replacePlace } from '../../shell/router.ts'
import { useMedia } from '../../shell/use-media.ts'
import { refreshBackends, store } from '../../store/session.ts'
import { type Backend, keyOf } from '../../store/state.ts'
import { useStore } from '../../store/store.ts'
import { askAdd } from './actions.tsx'
import { type Item, type ListOptions, listPools, type SortKey } from './backend-list.ts'
import { BackendRow } from './backend-row.tsx'
import { PoolRow } from './pool-row.tsx'
import { takeKey } from './row-keys.ts'

const heights = {
  wide: { pool: 64, backend: 46, none: 64 },
  narrow: { pool: 128, backend: 158, none: 72 },
} as const

const columns: readonly { key: SortKey; label: string; look: string }[] = [
  { key: 'state', label: 'State', look: '' },
  { key: 'backend', label: 'Backend', look: '' },
  { key: 'weight', label: 'Weight', look: 'number' },
  { key: 'active', label: 'Active', look: 'number' },
  { key: 'rate', label: 'Rate', look: 'number' },
  { key: 'errors', label: 'Errors', look: 'number' },
  { key: 'latency', label: 'p50 / p99', look: 'number' },
]

export function Pools({ query }: { readonly query: URLSearchParams }) {
  const backends = useStore(store, (state) => state.backends)
  const problem = useStore(store, (state) => state.backendsProblem)
  const pools = useResource<PoolView[]>('/pools', { everyMs: 10_000 })
  const [options, setOptions] = useState<ListOptions>(() => optionsOf(query))
  const change = (some: Partial<ListOptions>): void => {
    const next = { ...options, ...some }
    setOptions(next)
    replacePlace('pools', { pool: next.pool, q: next.text, state: next.state === 'all' ? '' : next.state })
  }
  const list = useMemo(
    () => listPools(backends?.values() ?? [], pools.value ?? [], options),
    [backends, pools.value, options],
  )
  const names = useMemo(
    () => [...new Set([...(pools.value ?? []).map(({ name }) => name), ...poolsOf(backends)])],
    [pools.value, backends],
  )
  const add = (pool: string): void => askAdd(names, pool)
  return (
    <>
      <div class="toolbar">
        <FilterInput label="Filter backends" value={options.text} onChange={(text) => change({ text })} />
        <select
          aria-label="State"
          value={options.state}
          onChange={(event) => change({ state: event.currentTarget.value as ListOptions['state'] })}
        >
          <option value="all">All states</option>
          <option value="troubled">Not up</option>
          {['up', 'down', 'ejected', 'draining', 'disabled', 'unknown'].map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
        {names.length > 1 && (
          <select
            aria-label="Pool"
            value={options.pool}
            onChange={(event) => change({ pool: event.currentTarget.value })}
          >
            <option value="">All pools</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <p class="count" role="status">
          {list.shown === list.total ? `${list.total} backends` : `${list.shown} of ${list.total} backends`}
        </p>
        <WriteButton class="primary" onClick={() => add(options.pool || names[0] || 'default')}>
          <Icon name="plus" /> Add backend
        </WriteButton>
      </div>
      {problem !== null && <Failure text={`Backends: ${problem}`} again={() => void refreshBackends()} />}
      {pools.problem !== null && <Failure text={`Pools: ${pools.problem}`} again={pools.reload} />}
      {backends === null ? (
        problem === null && <p class="reading">Reading backends …</p>
      ) : list.items.length === 0 ? (
        <Empty title="There is no pool yet">
          <p>
            Add one under <a href="#/configuration">Configuration</a>, in <code>pools</code>.
          </p>
        </Empty>
      ) : (
        <Table items={list.items} options={options} onSort={change} onAdd={add} />
      )}
    </>
  )
}

function optionsOf(query: URLSearchParams): ListOptions {
  return {
    text: query.get('q') ?? '',
    state: (query.get('state') ?? 'all') as ListOptions['state'],
    pool: query.get('pool') ?? '',
    sort: 'order',
    descending: false,
  }
}

function* poolsOf(backends: ReadonlyMap<string, Backend> | null): Generator<string> {
  for (const { pool } of backends?.values() ?? []) yield pool
}

const itemKey = (item: Item): string => (item.kind === 'backend' ? keyOf(item.backend) : `${item.kind} ${item.name}`)

interface TableProps {
  readonly items: readonly Item[]
  readonly options: ListOptions
  readonly onSort: (some: Partial<ListOptions>) => void
  readonly onAdd: (pool: string) => void
}

function Table({ items, options, onSort, onAdd }: TableProps) {
  const box = useRef<HTMLDivElement>(null)
  const now = useNow()
  const refusal = useRefusal()
  const narrow = useMedia('(max-width: 860px)')
  const [active, setActive] = useState<string | null>(null)
  const size = narrow ? heights.narrow : heights.wide
  const heightOf = useCallback((item: Item) => size[item.kind], [size])
  const first = items.find((item) => item.kind === 'backend')
  const current = items.some((item) => itemKey(item) === active) ? active : first === undefined ? null : itemKey(first)
  const activate = useCallback((backend: Backend) => setActive(keyOf(backend)), [])
  const sortBy = (key: SortKey): void => {
    if (options.sort !== key) onSort({ sort: key, descending: !['state', 'backend'].includes(key) })
    else if (options.descending === !['state', 'backend'].includes(key)) onSort({ descending: !options.descending })
    else onSort({ sort: 'order', descending: false })
  }
  return (
    <div
      ref={box}
      class="table backends"
      role="table"
      aria-label="Backends"
      aria-rowcount={items.length + 1}
      onKeyDown={(event) => takeKey(event, { items, heightOf, current, setActive, box: box.current!, keyOf: itemKey })}
    >
      <div class="row head" role="row" aria-rowindex={1}>
        {columns.map(({ key, label, look }) => (
          <div
            key={key}
            class={`cell ${look}`}
            role="columnheader"
            aria-sort={options.sort !== key ? 'none' : options.descending ? 'descending' : 'ascending'}
          >
            <button type="button" class="sort" onClick={() => sortBy(key)}>
              {label}
              {options.sort === key && <Icon name={options.descending ? 'down' : 'up'} size={12} />}
            </button>
          </div>
        ))}
        <Head>Last check</Head>
        <Head>Actions</Head>
      </div>
      <VirtualRows
        items={items}
        heightOf={heightOf}
        keyOf={itemKey}
        render={(item, index) => {
          if (item.kind === 'pool') return <PoolRow item={item} index={index + 2} onAdd={() => onAdd(item.name)} />
          if (item.kind === 'none') return <NoneRow item={item} index={index + 2} />
          const key = itemKey(item)
          return (
            <BackendRow
              backend={item.backend}
              index={index + 2}
              active={key === current}
              now={now}
              refusal={refusal}
              onActivate={activate}
            />
          )
        }}
      />
    </div>
  )
}

function Head({ children }: { readonly children: string }) {
  return (
    <div class="cell" role="columnheader">
      {children}
    </div>
  )
}

function NoneRow({ item, index }: { readonly item: Extract<Item, { kind: 'none' }>; readonly index: number }) {
  return (
    <div class="row none" role="row" aria-rowindex={index}>
      <div class="cell" role="cell">
        {item.filtered
          ? `No backend of ${item.name} matches the filter.`
          : `${item.name} has no backend: requests to it are answered with 503. Add one.`}
      </div>
    </div>
  )
}
