// Says plainly when what is shown is not live: since when, why, and when it is tried again.
import { Icon } from '../parts/icons.tsx'
import { useNow } from '../parts/use-now.ts'
import { connectNow, store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { formatTime } from '../text/format.ts'

export function LinkBanner() {
  const link = useStore(store, (state) => state.link)
  const draining = useStore(store, (state) => state.draining)
  if (link.state !== 'lost') {
    return (
      <div role="alert">
        {draining && (
          <p class="banner warn">
            <Icon name="drain" /> Frontdesk is stopping: it takes nothing new and finishes what is open.
          </p>
        )}
      </div>
    )
  }
  return (
    <div role="alert">
      <div class="banner bad">
        <Icon name="warn" />
        <p>
          <b>The stream is lost:</b> {link.cause}. What you see is from {formatTime(link.since)}.{' '}
          <Retry at={link.retryAt} />
        </p>
        <button type="button" class="small" onClick={connectNow}>
          <Icon name="refresh" size={14} /> Try now
        </button>
      </div>
    </div>
  )
}

/** Counts down; not read out each second. */
function Retry({ at }: { readonly at: number | null }) {
  const now = useNow(500)
  if (at === null) return null
  const seconds = Math.ceil((at - now) / 1000)
  return <span aria-hidden="true">{seconds <= 0 ? 'Trying again …' : `Trying again in ${seconds} s.`}</span>
}
