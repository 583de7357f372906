// One backend: a row of the table, on a phone a card.

import { Icon } from '../../parts/icons.tsx'
import { pure } from '../../parts/pure.ts'
import { StateChip } from '../../parts/state-chip.tsx'
import { GuardedButton } from '../../parts/write-button.tsx'
import type { Backend } from '../../store/state.ts'
import { formatAgo, formatCount, formatDuration, formatMs, formatShare } from '../../text/format.ts'
import { askDisable, askDrain, askRemove, askWeight, enable } from './actions.tsx'

export interface BackendRowProps {
  readonly backend: Backend
  /** Its number in the table, from 1, for screen readers. */
  readonly index: number
  readonly active: boolean
  readonly now: number
  /** Why nothing may be changed now; null = it may. */
  readonly refusal: string | null
  /** Told when it gets the focus; the same function each time. */
  readonly onActivate: (backend: Backend) => void
}

export const isResting = ({ state }: Backend): boolean => state === 'draining' || state === 'disabled'

export const BackendRow = pure(({ backend, index, active, now, refusal, onActivate }: BackendRowProps) => {
  const { url, state, weight, backup, last_check: check } = backend
  const limit = backend.max_connections === 0 ? '' : ` / ${formatCount(backend.max_connections)}`
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table takes the keys
    <div
      class="row backend"
      role="row"
      aria-rowindex={index}
      data-url={url}
      data-state={state}
      tabIndex={active ? 0 : -1}
      onFocus={() => onActivate(backend)}
      onClick={() => onActivate(backend)}
    >
      <Cell class="state">
        <StateChip state={state} />
      </Cell>
      <Cell class="name">
        <span class="mono" title={url}>
          {url}
        </span>
        {backup && <span class="tag">backup</span>}
      </Cell>
      <Cell class="number weight" label="Weight">
        {weight}
      </Cell>
      <Cell class="number" label="Active">
        {formatCount(backend.current_connections)}
        <span class="faint">{limit}</span>
      </Cell>
      <Cell class="number" label="Rate">
        {formatCount(backend.rate)}
        <span class="faint">/s</span>
      </Cell>
      <Cell class="number" label="Errors">
        <span class={backend.error_rate > 0 ? 'bad' : ''} title="5xx and failures, of those in the last second">
          {formatShare(backend.error_rate)}
        </span>
        {backend.errors > 0 && (
          <span class="faint" title="Failed without a whole answer, in all">
            {' '}
            · {formatCount(backend.errors)}
          </span>
        )}
      </Cell>
      <Cell class="number latency" label="p50 / p99">
        {formatMs(backend.latency_ms.p50)} <span class="faint">/ {formatMs(backend.latency_ms.p99)}</span>
      </Cell>
      <Cell class="checked" label="Last check">
        {state === 'draining' && backend.drain_ends_at != null ? (
          <span class="faint">ends in {formatDuration((Date.parse(backend.drain_ends_at) - now) / 1000)}</span>
        ) : check === null ? (
          <span class="faint">not checked</span>
        ) : (
          <span class={check.ok ? '' : 'bad'} title={`${check.reason} (${check.at})`}>
            {check.reason} <span class="faint">{formatAgo(check.at, now)}</span>
          </span>
        )}
      </Cell>
      <Cell class="actions">
        <Actions backend={backend} tabIndex={active ? 0 : -1} refusal={refusal} />
      </Cell>
    </div>
  )
})

interface CellProps {
  readonly class: string
  readonly label?: string
  readonly children: preact.ComponentChildren
}

/** The label is seen where there is no head above: on a phone. */
function Cell({ class: look, label, children }: CellProps) {
  return (
    <div class={`cell ${look}`} role="cell" {...(label !== undefined && { 'data-label': label })}>
      <span class="value">{children}</span>
    </div>
  )
}

interface ActionsProps {
  readonly backend: Backend
  readonly tabIndex: number
  readonly refusal: string | null
}

function Actions({ backend, tabIndex, refusal }: ActionsProps) {
  const { url } = backend
  return (
    <>
      {isResting(backend) ? (
        <GuardedButton
          refusal={refusal}
          class="small"
          label={`Enable ${url}`}
          tabIndex={tabIndex}
          onClick={() => void enable(backend)}
        >
          <Icon name="play" size={14} /> Enable
        </GuardedButton>
      ) : (
        <GuardedButton
          refusal={refusal}
          class="small"
          label={`Drain ${url}`}
          tabIndex={tabIndex}
          onClick={() => askDrain(backend)}
        >
          <Icon name="drain" size={14} /> Drain
        </GuardedButton>
      )}
      <GuardedButton
        refusal={refusal}
        class="icon"
        label={`Weight of ${url}`}
        tabIndex={tabIndex}
        onClick={() => askWeight(backend)}
      >
        <Icon name="weight" />
      </GuardedButton>
      <GuardedButton
        refusal={refusal}
        class="icon"
        label={`Disable ${url}`}
        tabIndex={tabIndex}
        onClick={() => askDisable(backend)}
      >
        <Icon name="stop" />
      </GuardedButton>
      <GuardedButton
        refusal={refusal}
        class="icon"
        label={`Remove ${url}`}
        tabIndex={tabIndex}
        onClick={() => askRemove(backend)}
      >
        <Icon name="remove" />
      </GuardedButton>
    </>
  )
}
