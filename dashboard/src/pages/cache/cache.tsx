// The page of the cache: how often it serves, how full it is, what it holds, and how to throw something out.
import { useEffect, useState } from 'preact/hooks'
import type { CacheView } from '../../api/types.ts'
import { Chart } from '../../parts/chart.tsx'
import { FilterInput } from '../../parts/filter-input.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Empty, Loaded, useResource } from '../../parts/resource.tsx'
import { WriteButton } from '../../parts/write-button.tsx'
import { replacePlace } from '../../shell/router.ts'
import { formatShare } from '../../text/format.ts'
import { Figures, formatRoom, Results, RouteRatios } from './figures.tsx'
import { askPurge, purgeUrl } from './purge-dialog.tsx'
import { TopEntries } from './top-entries.tsx'

/** Entries that are listed. */
const most = 50
/** A prefix is typed letter by letter. */
const typingMs = 200

export function Cache({ query }: { readonly query: URLSearchParams }) {
  const [text, setText] = useState(query.get('q') ?? '')
  const prefix = useSettled(text.trim())
  const resource = useResource<CacheView>('/cache', {
    everyMs: 2_000,
    query: { limit: String(most), ...(prefix !== '' && { prefix }) },
  })
  const change = (value: string): void => {
    setText(value)
    replacePlace('cache', { q: value })
  }
  return (
    <Loaded of={resource} what="Cache">
      {(cache) =>
        cache.enabled ? (
          <>
            <Figures of={cache} />
            <Charts />
            <div class="columns">
              <Results of={cache} />
              <RouteRatios of={cache} />
            </div>
            <div class="toolbar">
              <FilterInput label="URL begins with" value={text} onChange={change} />
              <p class="count" role="status">
                the {cache.top.length} used most
              </p>
              <WriteButton onClick={() => askPurge(text.trim(), resource.reload)}>
                <Icon name="remove" /> Purge …
              </WriteButton>
            </div>
            <TopEntries rows={cache.top} prefix={prefix} onPurge={(url) => void purgeUrl(url, resource.reload)} />
          </>
        ) : (
          <Nothing />
        )
      }
    </Loaded>
  )
}

/** The value once it has stayed the same for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), typingMs)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}

/** So that the marks are round in the units of the configuration. */
const binarySteps = Array.from({ length: 40 }, (_, i) => 2 ** i)

const charts = (
  <div class="charts">
    <Chart
      title="Hit ratio"
      lines={[{ of: 'hitRatio', label: 'of requests', colour: 'series-a' }]}
      format={(value) => formatShare(value === null ? null : value / 100)}
      least={100}
    />
    <Chart
      title="In memory"
      lines={[{ of: 'cacheBytes', label: 'in use', colour: 'series-b' }]}
      format={formatRoom}
      least={2 ** 20}
      steps={binarySteps}
    />
  </div>
)

const Charts = () => charts

function Nothing() {
  return (
    <Empty title="Nothing caches yet">
      <p>
        Set <code>"cache": true</code> for all routes, or in those whose answers may be kept, under{' '}
        <a href="#/configuration">Configuration</a>. What is stored, and for how long, is in the guide:{' '}
        <code>docs/guide/caching.md</code>.
      </p>
    </Empty>
  )
}
