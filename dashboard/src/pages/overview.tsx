// The first page: how things are, the last five minutes, what needs attention, and what happened last.
import { useMemo } from 'preact/hooks'
import { Chart } from '../parts/chart.tsx'
import { EventLine } from '../parts/event-line.tsx'
import { Icon } from '../parts/icons.tsx'
import { Empty } from '../parts/resource.tsx'
import { StateChip } from '../parts/state-chip.tsx'
import { Tile } from '../parts/tile.tsx'
import { useNow } from '../parts/use-now.ts'
import { hrefOf } from '../shell/router.ts'
import { store } from '../store/session.ts'
import { type Backend, keyOf } from '../store/state.ts'
import { useStore } from '../store/store.ts'
import { formatAgo, formatBytes, formatCount, formatDuration, formatMs, formatShare, plural } from '../text/format.ts'
import { isTroubled } from './pools/backend-list.ts'
import { totalsOf, UpBar } from './pools/pool-row.tsx'

export function Overview() {
  return (
    <>
      <Tiles />
      <div class="charts">
        <Chart
          title="Requests per second"
          lines={[{ of: 'rate', label: 'requests', colour: 'series-a' }]}
          format={formatCount}
          least={5}
        />
        <Chart
          title="Error rate"
          lines={[{ of: 'errorRate', label: 'of requests', colour: 'series-bad' }]}
          format={(value) => formatShare(value === null ? null : value / 100)}
          least={1}
        />
        <Chart
          title="Latency"
          lines={[
            { of: 'p99', label: 'p99', colour: 'series-b' },
            { of: 'p50', label: 'p50', colour: 'series-a' },
          ]}
          format={formatMs}
          least={2}
        />
        <Chart
          title="Connections"
          lines={[
            { of: 'connections', label: 'open', colour: 'series-a' },
            { of: 'active', label: 'requests in flight', colour: 'series-b' },
          ]}
          format={formatCount}
          least={5}
        />
      </div>
      <div class="columns">
        <div>
          <Trouble />
          <PoolSummary />
        </div>
        <LastEvents />
      </div>
    </>
  )
}

function Tiles() {
  const stats = useStore(store, (state) => state.stats)
  const backends = useStore(store, (state) => state.backends)
  const all = [...(backends?.values() ?? [])]
  const alive = all.filter((backend) => backend.alive).length
  const errors = stats?.requests.error_rate ?? null
  return (
    <section class="tiles" aria-label="Now">
      <Tile name="Requests" value={formatCount(stats?.requests.rate)} unit="/s">
        {formatCount(stats?.requests.total)} in all
      </Tile>
      <Tile name="Errors" value={formatShare(errors)} bad={errors !== null && errors > 0}>
        {formatCount(stats?.requests.errors_total)} in all
      </Tile>
      <Tile name="Latency p50" value={formatMs(stats?.latency_ms.p50)}>
        p99 {formatMs(stats?.latency_ms.p99)}
      </Tile>
      <Tile name="Connections" value={formatCount(stats?.connections.active)}>
        {stats !== null && stats.connections.rejected_total > 0
          ? `${formatCount(stats.connections.rejected_total)} rejected`
          : `${formatCount(stats?.requests.active)} requests in flight`}
      </Tile>
      <Tile name="Traffic out" value={formatBytes(stats?.bytes.sent_rate)} unit="/s">
        in {formatBytes(stats?.bytes.received_rate)}/s
      </Tile>
      <Tile name="Backends alive" value={backends === null ? '–' : `${alive} / ${all.length}`} bad={alive < all.length}>
        {stats === null ? 'uptime –' : `uptime ${formatDuration(stats.uptime_seconds)}`}
      </Tile>
    </section>
  )
}

/** Backends shown before "and more". */
const mostTroubles = 6

function Trouble() {
  const backends = useStore(store, (state) => state.backends)
  const now = useNow()
  const troubled = useMemo(() => [...(backends?.values() ?? [])].filter(isTroubled), [backends])
  if (backends === null) return null
  return (
    <section class="panel" aria-labelledby="trouble">
      <h2 id="trouble">Needs attention</h2>
      {troubled.length === 0 ? (
        <p class="fine">
          <Icon name="check" /> {backends.size === 0 ? 'There is no backend yet.' : 'Nothing: no backend is down.'}
        </p>
      ) : (
        <ul class="lines">
          {troubled.slice(0, mostTroubles).map((backend) => (
            <li key={keyOf(backend)}>
              <StateChip state={backend.state} />
              <a class="mono" href={hrefOf('pools', { pool: backend.pool, q: backend.url })}>
                {backend.url}
              </a>
              <span class="faint">
                {backend.last_check === null
                  ? ''
                  : `${backend.last_check.reason}, ${formatAgo(backend.last_check.at, now)}`}
              </span>
            </li>
          ))}
        </ul>
      )}
      {troubled.length > mostTroubles && (
        <p>
          <a href={hrefOf('pools', { state: 'troubled' })}>All {plural(troubled.length, 'backend')}</a>
        </p>
      )}
    </section>
  )
}

function PoolSummary() {
  const backends = useStore(store, (state) => state.backends)
  const pools = useMemo(() => {
    const byPool = new Map<string, Backend[]>()
    for (const backend of backends?.values() ?? []) {
      byPool.set(backend.pool, [...(byPool.get(backend.pool) ?? []), backend])
    }
    return [...byPool]
  }, [backends])
  if (backends === null) return <p class="reading">Reading backends …</p>
  return (
    <section class="panel" aria-labelledby="pools">
      <h2 id="pools">Pools</h2>
      {pools.length === 0 && (
        <Empty title="No backend yet">
          <p>
            Add the first one under <a href="#/pools">Pools</a>, or run <code>frontdesk backends add URL</code>.
          </p>
        </Empty>
      )}
      <ul class="lines pools">
        {pools.map(([name, list]) => {
          const { alive, rate } = totalsOf(list)
          return (
            <li key={name}>
              <a href={hrefOf('pools', { pool: name })}>{name}</a>
              <UpBar backends={list} />
              <span class={alive === 0 ? 'bad' : ''}>
                {alive} of {list.length} alive
              </span>
              <span class="faint">{formatCount(rate)} req/s</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function LastEvents() {
  const events = useStore(store, (state) => state.events)
  const now = useNow()
  return (
    <section class="panel" aria-labelledby="last-events">
      <h2 id="last-events">Last events</h2>
      {events.length === 0 && <p class="faint">Nothing has happened since Frontdesk started.</p>}
      <ul class="lines events">
        {events.slice(0, 9).map(({ id, data }) => (
          <EventLine key={id} data={data} when={formatAgo(data.at, now)} />
        ))}
      </ul>
      {events.length > 9 && (
        <p>
          <a href="#/events">All events</a>
        </p>
      )}
    </section>
  )
}
