// The page of routes: in the order in which they are asked, and where a URL would go.
import type { RouteView } from '../api/types.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { FilterInput } from '../parts/filter-input.tsx'
import { Empty, Loaded, useResource } from '../parts/resource.tsx'
import { hrefOf, replacePlace } from '../shell/router.ts'
import { formatCount, formatMs, formatShare } from '../text/format.ts'
import { Explain } from './explain.tsx'

/** More than these are found by the filter. */
const mostRows = 200

const columns: Column<RouteView>[] = [
  {
    head: 'Route',
    cell: ({ name, implicit }) => (
      <>
        <b>{name}</b> {implicit && <span class="tag">implied</span>}
      </>
    ),
  },
  {
    head: 'Takes',
    look: 'wide',
    cell: ({ match, implicit, listeners }) => (
      <>
        <span class="mono">{match}</span>
        {implicit && <span class="faint"> on listener {listeners.join(', ')}</span>}
      </>
    ),
  },
  {
    head: 'Does',
    look: 'wide',
    cell: ({ action, pool }) => (pool === null ? action : <a href={hrefOf('pools', { pool })}>{action}</a>),
  },
  { head: 'Requests', look: 'number', cell: ({ requests }) => formatCount(requests) },
  {
    head: 'Errors',
    look: 'number',
    cell: ({ requests, errors }) => (
      <span class={errors !== null && errors > 0 ? 'bad' : ''}>
        {requests === null || requests === 0 ? '–' : formatShare((errors ?? 0) / requests)}
      </span>
    ),
  },
  {
    head: 'p50 / p99',
    look: 'number',
    cell: ({ latency_ms: { p50, p99 } }) => (
      <>
        {formatMs(p50)} <span class="faint">/ {formatMs(p99)}</span>
      </>
    ),
  },
]

export function Routes({ query }: { readonly query: URLSearchParams }) {
  const resource = useResource<RouteView[]>('/routes', { everyMs: 3_000 })
  const text = query.get('q') ?? ''
  return (
    <>
      <Explain first={query.get('url') ?? ''} />
      <div class="toolbar">
        <FilterInput
          label="Filter routes"
          value={text}
          onChange={(value) => {
            replacePlace('routes', { q: value })
            dispatchEvent(new HashChangeEvent('hashchange'))
          }}
        />
      </div>
      <Loaded of={resource} what="Routes">
        {(routes) => <Rows routes={routes} text={text} />}
      </Loaded>
    </>
  )
}

function Rows({ routes, text }: { readonly routes: readonly RouteView[]; readonly text: string }) {
  const wanted = text.toLowerCase()
  const found = routes.filter(({ name, match, action }) => `${name} ${match} ${action}`.toLowerCase().includes(wanted))
  if (found.length === 0) {
    return (
      <Empty title={routes.length === 0 ? 'There is no route' : 'No route matches the filter'}>
        {routes.length === 0 && (
          <p>
            Every request is answered with 404. Add a route or a pool under <a href="#/configuration">Configuration</a>.
          </p>
        )}
      </Empty>
    )
  }
  return (
    <>
      <DataTable
        label="Routes, in the order in which they are asked"
        columns={columns}
        rows={found.slice(0, mostRows)}
        keyOf={({ name, order, listeners }) => `${order} ${name} ${listeners}`}
      />
      {found.length > mostRows && (
        <p class="faint">
          {mostRows} of {found.length} routes are shown; the filter finds the others.
        </p>
      )}
    </>
  )
}
