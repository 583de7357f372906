// Single keys that lead somewhere from everywhere. They can be switched off: who speaks to the computer types by accident.
import { useEffect } from 'preact/hooks'
import { isDialogOpen } from '../parts/dialog.tsx'
import { undoLast } from '../parts/toasts.tsx'
import { pages } from './pages.ts'
import { go } from './router.ts'
import { toggleTheme } from './theme.ts'

export const shortcuts: readonly (readonly [key: string, does: string])[] = [
  ['1 – 9, 0', 'Go to a page, in the order of the menu; 0 is the tenth'],
  ['/', 'Filter this list'],
  ['t', 'Light or dark'],
  ['u', 'Undo what was done last, while its message is shown'],
  ['?', 'This list'],
  ['↑ ↓', 'Move between backends; Page up and down, Home and End too'],
  ['d e', 'Drain, enable the backend that has the focus'],
  ['w x', 'Its weight; disable it'],
  ['Delete', 'Remove it'],
  ['Escape', 'Close a dialog'],
]

const key = 'frontdesk.shortcuts'

export const areShortcutsOn = (): boolean => {
  try {
    return localStorage.getItem(key) !== 'off'
  } catch {
    return true
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    localStorage.setItem(key, on ? 'on' : 'off')
  } catch {
    // Then they stay on.
  }
}

export function useShortcuts(showHelp: () => void): void {
  useEffect(() => {
    const take = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (isDialogOpen() || isTyping(event.target) || !areShortcutsOn()) return
      if (doKey(event.key, showHelp)) event.preventDefault()
    }
    addEventListener('keydown', take)
    return () => removeEventListener('keydown', take)
  }, [showHelp])
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select') !== null

function doKey(pressed: string, showHelp: () => void): boolean {
  const page = /^\d$/.test(pressed) ? pages[(Number(pressed) + 9) % 10] : undefined
  if (page !== undefined) go(page.name)
  else if (pressed === '?') showHelp()
  else if (pressed === 't') toggleTheme()
  else if (pressed === 'u') return undoLast()
  else if (pressed === '/') {
    const field = document.querySelector<HTMLInputElement>('[data-filter]')
    field?.focus()
    field?.select()
    return field !== null
  } else return false
  return true
}
