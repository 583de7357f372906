// The page of certificates: what the files hold, for whom, and how long it is good.
import type { MaterialView } from '../api/types.ts'
import { Empty, Loaded, useResource } from '../parts/resource.tsx'
import { Chip, type Tone } from '../parts/state-chip.tsx'
import { formatDate, plural } from '../text/format.ts'

export function Certificates() {
  const resource = useResource<MaterialView[]>('/certificates', { everyMs: 30_000 })
  return (
    <Loaded of={resource} what="Certificates">
      {(list) =>
        list.length === 0 ? (
          <Empty title="No certificates">
            <p>
              Nothing here speaks TLS yet. Name a certificate and its key in <code>tls</code> of a listener, under{' '}
              <a href="#/configuration">Configuration</a>.
            </p>
          </Empty>
        ) : (
          <div class="cards">
            {list.map((one) => (
              <Card key={`${one.kind} ${one.name} ${Object.values(one.files).join()}`} one={one} />
            ))}
          </div>
        )
      }
    </Loaded>
  )
}

/** Days before the end at which it is time to do something. */
const soonDays = 21

function toneOf(days: number | null): Tone {
  if (days === null) return 'quiet'
  return days < 0 ? 'bad' : days <= soonDays ? 'warn' : 'ok'
}

function leftWords(days: number | null): string {
  if (days === null) return 'no end'
  return days < 0 ? `expired ${plural(-days, 'day')} ago` : `${plural(days, 'day')} left`
}

const kinds: Readonly<Record<MaterialView['kind'], string>> = {
  certificate: 'Certificate',
  authorities: 'Authorities',
  revocation_list: 'Revocation list',
}

function Card({ one }: { readonly one: MaterialView }) {
  const end = one.expires_at ?? one.next_update ?? null
  const tone = toneOf(one.days_left)
  const facts: [string, string | undefined][] = [
    ['Names', one.names?.join(', ')],
    ['Subject', one.subject],
    ['Issuer', one.issuer],
    ['Authorities', one.authorities?.map(({ subject }) => subject).join('; ')],
    [one.kind === 'revocation_list' ? 'Next update' : 'Expires', end === null ? undefined : formatDate(end)],
    ['Key', one.key_type === undefined ? undefined : `${one.key_type}${one.key_bits ? ` ${one.key_bits} bits` : ''}`],
    ['Used by', usedBy(one)],
    ['Files', Object.values(one.files).join(', ')],
    ['Fingerprint', one.fingerprint],
  ]
  return (
    <section class="panel card">
      <header>
        <h2>{one.names?.[0] ?? one.name}</h2>
        <Chip tone={tone} icon={tone === 'ok' ? 'check' : tone === 'quiet' ? 'question' : 'warn'}>
          {leftWords(one.days_left)}
        </Chip>
      </header>
      <p class="faint">
        {kinds[one.kind]} {one.name}
      </p>
      {one.last_error !== null && (
        <p class="problem" role="alert">
          What is in its files now is not in use: {one.last_error.message} ({formatDate(one.last_error.at)})
        </p>
      )}
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined &&
            value !== '' && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class={name === 'Fingerprint' || name === 'Files' ? 'mono' : ''}>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  )
}

function usedBy({ listeners, pools }: MaterialView): string {
  const parts = [
    listeners.length > 0 ? `${listeners.length === 1 ? 'listener' : 'listeners'} ${listeners.join(', ')}` : '',
    pools.length > 0 ? `${pools.length === 1 ? 'pool' : 'pools'} ${pools.join(', ')}` : '',
  ]
  return parts.filter((part) => part !== '').join('; ') || 'nobody'
}
