// Each backend of a pool as a choice sees it now: its state, its score, and why it would or would not be taken.
import type { Selection, Standing } from '../../balancer/strategy.ts'
import type { BackendSpec, PoolSpec, Slot } from '../../core/spec.ts'
import { Flag } from '../../state/flags.ts'
import type { OwnerState } from '../../state/owner-state.ts'
import { formatDuration } from '../format-duration.ts'
import { type BackendState, stateOfFlags } from '../health/backend-state.ts'
import type { Health } from '../health/health.ts'

export interface ExplainedBackend {
  readonly url: string
  readonly state: BackendState
  readonly weight: number
  /** In flight; in a TCP pool open connections. */
  readonly active: number
  /** Null = the strategy does not weigh it now. */
  readonly score: number | null
  readonly score_means: string
  /** It would get the request; several, where chance decides among them. */
  readonly would_take: boolean
  readonly why: string
}

export interface RowsInput {
  readonly pool: PoolSpec
  readonly state: OwnerState
  readonly health: Pick<Health, 'checks' | 'outage'>
  readonly standing: Standing
  /** The backend that the client is bound to and that may still be used. */
  readonly bound: BackendSpec | undefined
}

export function backendRows(input: RowsInput): ExplainedBackend[] {
  const { pool, state, standing, bound } = input
  const next = bound === undefined ? standing.next : [bound]
  return pool.backends.map((backend) => {
    const { slot, url, weight } = backend
    const wouldTake = next.includes(backend)
    const score = standing.scores.get(slot)
    return {
      url,
      state: stateOfFlags(state.flags(slot)),
      weight,
      active: state.active(slot),
      score: score === undefined ? null : Math.round(score * 1000) / 1000,
      score_means: standing.meaning,
      would_take: wouldTake,
      why: wouldTake ? whyTaken(backend, next, input) : whyNot(backend, next, input),
    }
  })
}

/** True if one more would find no room there. */
export function isFull({ slot, maxConnections }: BackendSpec, state: Pick<OwnerState, 'active'>): boolean {
  return maxConnections !== 0 && state.active(slot) >= maxConnections
}

function whyTaken(backend: BackendSpec, next: readonly BackendSpec[], { bound, standing }: RowsInput): string {
  if (backend === bound) return 'the client is bound to it'
  if (next.length > 1) return `one of ${next.length} of which one is taken: ${standing.meaning}`
  if (backend.backup) return 'a backup: no other backend can take it'
  return standing.scores.size <= 1 ? 'the only one that can take it' : `the best score: ${standing.meaning}`
}

function whyNot(backend: BackendSpec, next: readonly BackendSpec[], input: RowsInput): string {
  const { state, standing, bound } = input
  const reason = unavailable(backend, input)
  if (reason !== null) return reason
  if (backend.weight === 0) return 'weight 0: takes no traffic'
  if (isFull(backend, state)) return `full: ${state.active(backend.slot)} of ${backend.maxConnections}`
  if (bound !== undefined) return 'the client is bound to another one'
  if (backend.backup && next.some(({ backup }) => !backup)) return 'a backup: not needed while others can take it'
  return comparison(backend, next, standing)
}

function comparison({ slot }: BackendSpec, next: readonly BackendSpec[], { scores }: Standing): string {
  const own = scores.get(slot)
  const best = next[0] === undefined ? undefined : scores.get(next[0].slot)
  if (own === undefined || best === undefined) return 'not chosen'
  if (own === best) return 'the same score; it is the turn of another one'
  const [a, b] = [own, best].map((score) => Math.round(score * 1000) / 1000)
  return `score ${a}, and another one has ${b}`
}

/** Flags that keep it from new clients, each with what is known of it; null = none does. */
function unavailable({ slot }: BackendSpec, { state, health }: RowsInput): string | null {
  const flags = state.flags(slot)
  const { downForMs, returnsAtMs } = health.outage(slot)
  if ((flags & Flag.REMOVED) !== 0) return 'removed: it finishes what it has'
  if ((flags & Flag.DRAINING) !== 0) return 'draining: only clients that are bound to it'
  if ((flags & Flag.DISABLED) !== 0) return 'disabled'
  if ((flags & Flag.PROBE_DOWN) !== 0) {
    const since = downForMs === null ? '' : ` for ${formatDuration(downForMs)}`
    const reason = health.checks(slot)?.last?.reason
    return `down${since}${reason === undefined ? '' : `: ${reason}`}`
  }
  if ((flags & Flag.EJECTED) === 0) return null
  if (returnsAtMs === null) return 'ejected after failed connections'
  const until = new Date(returnsAtMs).toISOString()
  return `ejected until ${until} (in ${formatDuration(Math.max(0, returnsAtMs - Date.now()))})`
}

/** Slots that must not be taken: a bound backend that turned out to be full. */
export const withTried = (selection: Selection, slot: Slot): Selection => ({
  hash: selection.hash,
  tried: [...selection.tried, slot],
})
