// Short messages in the corner: what was done, with a way back for some seconds, or why it was not.
import { useEffect, useState } from 'preact/hooks'
import { wordsOf } from '../api/client.ts'
import { Store, useStore } from '../store/store.ts'
import { Icon } from './icons.tsx'

export interface Toast {
  readonly id: number
  readonly text: string
  readonly tone: 'done' | 'failed' | 'note'
  /** Takes back what was done. */
  readonly undo?: () => Promise<void>
}

const showMs = 6_000
/** With a way back it stays longer. */
const undoMs = 12_000

const toasts = new Store<readonly Toast[]>([])
let nextId = 1

export function tell(toast: Omit<Toast, 'id'>): void {
  const id = nextId++
  toasts.update((list) => [...list.slice(-3), { ...toast, id }])
}

export const tellDone = (text: string, undo?: () => Promise<void>): void =>
  tell({ text, tone: 'done', ...(undo !== undefined && { undo }) })
export const tellFailure = (error: unknown): void => tell({ text: wordsOf(error), tone: 'failed' })

const drop = (id: number): void => toasts.update((list) => list.filter((toast) => toast.id !== id))

/** Takes back the last thing that can be; false = there is none. */
export function undoLast(): boolean {
  const toast = toasts.get().findLast(({ undo }) => undo !== undefined)
  if (toast === undefined) return false
  void takeBack(toast)
  return true
}

async function takeBack({ id, undo }: Toast): Promise<void> {
  drop(id)
  try {
    await undo!()
  } catch (error) {
    tellFailure(error)
  }
}

export function Toasts() {
  const list = useStore(toasts, (all) => all)
  return (
    <section class="toasts" aria-label="Messages" aria-live="polite" aria-relevant="additions">
      {list.map((toast) => (
        <ToastView key={toast.id} toast={toast} />
      ))}
    </section>
  )
}

function ToastView({ toast }: { readonly toast: Toast }) {
  const [held, setHeld] = useState(false)
  const { id, undo, tone, text } = toast
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => drop(id), undo === undefined ? showMs : undoMs)
    return () => clearTimeout(timer)
  }, [held, id, undo])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it stays while somebody looks at it; nothing is done by it
    <div
      class={`toast ${tone}`}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocusCapture={() => setHeld(true)}
      onBlurCapture={() => setHeld(false)}
    >
      <Icon name={tone === 'done' ? 'check' : tone === 'failed' ? 'warn' : 'lock'} />
      <p>{text}</p>
      {undo !== undefined && (
        <button type="button" class="small" onClick={() => void takeBack(toast)}>
          <Icon name="undo" size={14} /> Undo
        </button>
      )}
      <button type="button" class="plain" aria-label="Dismiss" onClick={() => drop(id)}>
        <Icon name="close" size={14} />
      </button>
    </div>
  )
}
