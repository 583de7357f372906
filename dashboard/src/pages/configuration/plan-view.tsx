// A plan: what would be added, changed, drained or removed, in words and by value, and which connections that touches.
import type { ConfigAnswer, PlanStep } from '../../api/types.ts'
import { Icon } from '../../parts/icons.tsx'
import { Chip, type Tone } from '../../parts/state-chip.tsx'
import { plural } from '../../text/format.ts'

const looks: Readonly<Record<PlanStep['action'], Tone>> = {
  add: 'ok',
  change: 'info',
  move: 'info',
  drain: 'warn',
  remove: 'bad',
}

/** Values as they stand in a configuration; long ones cut. */
export function valueWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

export function PlanView({ answer }: { readonly answer: ConfigAnswer }) {
  const { plan, changes, warnings = [], refused = [] } = answer
  const steps = plan?.steps ?? []
  const touched = plan?.touched_connections ?? 0
  const isNothing = changes.length === 0 && steps.length === 0
  return (
    <div class="plan">
      <h3>{isNothing ? 'Nothing would change' : 'Plan'}</h3>
      {steps.length > 0 ? (
        <ul class="plan-steps">
          {steps.map((step) => (
            <Step key={`${step.action} ${step.kind} ${step.pool ?? ''} ${step.name}`} step={step} />
          ))}
        </ul>
      ) : (
        <ul class="words">
          {changes.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      {(plan?.conflicts ?? []).map(({ path, message }) => (
        <p key={path} class="note">
          <Icon name="warn" />
          <span>
            <span class="mono">{path}</span>: {message}
          </span>
        </p>
      ))}
      {(plan?.needs_restart ?? []).length > 0 && (
        <p class="note bad">
          <Icon name="warn" /> Takes effect only after a restart: {plan!.needs_restart.join(', ')}
        </p>
      )}
      {[...warnings, ...refused].map((one) => {
        const text = typeof one === 'string' ? one : `${one.path}: ${one.message}`
        return (
          <p key={text} class="note">
            <Icon name="warn" /> {text}
          </p>
        )
      })}
      {!isNothing && (
        <p class={touched > 0 ? 'note bad' : 'note fine'}>
          <Icon name={touched > 0 ? 'warn' : 'check'} />{' '}
          {touched > 0 ? `${plural(touched, 'live connection')} would be touched` : 'No live connection is touched'}
        </p>
      )}
    </div>
  )
}

function Step({ step }: { readonly step: PlanStep }) {
  const { action, kind, name, pool, changes = [], connections, note } = step
  return (
    <li>
      <p>
        <Chip tone={looks[action] ?? 'info'}>{action}</Chip> {kind} <b>{name}</b>
        {pool !== undefined && pool !== name && <span class="faint"> in {pool}</span>}
        {connections > 0 && <span class="bad"> · {plural(connections, 'connection')}</span>}
      </p>
      {note !== undefined && <p class="faint">{note}</p>}
      {changes.length > 0 && (
        <ul class="values">
          {changes.map(({ path, from, to }) => (
            <li key={path}>
              <span class="mono">{path}</span> <del>{valueWords(from)}</del> → <ins>{valueWords(to)}</ins>
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}
