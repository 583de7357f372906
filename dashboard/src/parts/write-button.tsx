// A button that changes something. Where this page may not, it stays in its place and says why.
import type { ComponentChildren } from 'preact'
import { store } from '../store/session.ts'
import { whyReadOnly } from '../store/state.ts'
import { useStore } from '../store/store.ts'
import { tell } from './toasts.tsx'

export interface WriteButtonProps {
  readonly children: ComponentChildren
  readonly onClick: () => void
  readonly class?: string
  readonly label?: string
  readonly tabIndex?: number
}

export function WriteButton({ children, onClick, label, tabIndex, class: look = '' }: WriteButtonProps) {
  const refusal = useStore(store, whyReadOnly)
  return (
    <button
      type="button"
      class={look}
      aria-label={refusal === null || label === undefined ? label : `${label} (not available: ${refusal})`}
      aria-disabled={refusal !== null}
      title={refusal ?? label}
      {...(tabIndex !== undefined && { tabIndex })}
      onClick={() => (refusal === null ? onClick() : tell({ text: `${refusal}.`, tone: 'note' }))}
    >
      {children}
    </button>
  )
}
