// Questions that stand before the page: the browser's own <dialog>, which keeps the focus inside.
import { type ComponentChildren, createRef } from 'preact'
import { useId, useLayoutEffect, useState } from 'preact/hooks'
import { wordsOf } from '../api/client.ts'
import { Store, useStore } from '../store/store.ts'
import { Icon } from './icons.tsx'

type Render = (close: () => void) => ComponentChildren

const open = new Store<readonly { readonly id: number; readonly render: Render }[]>([])
let nextId = 1

/** Shows a dialog; `render` draws it and gets what closes it. */
export function showDialog(render: Render): void {
  const id = nextId++
  open.update((list) => [...list, { id, render }])
}

export const isDialogOpen = (): boolean => open.get().length > 0

export function Dialogs() {
  const list = useStore(open, (all) => all)
  return (
    <>
      {list.map(({ id, render }) => (
        <div key={id}>{render(() => open.update((all) => all.filter((one) => one.id !== id)))}</div>
      ))}
    </>
  )
}

export interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
  /** Asked before Escape and the cross close it. */
  readonly locked?: boolean
}

export function Dialog({ title, close, children, wide = false, locked = false }: DialogProps) {
  const [ref] = useState(() => createRef<HTMLDialogElement>())
  const titleId = useId()
  useLayoutEffect(() => {
    const dialog = ref.current
    const opener = document.activeElement as HTMLElement | null
    if (dialog !== null && !dialog.open) {
      dialog.showModal()
      // What is to be filled in or decided, not the cross that closes.
      dialog.querySelector<HTMLElement>('form input, form select, form textarea, form [type="submit"]')?.focus()
    }
    return () => {
      dialog?.close()
      // The browser gives the focus back only while the dialog is still in the page.
      const back = opener?.isConnected === true ? opener : document.getElementById('main')
      back?.focus({ preventScroll: true })
    }
  }, [ref])
  return (
    <dialog
      ref={ref}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        if (!locked) close()
      }}
      // Browsers may close it without asking, on a second Escape.
      onClose={close}
    >
      <header>
        <h2 id={titleId}>{title}</h2>
        {!locked && (
          <button type="button" class="plain" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  )
}

export interface FormDialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
  /** What the button says. */
  readonly action: string
  readonly danger?: boolean
  readonly wide?: boolean
  /** Does it; what it throws is shown and the dialog stays. */
  readonly submit: () => Promise<void>
}

/** A dialog with a form: a button that does it, one that does not, and room for what went wrong. */
export function FormDialog({ title, close, children, action, danger = false, wide = false, submit }: FormDialogProps) {
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    setBusy(true)
    setProblem(null)
    try {
      await submit()
      close()
    } catch (error) {
      setProblem(wordsOf(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} close={close} wide={wide}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy) void run()
        }}
      >
        {children}
        <p class="problem" role="alert">
          {problem}
        </p>
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={danger ? 'danger' : 'primary'} aria-disabled={busy}>
            {action}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
