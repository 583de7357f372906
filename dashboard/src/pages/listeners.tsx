// The page of listeners: where clients connect, and how many do.
import type { ListenerStats, ListenerView } from '../api/types.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Icon } from '../parts/icons.tsx'
import { Empty, Loaded, useResource } from '../parts/resource.tsx'
import { Chip } from '../parts/state-chip.tsx'
import { hrefOf } from '../shell/router.ts'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { formatCount } from '../text/format.ts'

export function Listeners() {
  const resource = useResource<ListenerView[]>('/listeners', { everyMs: 2_000 })
  const live = useStore(store, (state) => state.listeners)
  return (
    <Loaded of={resource} what="Listeners">
      {(listeners) =>
        listeners.length === 0 ? (
          <Empty title="Frontdesk listens nowhere">
            <p>
              Add a listener under <a href="#/configuration">Configuration</a>.
            </p>
          </Empty>
        ) : (
          <DataTable label="Listeners" columns={columnsWith(live)} rows={listeners} keyOf={({ name }) => name} />
        )
      }
    </Loaded>
  )
}

function columnsWith(live: readonly ListenerStats[]): Column<ListenerView>[] {
  const statsOf = (name: string): ListenerStats | undefined => live.find((one) => one.name === name)
  return [
    { head: 'Name', cell: ({ name }) => <b>{name}</b> },
    { head: 'Address', look: 'wide', cell: ({ address }) => <span class="mono">{address}</span> },
    {
      head: 'Protocol',
      cell: ({ protocol, tls }) => (
        <>
          {protocol}{' '}
          {tls && (
            <Chip tone="ok">
              <Icon name="lock" size={12} /> TLS
            </Chip>
          )}
        </>
      ),
    },
    {
      head: 'Leads to',
      cell: ({ pool }) => (pool === null ? 'routes' : <a href={hrefOf('pools', { pool })}>{pool}</a>),
    },
    {
      head: 'Connections',
      look: 'number',
      cell: ({ name, connections }) => formatCount(statsOf(name)?.connections ?? connections.active),
    },
    {
      head: 'Rate',
      look: 'number',
      cell: ({ name }) => (
        <>
          {formatCount(statsOf(name)?.rate)}
          <span class="faint">/s</span>
        </>
      ),
    },
    { head: 'Accepted', look: 'number', cell: ({ connections }) => formatCount(connections.total) },
    {
      head: 'Rejected',
      look: 'number',
      cell: ({ connections: { rejected } }) => <span class={rejected > 0 ? 'bad' : ''}>{formatCount(rejected)}</span>,
    },
    { head: 'Requests', look: 'number', cell: ({ requests }) => formatCount(requests.total) },
  ]
}
