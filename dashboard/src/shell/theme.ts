// Light or dark: as the system has it, unless somebody chose here.

export type Theme = 'system' | 'light' | 'dark'
const key = 'frontdesk.theme'
const listeners = new Set<() => void>()

export function currentTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

/** Is what is shown now dark? */
export function isDark(): boolean {
  const theme = currentTheme()
  return theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark'
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    if (theme === 'system') localStorage.removeItem(key)
    else localStorage.setItem(key, theme)
  } catch {
    // Kept for this load only.
  }
  for (const listener of listeners) listener()
}

/** Light where it is dark, dark where it is light. */
export const toggleTheme = (): void => setTheme(isDark() ? 'light' : 'dark')

/** What was chosen at an earlier load; and the system's changes reach what is drawn on canvas. */
export function startTheme(): void {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(key)
  } catch {
    // Then as the system has it.
  }
  if (kept === 'light' || kept === 'dark') setTheme(kept)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const listener of listeners) listener()
  })
}

export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
