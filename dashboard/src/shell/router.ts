// Which page is shown: the part of the address behind #, so that back, forward and bookmarks work.
import { useLayoutEffect, useMemo, useState } from 'preact/hooks'

export interface Place {
  readonly page: string
  readonly query: URLSearchParams
}

/** `#/pools?pool=api` → page `pools`. */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  return { page: path === '' ? 'overview' : decodeURIComponent(path), query: new URLSearchParams(query) }
}

/** The address of a page. */
export function hrefOf(page: string, query: Readonly<Record<string, string>> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== '')
  const search = new URLSearchParams(given).toString()
  return search === '' ? `#/${page}` : `#/${page}?${search}`
}

export function go(page: string, query?: Readonly<Record<string, string>>): void {
  location.hash = hrefOf(page, query)
}

/** As `go`, without an entry in the history: for filters that change with each key. */
export function replacePlace(page: string, query: Readonly<Record<string, string>>): void {
  history.replaceState(null, '', hrefOf(page, query))
}

export function usePlace(): Place {
  const [hash, setHash] = useState(() => location.hash)
  // Before anything is painted: a change that comes in between would be missed.
  useLayoutEffect(() => {
    const look = (): void => setHash(location.hash)
    look()
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  return useMemo(() => placeOf(hash), [hash])
}
