// An event as the admin API tells it: names in snake_case, times in ISO 8601, and one sentence for people.
import type { CachePurgedEvent, FrontdeskEvent } from './events.ts'
import { formatDuration } from './format-duration.ts'

export type EventView = { readonly type: FrontdeskEvent['type']; readonly at: string; readonly message: string } & {
  readonly [key: string]: unknown
}

export function eventView(event: FrontdeskEvent): EventView {
  const { type, at, ...rest } = event
  const view: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(rest)) {
    view[snakeCase(key)] = value instanceof Date ? value.toISOString() : value
  }
  return { type, at: at.toISOString(), ...view, message: eventWords(event) }
}

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const returns = { time: 'its time is over', check: 'a health check passed', last: 'no other backend is left' }

const stateWords = { up: 'serves', drain: 'drains', disabled: 'is disabled' }

/** What has happened, in one sentence without the closing dot. */
export function eventWords(event: FrontdeskEvent): string {
  switch (event.type) {
    case 'backend_up':
    case 'backend_down': {
      const to = event.type === 'backend_up' ? 'UP' : 'DOWN'
      const was = event.was === 'unknown' ? 'first check' : `was ${event.was} for ${formatDuration(event.afterMs)}`
      return `${of(event)} is ${to}: ${event.cause} (${was})`
    }
    case 'backend_ejected': {
      const { failures, windowMs, ejectMs } = event
      const why = `${failures} failed connections within ${formatDuration(windowMs)}`
      return `${of(event)} is EJECTED for ${formatDuration(ejectMs)}: ${why}`
    }
    case 'backend_returned':
      return `${of(event)} is no longer ejected: ${returns[event.cause]}`
    case 'backend_added':
      return `${of(event)} was added`
    case 'backend_updated': {
      const { state, weight, maxConnections } = event
      const limit = maxConnections === 0 ? '' : `, at most ${maxConnections} at once`
      return `${of(event)} now ${stateWords[state]}, weight ${weight}${limit}${event.backup ? ', backup' : ''}`
    }
    case 'backend_removed':
      return `${of(event)} was removed${event.inFlight === 0 ? '' : `, ${event.inFlight} in flight may finish`}`
    case 'backend_drained':
      return `${of(event)} has finished${event.cut === 0 ? '' : `, ${event.cut} in flight were cut`}`
    case 'config_applied': {
      const { changes, refused, revision } = event
      const but = refused.length === 0 ? '' : `; what cannot be used stays as it was: ${listed(refused)}`
      return `configuration applied (revision ${revision}): ${changes.join('; ') || 'nothing in it has changed'}${but}`
    }
    case 'config_refused':
      return `configuration refused, the old one goes on: ${event.cause}`
    default:
      return wordsOfProcess(event)
  }
}

type OfProcess = Exclude<FrontdeskEvent, { readonly type: `backend_${string}` | `config_${string}` }>

function wordsOfProcess(event: OfProcess): string {
  switch (event.type) {
    case 'certificate_renewed': {
      const good = event.names.length === 0 ? '' : ` for ${event.names.join(', ')}`
      const until = event.expiresAt === null ? '' : ` until ${event.expiresAt.toISOString()}`
      return `the ${kindWords(event.kind)} ${event.name} has changed${until === '' ? '' : `: good${good}${until}`}`
    }
    case 'certificate_expires': {
      const at = event.expiresAt.toISOString()
      const what = `the ${kindWords(event.kind)} ${event.name}`
      return event.daysLeft < 0 ? `${what} expired at ${at}` : `${what} expires at ${at} (${event.daysLeft} days left)`
    }
    case 'worker_restarted':
      return `worker ${event.worker} serves again, ${formatDuration(event.afterMs)} after it died: ${event.cause}`
    case 'cache_purged':
      return purgedWords(event)
    case 'draining':
      return `draining (${event.cause}): no new connections, those open may finish within ${formatDuration(event.graceMs)}`
    case 'closed':
      return `stopped (${event.outcome})`
    case 'problem':
      return event.message
    case 'dropped':
      return `${event.count} events were lost: this reader was too slow, or away for too long`
  }
}

/** As the log has it, too. */
export function purgedWords({ by, what, purged, soft }: Omit<CachePurgedEvent, 'type' | 'at'>): string {
  const entries = purged === 1 ? '1 entry' : `${purged} entries`
  return `${by} ${soft ? 'marked stale' : 'purged'} ${what}: ${entries} of the cache`
}

const of = ({ pool, backend }: { readonly pool: string; readonly backend: string }): string =>
  `backend ${backend} of pool ${pool}`
const kindWords = (kind: string): string => kind.replace('_', ' ')
const listed = (problems: readonly { readonly message: string }[]): string =>
  problems.map(({ message }) => message).join('; ')
