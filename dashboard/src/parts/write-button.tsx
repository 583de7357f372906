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

/** Why this page may change nothing now; null = it may. */
export const useRefusal = (): string | null => useStore(store, whyReadOnly)

export function WriteButton(props: WriteButtonProps) {
  return <GuardedButton {...props} refusal={useRefusal()} />
}

/** The same for lists with many of them: the refusal is asked for once. */
export function GuardedButton({
  children,
  onClick,
  label,
  tabIndex,
  refusal,
  class: look = '',
}: WriteButtonProps & { readonly refusal: string | null }) {
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
