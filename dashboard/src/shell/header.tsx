// The line above everything: which Frontdesk, which page, how the stream is, who I am.
import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../parts/icons.tsx'
import { Chip } from '../parts/state-chip.tsx'
import { signOut, store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { askForToken } from './sign-in.tsx'
import { isDark, onThemeChange, toggleTheme } from './theme.ts'

export interface HeaderProps {
  readonly title: string
  readonly isMenuOpen: boolean
  readonly onMenu: () => void
  readonly onHelp: () => void
}

export function Header({ title, isMenuOpen, onMenu, onHelp }: HeaderProps) {
  const [dark, setDark] = useState(isDark)
  useEffect(() => onThemeChange(() => setDark(isDark())), [])
  return (
    <header class="top">
      <button
        type="button"
        class="icon menu"
        aria-label="Menu"
        aria-expanded={isMenuOpen}
        aria-controls="menu"
        onClick={onMenu}
      >
        <Icon name="menu" size={20} />
      </button>
      <h1>{title}</h1>
      <LinkState />
      <Who />
      <button type="button" class="icon" aria-label={dark ? 'Light theme' : 'Dark theme'} onClick={toggleTheme}>
        <Icon name={dark ? 'sun' : 'moon'} size={18} />
      </button>
      <button type="button" class="icon" aria-label="Keyboard shortcuts" onClick={onHelp}>
        <Icon name="help" size={18} />
      </button>
    </header>
  )
}

function LinkState() {
  const link = useStore(store, (state) => state.link.state)
  const revision = useStore(store, (state) => state.revision)
  return (
    <p class="link-state">
      {revision !== null && (
        <span class="revision">
          revision <b>{revision}</b>
        </span>
      )}
      <span role="status">
        {link === 'live' ? (
          <Chip tone="ok">
            <i class="pulse" /> live
          </Chip>
        ) : link === 'lost' ? (
          <Chip tone="bad" icon="cross">
            stream lost
          </Chip>
        ) : (
          <Chip tone="info">connecting</Chip>
        )}
      </span>
    </p>
  )
}

function Who() {
  const who = useStore(store, (state) => state.who)
  if (who === null) return null
  if (who.role === 'read') {
    return (
      <button
        type="button"
        class="small who"
        title="Sign in with the full token to change something"
        onClick={askForToken}
      >
        <Icon name="lock" size={14} /> <span>Read-only</span>
      </button>
    )
  }
  if (!who.token_required) return null
  return (
    <button type="button" class="small who" title={who.who} onClick={signOut}>
      <Icon name="key" size={14} /> <span>Sign out</span>
    </button>
  )
}
