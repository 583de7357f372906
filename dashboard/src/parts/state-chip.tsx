// The state of a thing: a picture, a colour and always the word.
import type { BackendState } from '../api/types.ts'
import { Icon, type IconName } from './icons.tsx'

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'quiet'

const backendLooks: Readonly<Record<BackendState, readonly [Tone, IconName]>> = {
  up: ['ok', 'check'],
  down: ['bad', 'cross'],
  ejected: ['bad', 'bolt'],
  draining: ['warn', 'drain'],
  disabled: ['quiet', 'stop'],
  unknown: ['info', 'question'],
}

/** What a state means, for those who have not met it. */
export const stateMeanings: Readonly<Record<BackendState, string>> = {
  up: 'takes requests',
  down: 'its health checks fail; it gets no requests',
  ejected: 'live connections to it failed too often; it rests for a while',
  draining: 'finishes what it has, gets nothing new',
  disabled: 'switched off by an administrator',
  unknown: 'not checked yet; takes requests',
}

export function Chip({ tone, icon, children }: { tone: Tone; icon?: IconName; children: preact.ComponentChildren }) {
  return (
    <span class={`chip ${tone}`}>
      {icon !== undefined && <Icon name={icon} size={12} />}
      {children}
    </span>
  )
}

export function StateChip({ state }: { readonly state: BackendState }) {
  const [tone, icon] = backendLooks[state] ?? ['info', 'question']
  return (
    <span class={`chip ${tone}`} title={stateMeanings[state]} data-state={state}>
      <Icon name={icon} size={12} />
      {state}
    </span>
  )
}

/** Colour of an HTTP status. */
export function statusTone(status: number): Tone {
  if (status >= 500 || status === 0) return 'bad'
  if (status >= 400) return 'warn'
  return status >= 300 ? 'info' : 'ok'
}
