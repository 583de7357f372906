// Where the time of a request went, and all else that is known of it.
import type { RequestView } from '../api/types.ts'
import { formatBytes, formatDate, formatMs } from '../text/format.ts'

interface Phase {
  readonly name: string
  readonly ms: number
  readonly tone: string
}

/** The parts of the whole time, in order; what is left is the body. */
export function phasesOf(request: RequestView): Phase[] {
  const queue = request.queue_ms ?? 0
  const connect = request.connect_ms ?? 0
  const firstByte = request.first_byte_ms ?? 0
  const rest = Math.max(0, request.duration_ms - queue - connect - firstByte)
  return [
    { name: 'before the backend', ms: queue, tone: 'quiet' },
    { name: 'connect', ms: connect, tone: 'warn' },
    { name: 'first byte', ms: firstByte, tone: 'info' },
    { name: 'body', ms: rest, tone: 'ok' },
  ]
}

export function RequestDetails({ request }: { readonly request: RequestView }) {
  const phases = phasesOf(request)
  const facts: [string, string | undefined][] = [
    ['At', formatDate(request.time)],
    ['Client', request.client],
    ['Listener', request.listener],
    ['Route', request.route],
    ['Pool', request.pool],
    ['Protocol', [request.protocol, request.tls].filter(Boolean).join(', ')],
    ['Cache', request.cache],
    ['Attempts', String(request.attempts)],
    ['Received', formatBytes(request.bytes_received)],
    ['Request id', request.request_id],
    ['Trace id', request.trace_id],
    ['User agent', request.user_agent],
    ['Failed attempts', request.failures?.map(({ backend, error, code }) => `${backend}: ${error} ${code}`).join('; ')],
  ]
  return (
    <div class="request-details">
      <p class="phases">
        {phases.map(({ name, ms, tone }) => (
          <span key={name}>
            <i class={`line ${tone}`} /> {name} <b>{formatMs(ms)}</b>
          </span>
        ))}
      </p>
      <span class="bar" aria-hidden="true">
        {phases.map(({ name, ms, tone }) => ms > 0 && <i key={name} class={tone} style={{ flexGrow: 1_000 * ms }} />)}
      </span>
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined &&
            value !== '' && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </div>
  )
}
