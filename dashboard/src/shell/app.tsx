// The frame: menu, head, the page, messages and dialogs.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Cache } from '../pages/cache/cache.tsx'
import { Certificates } from '../pages/certificates.tsx'
import { Configuration } from '../pages/configuration/configuration.tsx'
import { Events } from '../pages/events.tsx'
import { Listeners } from '../pages/listeners.tsx'
import { Overview } from '../pages/overview.tsx'
import { Pools } from '../pages/pools/pools.tsx'
import { Requests } from '../pages/requests.tsx'
import { Routes } from '../pages/routes.tsx'
import { Workers } from '../pages/workers.tsx'
import { Dialogs, showDialog } from '../parts/dialog.tsx'
import { Icon, Mark } from '../parts/icons.tsx'
import { Empty } from '../parts/resource.tsx'
import { Toasts } from '../parts/toasts.tsx'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { LinkBanner } from './link-banner.tsx'
import { pages } from './pages.ts'
import { hrefOf, type Place, usePlace } from './router.ts'
import { useShortcuts } from './shortcuts.ts'
import { SignInPage } from './sign-in.tsx'

const showHelp = (): void => showDialog((close) => <Help close={close} />)

export function App() {
  const place = usePlace()
  const role = useStore(store, (state) => state.who?.role)
  const isLost = useStore(store, (state) => state.link.state === 'lost')
  const [isMenuOpen, setMenuOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const title = pages.find(({ name }) => name === place.page)?.title ?? 'Not found'
  useShortcuts(showHelp)
  const [first] = useState(place.page)
  const moved = useRef(false)
  useEffect(() => {
    document.title = `${title} · Frontdesk`
    setMenuOpen(false)
    // After a change of page keys and screen readers go on in the new one.
    if (place.page !== first) moved.current = true
    if (moved.current) main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [title, place.page, first])
  const closeMenu = useCallback(() => setMenuOpen(false), [])
  const toggleMenu = useCallback(() => setMenuOpen((open) => !open), [])
  if (role === 'none') return <SignInPage />
  return (
    <div class={isLost ? 'frame stale' : 'frame'}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        To the content
      </button>
      <Menu page={place.page} isOpen={isMenuOpen} close={closeMenu} />
      <div class="body">
        <Header title={title} isMenuOpen={isMenuOpen} onMenu={toggleMenu} onHelp={showHelp} />
        <LinkBanner />
        <main ref={main} id="main" tabIndex={-1} aria-label={title}>
          <Page place={place} />
        </main>
      </div>
      <Toasts />
      <Dialogs />
    </div>
  )
}

interface MenuProps {
  readonly page: string
  readonly isOpen: boolean
  readonly close: () => void
}

function Menu({ page, isOpen, close }: MenuProps) {
  const version = useStore(store, (state) => state.hello?.version)
  return (
    <nav id="menu" class={isOpen ? 'menu open' : 'menu'} aria-label="Pages">
      <a class="brand" href="#/overview">
        <Mark /> Frontdesk
      </a>
      <ul>
        {pages.map(({ name, title, icon }) => (
          <li key={name}>
            <a href={hrefOf(name)} aria-current={page === name ? 'page' : undefined} onClick={close}>
              <Icon name={icon} size={18} /> {title}
              {name === 'pools' && <TroubleCount />}
            </a>
          </li>
        ))}
      </ul>
      <p class="foot">
        {location.host}
        <br />
        {version !== undefined && `version ${version}`}
      </p>
    </nav>
  )
}

/** How many backends are down, beside the page that shows them. */
function TroubleCount() {
  const count = useStore(store, ({ backends }) => {
    let down = 0
    for (const { state } of backends?.values() ?? []) if (state === 'down' || state === 'ejected') down++
    return down
  })
  return (
    <span role="status">
      {count > 0 && (
        <span class="badge">
          {count} <span class="unseen">down</span>
        </span>
      )}
    </span>
  )
}

function Page({ place: { page, query } }: { readonly place: Place }) {
  switch (page) {
    case 'overview':
      return <Overview />
    case 'pools':
      return <Pools key={query.toString()} query={query} />
    case 'listeners':
      return <Listeners />
    case 'routes':
      return <Routes query={query} />
    case 'cache':
      return <Cache query={query} />
    case 'certificates':
      return <Certificates />
    case 'requests':
      return <Requests />
    case 'configuration':
      return <Configuration query={query} />
    case 'workers':
      return <Workers />
    case 'events':
      return <Events />
    default:
      return (
        <Empty title="There is no such page">
          <p>
            <a href="#/overview">Overview</a>
          </p>
        </Empty>
      )
  }
}
