// The page of workers: the threads that serve, how busy each is, and whether one had to be started again.
import type { WorkerView } from '../api/types.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/resource.tsx'
import { Chip, type Tone } from '../parts/state-chip.tsx'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { formatCount, formatShare } from '../text/format.ts'

const tones: Readonly<Record<WorkerView['state'], Tone>> = {
  running: 'ok',
  starting: 'info',
  draining: 'warn',
  dead: 'bad',
}

const columns: Column<WorkerView>[] = [
  { head: 'Worker', cell: ({ id, main }) => <b>{main ? 'main thread' : id}</b> },
  {
    head: 'State',
    cell: ({ state }) => (
      <Chip tone={tones[state]} icon={state === 'running' ? 'check' : state === 'dead' ? 'cross' : 'drain'}>
        {state}
      </Chip>
    ),
  },
  { head: 'Connections', look: 'number', cell: ({ connections }) => formatCount(connections) },
  {
    head: 'Busy',
    look: 'wide',
    cell: ({ utilization }) => (
      <span class="meter">
        <meter min={0} max={1} high={0.85} value={utilization} aria-label="Share of time it was busy" />
        {formatShare(Math.round(utilization * 100) / 100)}
      </span>
    ),
  },
  {
    head: 'Restarts',
    look: 'number',
    cell: ({ restarts }) => <span class={restarts > 0 ? 'bad' : ''}>{formatCount(restarts)}</span>,
  },
]

export function Workers() {
  const workers = useStore(store, (state) => state.workers)
  const stats = useStore(store, (state) => state.stats)
  if (stats === null) return <p class="reading">Reading workers …</p>
  if (workers.length === 0) {
    return (
      <Empty title="No worker threads">
        <p>
          The main thread serves everything; <code>"workers": "auto"</code> starts one thread for each core.
        </p>
      </Empty>
    )
  }
  return <DataTable label="Workers" columns={columns} rows={workers} keyOf={({ id }) => String(id)} />
}
