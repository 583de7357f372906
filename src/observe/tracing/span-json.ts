// Spans in the JSON form of OTLP (opentelemetry-proto, trace/v1): the exchange as a server's span, each attempt as a client's.
// Names of attributes are those of OpenTelemetry's semantic conventions for HTTP; others begin with `frontdesk.`.
import type { BackendSpec } from '../../core/spec.ts'
import { quoted } from '../access/escape.ts'
import type { Redaction } from '../access/redaction.ts'
import type { AccessEntry } from '../access-entry.ts'
import type { AttemptSpan, ExchangeTrace } from './exchange-trace.ts'

const SERVER = 2
const CLIENT = 3
const ERROR = 2

/** Of Span.flags: whether the parent is remote is known, and it is. The low byte has the flags of the trace. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

export interface SpanTimes {
  /** As of `performance.now()`. */
  readonly startMs: number
  readonly endMs: number
  /** What has to be added for the time since 1970. */
  readonly offsetMs: number
  readonly redaction: Redaction
}

/** All spans of an exchange, as members of an array. */
export function exchangeSpans(trace: ExchangeTrace, entry: AccessEntry, times: SpanTimes): string {
  let spans = serverSpan(trace, entry, times)
  for (const [i, attempt] of trace.attempts.entries()) {
    // One that was cut has no end of its own.
    if (attempt.endMs === 0) trace.end(entry.status, entry.error, times.endMs)
    spans += `,${clientSpan(trace, attempt, entry, i, times)}`
  }
  return spans
}

function serverSpan(
  trace: ExchangeTrace,
  entry: AccessEntry,
  { startMs, endMs, offsetMs, redaction }: SpanTimes,
): string {
  const { status, error, target, route } = entry
  const mark = target.indexOf('?')
  const remote = trace.parentId === '' ? HAS_IS_REMOTE : HAS_IS_REMOTE | IS_REMOTE
  const failed = status >= 500 || (error !== '' && status < 400)
  const [host, port] = hostAndPort(entry.host)
  return (
    head(trace, trace.spanId, trace.parentId, remote) +
    `"name":${quoted(spanName(entry.method, route))},"kind":${SERVER},` +
    `"startTimeUnixNano":"${nanoseconds(startMs + offsetMs)}","endTimeUnixNano":"${nanoseconds(endMs + offsetMs)}",` +
    `"attributes":[${methodAttributes(entry.method)},${text('url.scheme', entry.tls === '' ? 'http' : 'https')},` +
    text('url.path', mark < 0 ? target : target.slice(0, mark)) +
    (mark < 0 ? '' : `,${text('url.query', redaction.target(target).slice(mark + 1))}`) +
    (host === '' ? '' : `,${text('server.address', host)}`) +
    (port === 0 ? '' : `,${number('server.port', port)}`) +
    (entry.client === '' ? '' : `,${text('client.address', entry.client)}`) +
    `,${text('network.protocol.version', `1.${entry.minor}`)}` +
    (entry.userAgent === '' ? '' : `,${text('user_agent.original', entry.userAgent)}`) +
    (status === 0 ? '' : `,${number('http.response.status_code', status)}`) +
    `,${number('http.request.body.size', entry.received)},${number('http.response.body.size', entry.sent)}` +
    (failed ? `,${text('error.type', error === '' ? String(status) : error)}` : '') +
    (route === '' ? '' : `,${text('frontdesk.route', route)}`) +
    (entry.pool === '' ? '' : `,${text('frontdesk.pool', entry.pool)}`) +
    `,${text('frontdesk.listener', entry.listener)},${text('frontdesk.request_id', entry.requestId)}` +
    `,${number('frontdesk.attempts', entry.attempts)}` +
    `]${failed ? `,"status":{"code":${ERROR}}` : ''}}`
  )
}

function clientSpan(
  trace: ExchangeTrace,
  { id, backend, target, startMs, endMs, status, error }: AttemptSpan,
  entry: AccessEntry,
  resend: number,
  { offsetMs, redaction }: SpanTimes,
): string {
  const failed = status >= 400 || error !== ''
  return (
    head(trace, id, trace.spanId, HAS_IS_REMOTE) +
    `"name":${quoted(spanName(entry.method, ''))},"kind":${CLIENT},` +
    `"startTimeUnixNano":"${nanoseconds(startMs + offsetMs)}","endTimeUnixNano":"${nanoseconds(endMs + offsetMs)}",` +
    `"attributes":[${methodAttributes(entry.method)},${text('url.full', urlOf(backend, entry.host, redaction.target(target)))}` +
    serverOf(backend) +
    (status === 0 ? '' : `,${number('http.response.status_code', status)}`) +
    (failed ? `,${text('error.type', error === '' ? String(status) : error)}` : '') +
    (resend === 0 ? '' : `,${number('http.request.resend_count', resend)}`) +
    `,${text('frontdesk.backend', backend.url)},${text('frontdesk.pool', backend.pool)}` +
    `]${failed ? `,"status":{"code":${ERROR}}` : ''}}`
  )
}

function head(trace: ExchangeTrace, id: string, parentId: string, flags: number): string {
  return (
    `{"traceId":"${trace.traceId}","spanId":"${id}",` +
    (parentId === '' ? '' : `"parentSpanId":"${parentId}",`) +
    (trace.state === '' ? '' : `"traceState":${quoted(trace.state)},`) +
    `"flags":${flags | trace.flags},`
  )
}

/** What is asked for by a Unix socket has the host of the request. */
function urlOf({ url, socketPath, basePath }: BackendSpec, host: string, target: string): string {
  const path = target === '*' ? '' : target
  return socketPath === null ? url + path : `http://${host}${basePath}${path}`
}

function serverOf({ host, port, socketPath }: BackendSpec): string {
  if (socketPath !== null) return `,${text('server.address', socketPath)}`
  return `,${text('server.address', host)},${number('server.port', port)}`
}

/** Names are few, whatever clients ask for: a method that nobody knows is none. */
function spanName(method: string, route: string): string {
  const known = METHODS.has(method) ? method : 'HTTP'
  return route === '' ? known : `${known} ${route}`
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])

function methodAttributes(method: string): string {
  if (METHODS.has(method)) return text('http.request.method', method)
  return `${text('http.request.method', '_OTHER')},${text('http.request.method_original', method)}`
}

const text = (key: string, value: string): string => `{"key":"${key}","value":{"stringValue":${quoted(value)}}}`
/** Numbers of 64 bits are strings in the JSON form of protobuf. */
const number = (key: string, value: number): string => `{"key":"${key}","value":{"intValue":"${value}"}}`

const sixDigits = (value: number): string => String(value).padStart(6, '0')

/** Milliseconds with a fraction as whole nanoseconds, which no number holds exactly. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms)
  return `${whole}${sixDigits(Math.min(999_999, Math.floor((ms - whole) * 1e6)))}`
}

function hostAndPort(host: string): [name: string, port: number] {
  const match = /^(.*?)(?::(\d*))?$/.exec(host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : host)
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (match?.[1] ?? '')
  return [name, Number(match?.[2] ?? 0)]
}
