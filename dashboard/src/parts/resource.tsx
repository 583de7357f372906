// A list that one call gives: read when its page opens, when the configuration changes, when the stream is back, and now
// and then where it counts something.
import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { call, wordsOf } from '../api/client.ts'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { Icon } from './icons.tsx'

export interface Resource<T> {
  readonly value: T | null
  readonly problem: string | null
  readonly reload: () => void
}

export interface ResourceOptions {
  readonly everyMs?: number
  readonly query?: Readonly<Record<string, string>>
}

export function useResource<T>(path: string, { everyMs, query = {} }: ResourceOptions = {}): Resource<T> {
  const [result, setResult] = useState<{ value: T | null; problem: string | null }>({ value: null, problem: null })
  const isLive = useStore(store, (state) => state.link.state === 'live')
  const revision = useStore(store, (state) => state.revision)
  const search = new URLSearchParams(query).toString()
  const [round, setRound] = useState(0)
  const shown = useRef('')
  // Another revision and another round are reasons to read again.
  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    const place = `${path}?${search}`
    const read = async (): Promise<void> => {
      try {
        const value = await call<T>('GET', search === '' ? path : place, { signal })
        shown.current = place
        if (!signal.aborted) setResult({ value, problem: null })
      } catch (error) {
        if (signal.aborted) return
        setResult(({ value }) => ({ value: shown.current === place ? value : null, problem: wordsOf(error) }))
      }
    }
    let timer: ReturnType<typeof setTimeout> | undefined
    const keepReading = async (): Promise<void> => {
      const began = performance.now()
      await read()
      if (signal.aborted || everyMs === undefined || !isLive) return
      timer = setTimeout(() => void keepReading(), pauseAfter(performance.now() - began, everyMs))
    }
    void keepReading()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [path, search, everyMs, isLive, revision, round])
  return { ...result, reload: useCallback(() => setRound((n) => n + 1), []) }
}

/** One call after the other, and what costs much less often: at most a fifth of the time Frontdesk is busy with it. */
const pauseAfter = (tookMs: number, everyMs: number): number => Math.max(everyMs, 4 * tookMs)

/** The list, or that it is being read, or why it cannot be. */
export function Loaded<T>(o: { of: Resource<T>; what: string; children: (value: T) => ComponentChildren }) {
  const { value, problem, reload } = o.of
  if (value !== null) {
    return (
      <>
        {problem !== null && <Failure text={`${o.what}: ${problem} What is shown is older.`} again={reload} />}
        {o.children(value)}
      </>
    )
  }
  if (problem !== null) return <Failure text={`${o.what}: ${problem}`} again={reload} />
  return <p class="reading">Reading {o.what.toLowerCase()} …</p>
}

export function Failure({ text, again }: { readonly text: string; readonly again?: () => void }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warn" />
      <p>{text}</p>
      {again !== undefined && (
        <button type="button" class="small" onClick={again}>
          <Icon name="refresh" size={14} /> Try again
        </button>
      )}
    </div>
  )
}

/** Where there is nothing: why, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children}
    </div>
  )
}
