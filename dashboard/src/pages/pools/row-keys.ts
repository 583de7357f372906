// The keys of the table of backends: up and down move, letters do what the buttons do.
import type { Item } from './backend-list.ts'

export interface RowKeys {
  readonly items: readonly Item[]
  readonly heightOf: (item: Item) => number
  readonly keyOf: (item: Item) => string
  /** Key of the row that has, or would get, the focus. */
  readonly current: string | null
  readonly setActive: (key: string) => void
  readonly box: HTMLElement
}

const buttons: Readonly<Record<string, string>> = {
  d: 'Drain',
  e: 'Enable',
  w: 'Weight',
  x: 'Disable',
  Delete: 'Remove',
}
const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }

export function takeKey(event: KeyboardEvent, keys: RowKeys): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const rows = keys.items.filter((item) => item.kind === 'backend')
  const at = rows.findIndex((item) => keys.keyOf(item) === keys.current)
  const step = steps[event.key]
  if (step !== undefined || event.key === 'Home' || event.key === 'End') {
    const to = step === undefined ? (event.key === 'Home' ? 0 : rows.length - 1) : at + step
    const item = rows[Math.min(rows.length - 1, Math.max(0, to))]
    if (item === undefined) return
    event.preventDefault()
    moveTo(keys, item)
    return
  }
  // Letters belong to the row, not to a button in it.
  if (!(event.target as HTMLElement).classList.contains('backend')) return
  const label = buttons[event.key]
  if (label === undefined) return
  event.preventDefault()
  event.stopPropagation()
  // By the button, which knows whether this page may.
  const row = event.target as HTMLElement
  row.querySelector<HTMLElement>(`button[aria-label^="${label}"]`)?.click()
}

/** The row may not exist yet: it is scrolled to first, and gets the focus once it is drawn. */
function moveTo({ items, heightOf, keyOf, setActive, box }: RowKeys, item: Item): void {
  const key = keyOf(item)
  setActive(key)
  let top = box.querySelector('.rows')!.getBoundingClientRect().top
  for (const one of items) {
    if (one === item) break
    top += heightOf(one)
  }
  const head = 110
  const bottom = top + heightOf(item)
  if (top < head) scrollBy({ top: top - head })
  else if (bottom > innerHeight - 20) scrollBy({ top: bottom - innerHeight + 20 })
  const focus = (tries: number): void => {
    const row = box.querySelector<HTMLElement>('.row.backend[tabindex="0"]')
    if (row !== null && item.kind === 'backend' && row.dataset.url === item.backend.url)
      row.focus({ preventScroll: true })
    else if (tries > 0) requestAnimationFrame(() => focus(tries - 1))
  }
  requestAnimationFrame(() => focus(5))
}
