// All that the pages show of a running Frontdesk, and how each thing that arrives changes it. Pure.
import type {
  BackendState,
  BackendView,
  EventData,
  Hello,
  ListenerStats,
  Stats,
  Whoami,
  WorkerView,
} from '../api/types.ts'
import { emptySeries, type Series, withPoint } from './series.ts'

/** How the stream is. */
export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | {
      readonly state: 'lost'
      readonly cause: string
      /** When it was lost, and when the next attempt is (ms since 1970); null = it waits for somebody. */
      readonly since: number
      readonly retryAt: number | null
    }

/** A backend: what the list says, with what the stream says over it. */
export interface Backend extends BackendView {
  readonly rate: number
  readonly error_rate: number
  /** Tick at which the stream last spoke of it. */
  readonly heardAt: number
}

export interface EventEntry {
  /** Id in the stream. */
  readonly id: string
  readonly data: EventData
}

export interface State {
  readonly link: Link
  /** null = not asked yet. */
  readonly who: Whoami | null
  readonly hello: Hello | null
  readonly revision: number | null
  readonly stats: Stats | null
  readonly workers: readonly WorkerView[]
  readonly listeners: readonly ListenerStats[]
  readonly series: Series
  /** By `keyOf`, in the order of the API; null = not known yet. */
  readonly backends: ReadonlyMap<string, Backend> | null
  /** Why the list of backends could not be read. */
  readonly backendsProblem: string | null
  /** Newest first. */
  readonly events: readonly EventEntry[]
  readonly draining: boolean
  /** Grows with each frame that speaks of backends. */
  readonly tick: number
}

export const firstState: State = {
  link: { state: 'connecting' },
  who: null,
  hello: null,
  revision: null,
  stats: null,
  workers: [],
  listeners: [],
  series: emptySeries,
  backends: null,
  backendsProblem: null,
  events: [],
  draining: false,
  tick: 0,
}

const mostEvents = 500

export const keyOf = ({ pool, url }: { readonly pool: string; readonly url: string }): string => `${pool} ${url}`

/** Another process, or this one again, has greeted. */
export function withHello(state: State, hello: Hello): State {
  const another = state.hello !== null && state.hello.instance !== hello.instance
  return {
    ...state,
    hello,
    revision: hello.revision,
    link: { state: 'live' },
    draining: false,
    // Its counters begin at 0: what was counted before says nothing of them.
    ...(another && { stats: null }),
  }
}

export function withStats(state: State, stats: Stats): State {
  const next: State = {
    ...state,
    link: { state: 'live' },
    stats,
    revision: stats.revision,
    draining: stats.draining,
    workers: stats.workers,
    listeners: stats.listeners,
    series: withPoint(state.series, stats),
  }
  return withBackendStats(next, stats)
}

function withBackendStats(state: State, { backends: news, removed, full }: Stats): State {
  if (!full && (state.backends === null || news.length + removed.length === 0)) return state
  const tick = state.tick + 1
  const backends = new Map(state.backends)
  for (const one of removed) backends.delete(keyOf(one))
  for (const one of news) {
    const known = backends.get(keyOf(one))
    // One that the list does not have yet: the event of its coming has the list read again.
    if (known !== undefined) backends.set(keyOf(one), { ...known, ...one, heardAt: tick })
    else if (full) backends.set(keyOf(one), { ...notListedYet, ...one, heardAt: tick })
  }
  return { ...state, backends, tick }
}

/** What the statistics do not tell of a backend; the list does, a moment later. */
const notListedYet = { protocol: 'http', max_connections: 0, backup: false, connections: 0 } as const

/** The list as read by a call that was begun at `sinceTick`: what the stream said meanwhile is newer. */
export function withBackends(state: State, list: readonly BackendView[], sinceTick: number): State {
  const backends = new Map(
    list.map((view): [string, Backend] => {
      const known = state.backends?.get(keyOf(view))
      if (known === undefined) return [keyOf(view), { ...view, rate: 0, error_rate: 0, heardAt: 0 }]
      const newer = known.heardAt > sinceTick
      return [
        keyOf(view),
        {
          ...view,
          rate: known.rate,
          error_rate: known.error_rate,
          heardAt: known.heardAt,
          ...(newer && { state: known.state, alive: known.alive, last_check: known.last_check }),
        },
      ]
    }),
  )
  return { ...state, backends, backendsProblem: null }
}

/** Events after which the list of backends is another one. */
const changesList: ReadonlySet<string> = new Set([
  'backend_added',
  'backend_updated',
  'backend_removed',
  'backend_drained',
  'config_applied',
  'dropped',
])

export const asksForList = (type: string): boolean => changesList.has(type)

const stateAfter: Readonly<Record<string, BackendState>> = {
  backend_up: 'up',
  backend_down: 'down',
  backend_ejected: 'ejected',
}

export function withEvent(state: State, id: string, data: EventData): State {
  if (id !== '' && state.events.some((entry) => entry.id === id)) return state
  const events = [{ id, data }, ...state.events].slice(0, mostEvents)
  const next = {
    ...state,
    events,
    ...(data.type === 'draining' && { draining: true }),
    ...(typeof data.revision === 'number' && { revision: data.revision }),
  }
  return withFlip(next, data)
}

/** A backend that went up or down does so in the row at once, without waiting for the next second. */
function withFlip(state: State, { type, at, pool, backend: url, cause }: EventData): State {
  const to = stateAfter[type]
  if (to === undefined || state.backends === null) return state
  const key = keyOf({ pool: String(pool), url: String(url) })
  const known = state.backends.get(key)
  // What an administrator said of it (draining, disabled) stands above what its checks say.
  if (known === undefined || known.state === 'draining' || known.state === 'disabled') return state
  const tick = state.tick + 1
  const checked = typeof cause === 'string' ? { at, ok: to === 'up', reason: cause } : known.last_check
  const backend: Backend = { ...known, state: to, alive: to === 'up', last_check: checked, heardAt: tick }
  return { ...state, backends: new Map(state.backends).set(key, backend), tick }
}

/** Why it may not; null = it may. */
export function whyReadOnly({ who, link }: State): string | null {
  if (link.state === 'lost') return 'Frontdesk does not answer at the moment'
  if (who === null) return 'Frontdesk has not said yet what this page may do'
  if (who.role === 'full') return null
  return who.role === 'read'
    ? 'Your token may only read; sign in with the full token to change something'
    : 'Sign in with the admin token to change something'
}
