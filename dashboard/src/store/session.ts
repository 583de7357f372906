// The page's connection to Frontdesk: one stream into one store, the list of backends read again when it has changed, and
// who this page is to the API.
import { type ApiError, call, whenUnauthorized, wordsOf } from '../api/client.ts'
import { LiveStream } from '../api/live-stream.ts'
import type { SseFrame } from '../api/sse-parser.ts'
import { keepToken, readToken } from '../api/token.ts'
import type { BackendView, EventData, Hello, Stats, Whoami } from '../api/types.ts'
import { isReplay } from './replayed.ts'
import { asksForList, firstState, type State, withBackends, withEvent, withHello, withStats } from './state.ts'
import { Store } from './store.ts'

export const store = new Store<State>(firstState)

/** Changes that come in one go are one reading of the list. */
const gatherMs = 40
let listTimer: ReturnType<typeof setTimeout> | undefined

/** The first time all events that are kept are wanted; later those after the last one, by the stream itself. */
const stream = new LiveStream('/events?last_event_id=0', {
  onOpen: () => {
    void refreshBackends()
    if (store.get().who?.role !== 'full') void refreshWho()
  },
  onFrames: (frames) => store.update((state) => frames.reduce(withFrame, state)),
  onLost,
})

/** Begins: who am I, then the stream. */
export async function startSession(): Promise<void> {
  whenUnauthorized(() => void refreshWho())
  await refreshWho()
  const { who } = store.get()
  if (who?.role === 'none') return
  stream.start()
}

/** Does not wait for the next attempt. */
export function connectNow(): void {
  store.update((state) => ({ ...state, link: { state: 'connecting' } }))
  stream.start()
}

/** Takes a token, if Frontdesk does; what it says of it otherwise. */
export async function signIn(token: string): Promise<string | null> {
  const before = readToken()
  keepToken(token.trim() === '' ? null : token.trim())
  try {
    const who = await call<Whoami>('GET', '/whoami')
    if (who.role === 'none') {
      keepToken(before)
      return 'Frontdesk does not know this token.'
    }
    store.update((state) => ({ ...state, who }))
    connectNow()
    return null
  } catch (error) {
    keepToken(before)
    return wordsOf(error)
  }
}

export function signOut(): void {
  keepToken(null)
  location.reload()
}

export async function refreshBackends(): Promise<void> {
  const { tick } = store.get()
  try {
    const list = await call<BackendView[]>('GET', '/backends')
    store.update((state) => withBackends(state, list, tick))
  } catch (error) {
    store.update((state) => ({ ...state, backendsProblem: wordsOf(error) }))
  }
}

async function refreshWho(): Promise<void> {
  try {
    const who = await call<Whoami>('GET', '/whoami')
    store.update((state) => ({ ...state, who }))
  } catch {
    // The stream tells that Frontdesk does not answer, and asks again once it does.
  }
}

function withFrame(state: State, { event, data, id }: SseFrame): State {
  const value: unknown = JSON.parse(data)
  if (event === 'hello') return withHello(state, value as Hello)
  if (event === 'stats') return withStats(state, value as Stats)
  const told = value as EventData
  if (asksForList(event)) readListSoon()
  if (state.hello !== null && isReplay(told.at, state.hello.at)) {
    return { ...withEvent({ ...state, backends: null }, id, told), backends: state.backends, draining: state.draining }
  }
  return withEvent(state, id, told)
}

function readListSoon(): void {
  clearTimeout(listTimer)
  listTimer = setTimeout(() => void refreshBackends(), gatherMs)
}

function onLost(cause: ApiError, _attempt: number, retryAt: number | null): void {
  store.update((state) => ({
    ...state,
    link: {
      state: 'lost',
      cause: cause.message,
      since: state.link.state === 'lost' ? state.link.since : Date.now(),
      retryAt,
    },
  }))
}
