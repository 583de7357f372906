// An event as a line: its kind by picture and colour, and its sentence.
import type { EventData } from '../api/types.ts'
import { formatDate } from '../text/format.ts'
import { Icon, type IconName } from './icons.tsx'
import type { Tone } from './state-chip.tsx'

const looks: Readonly<Record<string, readonly [Tone, IconName]>> = {
  backend_up: ['ok', 'check'],
  backend_down: ['bad', 'cross'],
  backend_ejected: ['bad', 'bolt'],
  backend_returned: ['ok', 'check'],
  backend_added: ['info', 'plus'],
  backend_updated: ['info', 'configuration'],
  backend_removed: ['quiet', 'remove'],
  backend_drained: ['quiet', 'drain'],
  config_applied: ['info', 'configuration'],
  config_refused: ['bad', 'warn'],
  cache_purged: ['info', 'cache'],
  certificate_renewed: ['ok', 'certificates'],
  certificate_expires: ['warn', 'certificates'],
  worker_restarted: ['warn', 'workers'],
  draining: ['warn', 'drain'],
  closed: ['warn', 'stop'],
  problem: ['warn', 'warn'],
  dropped: ['warn', 'warn'],
}

/** `backend_down` → `backend down`. */
export const kindWords = (type: string): string => type.replaceAll('_', ' ')

export function EventLine({ data, when }: { readonly data: EventData; readonly when: string }) {
  const [tone, icon] = data.level === 'error' ? (['bad', 'warn'] as const) : (looks[data.type] ?? ['info', 'events'])
  return (
    <li class="event" data-type={data.type}>
      <span class={`dot ${tone}`}>
        <Icon name={icon} size={13} />
      </span>
      <p>
        <span class="kind">{kindWords(data.type)}</span> {data.message ?? ''}
      </p>
      <time dateTime={data.at} title={formatDate(data.at)}>
        {when}
      </time>
    </li>
  )
}
