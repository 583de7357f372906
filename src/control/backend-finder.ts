// Which backend or pool a request means: by URL in normal form, and by pool where that is not clear.

import { kindProblem } from '../config/pool-kind.ts'
import type { BackendSpec, Snapshot } from '../core/spec.ts'
import { editDistance } from '../util/edit-distance.ts'
import { ControlError } from './control-error.ts'

/** Where a backend is; without a pool, the one that has the URL (to add: `default`, or the only pool). */
export interface BackendAddress {
  readonly url: string
  readonly pool?: string | undefined
}

export const matches = (backend: BackendSpec, at: BackendAddress): boolean =>
  backend.url === at.url && (at.pool === undefined || backend.pool === at.pool)

/** All backends that are meant. */
export function findBackends(snapshot: Snapshot, at: BackendAddress): BackendSpec[] {
  return snapshot.pools.flatMap((pool) => pool.backends.filter((backend) => matches(backend, at)))
}

/**
 * The pool a new backend goes to: the one that is named; else among those whose backends speak what its URL says `default`,
 * or the only one. @throws ControlError not-found, or invalid when none is named and none is obvious.
 */
export function poolForNew(snapshot: Snapshot, at: BackendAddress): string {
  if (at.pool !== undefined) return knownPool(snapshot, at.pool)
  const fitting = snapshot.pools.filter((pool) => kindProblem(pool, at.url) === null)
  const names = (fitting.length === 0 ? snapshot.pools : fitting).map(({ name }) => name)
  if (names.includes('default')) return 'default'
  if (names.length === 1) return names[0]!
  const message = `there are several pools: name one of ${names.join(', ')}`
  throw new ControlError('invalid', 'Which pool is not clear', [{ path: 'pool', message }])
}

/** The one backend that is meant. @throws ControlError not-found, or invalid when several pools have the URL. */
export function locateBackend(snapshot: Snapshot, at: BackendAddress): BackendSpec {
  if (at.pool !== undefined) knownPool(snapshot, at.pool)
  const [first, ...others] = findBackends(snapshot, at)
  if (first === undefined) {
    const message = `is not a backend of ${at.pool === undefined ? 'any pool' : `pool ${at.pool}`}`
    const all = snapshot.pools.flatMap(({ backends }) => backends)
    throw new ControlError('not-found', `${at.url} ${message}${suggestion(at, all)}`, [{ path: 'url', message }])
  }
  if (others.length === 0) return first
  const names = [first, ...others].map(({ pool }) => pool).join(', ')
  const message = `this URL is in several pools: name one of ${names}`
  throw new ControlError('invalid', 'Which backend is not clear', [{ path: 'pool', message }])
}

/** More edits than this are another backend, not a slip. */
const maxSlips = 3
/** More than these are a list to look at, not a sentence. */
const maxListed = 5

/** Names of this machine count as one: 'localhost' is what people type, '127.0.0.1' what many files have. */
const comparable = (url: string): string => url.replace(/^(\w+:\/\/)(127\.0\.0\.1|\[::1\])(?=[:/]|$)/, '$1localhost')

/** What was probably meant, as the end of a sentence; '' when nothing is near and the list would be long. */
function suggestion({ url, pool }: BackendAddress, all: readonly BackendSpec[]): string {
  const elsewhere = all.find((backend) => backend.url === url)
  if (elsewhere !== undefined) return `; it is one of pool ${elsewhere.pool}`
  const known = [...new Set(all.filter((backend) => pool === undefined || backend.pool === pool).map((b) => b.url))]
  let nearest = ''
  let fewest = maxSlips + 1
  for (const candidate of known) {
    const slips = editDistance(comparable(url), comparable(candidate))
    if (slips >= fewest) continue
    nearest = candidate
    fewest = slips
  }
  if (nearest !== '') return `; did you mean ${nearest}?`
  return known.length === 0 || known.length > maxListed ? '' : `; known: ${known.join(', ')}`
}

function knownPool(snapshot: Snapshot, pool: string): string {
  const names = snapshot.pools.map(({ name }) => name)
  if (names.includes(pool)) return pool
  const message = `is not one of ${names.join(', ')}`
  throw new ControlError('not-found', `There is no pool ${pool}`, [{ path: 'pool', message }])
}
