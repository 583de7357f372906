// What the cache has come to: how often it serves, how full it is, by route, and how the disk is.
import type { CacheResult, CacheRouteView, CacheView } from '../../api/types.ts'
import { cacheResults } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/resource.tsx'
import { Tile } from '../../parts/tile.tsx'
import { store } from '../../store/session.ts'
import { useStore } from '../../store/store.ts'
import { formatBytes, formatCount, formatShare, formatSpan } from '../../text/format.ts'

/** Beside each result its colour, and what it means. */
export const resultLooks: Readonly<Record<CacheResult, readonly [tone: string, meaning: string]>> = {
  hit: ['ok', 'fresh, from the cache'],
  stale: ['warn', 'from the cache though it was stale'],
  revalidated: ['info', 'from the cache, after a backend said that it has not changed'],
  collapsed: ['series-c', 'got the answer that another request had asked for'],
  miss: ['quiet', 'asked a backend'],
  bypass: ['series-d', 'not looked up: its method, or "bypass"'],
}

/** In the units of the configuration. */
export const formatRoom = (bytes: number | null): string => formatBytes(bytes, 1024)

export function Figures({ of }: { readonly of: CacheView }) {
  const live = useStore(store, (state) => state.stats?.cache)
  const { memory, disk } = of
  return (
    <>
      <section class="tiles" aria-label="Now">
        <Tile name="Hit ratio" value={formatShare(live?.ratio)}>
          {formatShare(of.hit_ratio)} in all
        </Tile>
        <Tile name="Memory" value={formatRoom(live?.bytes ?? memory.used)}>
          <Fill name="memory" used={live?.bytes ?? memory.used} size={memory.size} />
        </Tile>
        <Tile name="Entries" value={formatCount(live?.entries ?? memory.entries)}>
          {of.filling > 0 ? `${formatCount(of.filling)} coming in` : `${formatCount(of.stored)} stored in all`}
        </Tile>
        <Tile name="Evicted" value={formatCount(of.evicted)}>
          {formatCount(of.purged)} purged
        </Tile>
        <Tile name="Oldest entry" value={of.oldest_age_seconds === null ? '–' : formatSpan(of.oldest_age_seconds)}>
          since it came
        </Tile>
        {disk === null ? (
          <Tile name="Disk" value="off">
            memory only
          </Tile>
        ) : (
          <Tile name="Disk" value={formatRoom(disk.used)} bad={disk.state !== 'ok'}>
            <Fill name="disk" used={disk.used} size={disk.size} />
          </Tile>
        )}
      </section>
      {disk !== null && disk.state !== 'ok' && (
        <Failure
          text={`Nothing is written to ${disk.path} any more: ${disk.problem ?? 'it failed'}. Memory serves alone.`}
        />
      )}
    </>
  )
}

function Fill({ name, used, size }: { readonly name: string; readonly used: number; readonly size: number }) {
  return (
    <span class="fill">
      <meter min={0} max={size} value={used} aria-label={`Share of the ${name} in use`} />
      of {formatRoom(size)}
    </span>
  )
}

/** How requests ended, as a bar of parts and in figures. */
export function Results({ of }: { readonly of: CacheView }) {
  const { requests } = of
  const all = cacheResults.reduce((sum, result) => sum + requests[result], 0)
  return (
    <section class="panel" aria-labelledby="results">
      <h2 id="results">Requests by result</h2>
      <span class="bar" aria-hidden="true">
        {cacheResults.map(
          (result) =>
            requests[result] > 0 && (
              <i key={result} class={resultLooks[result][0]} style={{ flexGrow: requests[result] }} />
            ),
        )}
      </span>
      <dl class="results">
        {cacheResults.map((result) => (
          <div key={result} title={resultLooks[result][1]}>
            <dt>
              <i class={`line ${resultLooks[result][0]}`} /> {result}
            </dt>
            <dd>
              <b>{formatCount(requests[result])}</b>{' '}
              <span class="faint">{formatShare(all === 0 ? null : requests[result] / all)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const routeColumns: Column<CacheRouteView>[] = [
  { head: 'Route', cell: ({ name }) => <b>{name}</b> },
  {
    head: 'Requests',
    look: 'number',
    cell: ({ requests }) => formatCount(cacheResults.reduce((sum, result) => sum + requests[result], 0)),
  },
  { head: 'Hit ratio', look: 'number', cell: ({ hit_ratio: ratio }) => formatShare(ratio) },
  { head: 'Not kept, most often', look: 'wide', cell: ({ not_stored: refused }) => <NotKept refused={refused} /> },
]

/** Reasons that are named. */
const mostReasons = 3

function NotKept({ refused }: { readonly refused: CacheRouteView['not_stored'] }) {
  const reasons = Object.entries(refused).sort(([, a], [, b]) => b - a)
  if (reasons.length === 0) return <span class="faint">–</span>
  const named = reasons.slice(0, mostReasons).map(([reason, count]) => `${reason} ${formatCount(count)}`)
  return <span>{[...named, ...(reasons.length > mostReasons ? ['…'] : [])].join(', ')}</span>
}

export function RouteRatios({ of }: { readonly of: CacheView }) {
  return <DataTable label="Routes that cache" columns={routeColumns} rows={of.routes} keyOf={({ name }) => name} />
}
