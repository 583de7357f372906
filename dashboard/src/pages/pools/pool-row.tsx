// The head of a pool above its backends: how it chooses, and how many of them are up.
import { Icon } from '../../parts/icons.tsx'
import { WriteButton } from '../../parts/write-button.tsx'
import type { Backend } from '../../store/state.ts'
import { formatCount, formatMs, formatShare, plural } from '../../text/format.ts'
import type { Item } from './backend-list.ts'

type PoolItem = Extract<Item, { kind: 'pool' }>

export interface PoolRowProps {
  readonly item: PoolItem
  readonly index: number
  readonly onAdd: () => void
}

/** Rates of its backends, added up. */
export function totalsOf(backends: readonly Backend[]): { rate: number; failed: number; alive: number } {
  let rate = 0
  let failed = 0
  let alive = 0
  for (const backend of backends) {
    rate += backend.rate
    failed += backend.rate * backend.error_rate
    if (backend.alive) alive++
  }
  return { rate, failed, alive }
}

export function PoolRow({ item: { name, backends, pool }, index, onAdd }: PoolRowProps) {
  const { rate, failed, alive } = totalsOf(backends)
  const facts = [pool?.kind, pool?.strategy, pool?.sticky ? `sticky by ${pool.sticky}` : null, checkWords(pool)]
  return (
    <div class="row pool" role="row" aria-rowindex={index}>
      <div class="cell" role="cell" aria-colspan={9}>
        <h2>{name}</h2>
        <p class="facts">{facts.filter((fact) => fact).join(' · ')}</p>
        <UpBar backends={backends} />
        <p class="sum">
          <b class={alive === 0 && backends.length > 0 ? 'bad' : ''}>
            {alive} of {plural(backends.length, 'backend')} alive
          </b>
          <span>{formatCount(rate)} req/s</span>
          {failed > 0 && <span class="bad">{formatShare(failed / rate)} errors</span>}
        </p>
        <WriteButton class="small" label={`Add a backend to ${name}`} onClick={onAdd}>
          <Icon name="plus" size={14} /> Add
        </WriteButton>
      </div>
    </div>
  )
}

function checkWords(pool: PoolItem['pool']): string | null {
  if (pool === null) return null
  const check = pool.health_check
  return check === null ? 'no health checks' : `${check.method} check every ${formatMs(check.interval_ms)}`
}

const tones: Readonly<Record<Backend['state'], string>> = {
  up: 'ok',
  down: 'bad',
  ejected: 'bad',
  draining: 'warn',
  disabled: 'quiet',
  unknown: 'info',
}

/** A bar of as many parts as there are states, as long as each is frequent. */
export function UpBar({ backends }: { readonly backends: readonly Backend[] }) {
  const counts = new Map<string, number>([
    ['ok', 0],
    ['info', 0],
    ['warn', 0],
    ['quiet', 0],
    ['bad', 0],
  ])
  for (const { state } of backends) counts.set(tones[state], (counts.get(tones[state]) ?? 0) + 1)
  return (
    <span class="bar" aria-hidden="true">
      {[...counts].map(([tone, count]) => count > 0 && <i key={tone} class={tone} style={{ flexGrow: count }} />)}
    </span>
  )
}
