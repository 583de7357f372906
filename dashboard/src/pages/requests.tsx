// The page of live requests: those that end while it is open, found by filter, with what each took and where it went.
import { useEffect, useRef, useState } from 'preact/hooks'
import { call, wordsOf } from '../api/client.ts'
import { type CacheResult, cacheResults, type RequestView } from '../api/types.ts'
import { Icon } from '../parts/icons.tsx'
import { Empty, Failure } from '../parts/resource.tsx'
import { Chip, statusTone, type Tone } from '../parts/state-chip.tsx'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { formatBytes, formatMs, formatTime } from '../text/format.ts'
import { RequestDetails } from './request-details.tsx'
import { type Filters, matches, noFilter, queryOf } from './request-filter.ts'

const cacheTones: Readonly<Record<CacheResult, Tone>> = {
  hit: 'ok',
  stale: 'warn',
  revalidated: 'info',
  collapsed: 'info',
  miss: 'quiet',
  bypass: 'quiet',
}

/** Kept on the page; older ones go. */
const mostRequests = 200
/** Asked for in one call: it answers when it has so many, at the latest after a second. */
const atOnce = 100
/** Between two calls at least, where a call is full at once: faster nobody reads. */
const betweenMs = 400

interface Seen {
  readonly id: number
  readonly request: RequestView
}

export function Requests() {
  const [filters, setFilters] = useState(noFilter)
  const [paused, setPaused] = useState(false)
  const [open, setOpen] = useState<number | null>(null)
  const { list: kept, problem, clear } = useRequests(filters, paused)
  // Those that were there before somebody filtered.
  const list = kept.filter(({ request }) => matches(request, filters))
  return (
    <>
      <FilterBar filters={filters} onChange={setFilters}>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          <Icon name={paused ? 'play' : 'pause'} /> {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" onClick={clear}>
          Clear
        </button>
      </FilterBar>
      {problem !== null && <Failure text={`Live requests: ${problem}`} />}
      {list.length === 0 ? (
        <Empty title={paused ? 'Paused' : 'Waiting for requests …'}>
          {Object.keys(queryOf(filters)).length > 0 ? (
            <p>None that the filter lets through has ended while this page was open.</p>
          ) : (
            <p>
              Each request that ends is shown here while this page is open; send one with{' '}
              <code>frontdesk request http://localhost:8080/</code>.
            </p>
          )}
        </Empty>
      ) : (
        <div class="panel flat">
          <table class="data requests">
            <caption class="unseen">Requests, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Status</th>
                <th scope="col" class="wide">
                  Request
                </th>
                <th scope="col">Cache</th>
                <th scope="col">Backend</th>
                <th scope="col" class="number">
                  Took
                </th>
                <th scope="col" class="number">
                  Sent
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map(({ id, request }) => (
                <Row
                  key={id}
                  request={request}
                  open={open === id}
                  onToggle={() => {
                    setOpen(open === id ? null : id)
                    // What is read must not move away.
                    if (open !== id) setPaused(true)
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

/** One call after the other while the page is open; nothing is asked for while it is paused or the stream is lost. */
function useRequests(filters: Filters, paused: boolean) {
  const [list, setList] = useState<readonly Seen[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const isLive = useStore(store, (state) => state.link.state === 'live')
  const nextId = useRef(1)
  const search = JSON.stringify(queryOf(filters))
  useEffect(() => {
    if (paused || !isLive) return
    const abort = new AbortController()
    const query = { ...(JSON.parse(search) as Record<string, string>), limit: String(atOnce) }
    const follow = async (): Promise<void> => {
      while (!abort.signal.aborted) {
        const rested = new Promise((resolve) => setTimeout(resolve, betweenMs))
        const found = await call<RequestView[]>('GET', '/requests', { query, signal: abort.signal })
        setProblem(null)
        const seen = found.map((request) => ({ id: nextId.current++, request })).reverse()
        if (seen.length > 0) setList((before) => [...seen, ...before].slice(0, mostRequests))
        await rested
      }
    }
    // A filter is often typed letter by letter.
    const timer = setTimeout(() => {
      follow().catch((error: Error) => {
        if (!abort.signal.aborted) setProblem(wordsOf(error))
      })
    }, 150)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [search, paused, isLive])
  return { list, problem, clear: () => setList([]) }
}

interface FilterBarProps {
  readonly filters: Filters
  readonly onChange: (filters: Filters) => void
  readonly children: preact.ComponentChildren
}

function FilterBar({ filters, onChange, children }: FilterBarProps) {
  const field = (name: Exclude<keyof Filters, 'errors' | 'cache'>, label: string, more: object = {}) => (
    <input
      aria-label={label}
      placeholder={label}
      value={filters[name]}
      spellcheck={false}
      autocomplete="off"
      class={`filter-${name}`}
      onInput={(event) => onChange({ ...filters, [name]: event.currentTarget.value })}
      {...more}
    />
  )
  return (
    <div class="toolbar">
      {field('path', 'Path begins with', { 'data-filter': true, placeholder: 'Path' })}
      {field('status', 'Status: 404, 5xx, 400-499', { placeholder: 'Status: 5xx' })}
      {field('method', 'Method')}
      {field('backend', 'Backend URL', { list: 'known-backends' })}
      <KnownBackends />
      {field('min_ms', 'At least ms', { inputMode: 'numeric' })}
      <select
        aria-label="What the cache did"
        value={filters.cache}
        onChange={(event) => onChange({ ...filters, cache: event.currentTarget.value as Filters['cache'] })}
      >
        <option value="">Cache: any</option>
        {cacheResults.map((result) => (
          <option key={result}>{result}</option>
        ))}
      </select>
      <label class="check">
        <input
          type="checkbox"
          checked={filters.errors}
          onChange={(event) => onChange({ ...filters, errors: event.currentTarget.checked })}
        />
        Errors only
      </label>
      <span class="gap" />
      {children}
    </div>
  )
}

/** Offered while a URL is typed; of very many only some. */
function KnownBackends() {
  const backends = useStore(store, (state) => state.backends)
  const urls = [...new Set([...(backends?.values() ?? [])].map(({ url }) => url))].slice(0, 200)
  return (
    <datalist id="known-backends">
      {urls.map((url) => (
        <option key={url} value={url} />
      ))}
    </datalist>
  )
}

interface RowProps {
  readonly request: RequestView
  readonly open: boolean
  readonly onToggle: () => void
}

function Row({ request, open, onToggle }: RowProps) {
  const { status, method, target, host, error, cache = '' } = request
  return (
    <>
      <tr class={open ? 'open' : ''}>
        <td data-label="Time">
          <div class="mono">{formatTime(request.time)}</div>
        </td>
        <td data-label="Status">
          <div>
            {status === undefined ? (
              <Chip tone={error === '' ? 'ok' : 'bad'}>{request.protocol}</Chip>
            ) : (
              <Chip tone={statusTone(status)}>{status === 0 ? 'none' : status}</Chip>
            )}
          </div>
        </td>
        <td class="wide" data-label="Request">
          <div>
            <button type="button" class="link mono" aria-expanded={open} onClick={onToggle}>
              {method ?? 'connection of'} {target ?? request.client}
            </button>
            {host !== undefined && <span class="faint"> {host}</span>}
            {error !== '' && <span class="bad"> {error.replaceAll('_', ' ')}</span>}
          </div>
        </td>
        <td data-label="Cache">
          <div>{cache === '' ? <span class="faint">–</span> : <Chip tone={cacheTones[cache]}>{cache}</Chip>}</div>
        </td>
        <td data-label="Backend">
          <div class="mono">{request.backend === '' ? '–' : request.backend}</div>
        </td>
        <td class="number" data-label="Took">
          <div>{formatMs(request.duration_ms)}</div>
        </td>
        <td class="number" data-label="Sent">
          <div>{formatBytes(request.bytes_sent)}</div>
        </td>
      </tr>
      {open && (
        <tr class="details">
          <td colSpan={7}>
            <RequestDetails request={request} />
          </td>
        </tr>
      )}
    </>
  )
}
