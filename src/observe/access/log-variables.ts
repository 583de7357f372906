// The variables of a log line of one's own: names as in the templates of routes, or those of the JSON lines.

import { closest } from '../../util/edit-distance.ts'
import { fieldValue } from '../../util/field-block.ts'
import type { AccessEntry, EndedEntry, TcpEntry } from '../access-entry.ts'
import { escaped } from './escape.ts'
import { type LineTime, milliseconds } from './numbers.ts'
import type { Redaction } from './redaction.ts'

/** What a variable says of an entry, escaped; never ''. */
export type Writer<Entry> = (entry: Entry, time: LineTime, redaction: Redaction) => string

export interface LogVariable {
  readonly name: string
  readonly meaning: string
  readonly http: Writer<AccessEntry>
  /** Without it a TCP connection has nothing to say. */
  readonly tcp?: Writer<TcpEntry>
}

/** `header.NAME` and its like: any name may follow. */
export interface LogFamily {
  readonly name: string
  readonly meaning: string
  http(of: string): Writer<AccessEntry>
}

const both = (name: string, meaning: string, write: Writer<EndedEntry>): LogVariable => ({
  name,
  meaning,
  http: write,
  tcp: write,
})
const text = (value: string): string => (value === '' ? '-' : escaped(value))
const timing = (us: number, none: number): string => (us === none ? '-' : milliseconds(us))

/** Every variable; for the guide too. */
export const logVariables: readonly LogVariable[] = [
  both('time', 'when the exchange ended: `2026-11-21T15:20:00.123Z`', (_, time) => time.iso),
  both('time.clf', 'the same as `21/Nov/2026:15:20:00 +0000`', (_, time) => time.clf),
  both('time.unix', 'the same in seconds since 1970, with three decimals', (_, time) => time.unix),
  both('listener', 'name of the listener', (e) => text(e.listener)),
  both('client.ip', 'address of the client; `unix:` on a Unix socket', (e) => text(e.client)),
  both('tls.version', '`TLSv1.3`; empty without TLS', (e) => text(e.tls)),
  both('tls.server_name', 'the name asked for in the TLS handshake', (e) => text(e.serverName)),
  both('tls.client_cert', "fingerprint of the client's certificate", (e) => text(e.clientCertificate)),
  { name: 'request.id', meaning: '`X-Request-Id` of this exchange', http: (e) => text(e.requestId) },
  { name: 'trace.id', meaning: 'its trace, from `traceparent` or made here', http: (e) => text(e.traceId) },
  { name: 'request.method', meaning: '`GET`', http: (e) => text(e.method) },
  {
    name: 'request.uri',
    meaning: 'path and query as the client sent them',
    http: (e, _, redaction) => text(redaction.target(e.target)),
  },
  { name: 'request.path', meaning: 'its path, as the client sent it', http: (e) => text(pathOf(e.target)) },
  {
    name: 'request.query',
    meaning: 'its query with its `?`',
    http: (e, _, redaction) => text(redaction.target(e.target.slice(pathOf(e.target).length))),
  },
  { name: 'request.host', meaning: 'host asked for, as the client sent it', http: (e) => text(e.host) },
  { name: 'request.scheme', meaning: '`http` or `https`', http: (e) => (e.tls === '' ? 'http' : 'https') },
  {
    name: 'request.protocol',
    meaning: '`HTTP/1.1`; `TCP` for a TCP connection',
    http: (e) => (e.method === '' ? '-' : e.minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0'),
    tcp: () => 'TCP',
  },
  both('status', 'status of the answer; 499 = the client was gone before it', (e) => String(e.status)),
  both('bytes_received', 'size of the request body', (e) => String(e.received)),
  both('bytes_sent', 'size of the answer body, as it was sent', (e) => String(e.sent)),
  both('duration_ms', 'from the head of the request to the last byte of the answer', (e) => milliseconds(e.durationUs)),
  {
    name: 'queue_ms',
    meaning: 'from the head of the request until the first backend was asked',
    http: (e) => timing(e.queueUs, -1),
  },
  both('connect_ms', 'spent on connecting to backends; empty on a kept connection', (e) => timing(e.connectUs, -1)),
  {
    name: 'first_byte_ms',
    meaning: "from the request's going out to the first byte of the backend's answer",
    http: (e) => timing(e.firstByteUs, 0),
  },
  { name: 'route', meaning: 'name of the route', http: (e) => text(e.route) },
  both('pool', 'its pool', (e) => text(e.pool)),
  both('backend', 'URL of the last backend that was asked', (e) => text(e.backend)),
  both('attempts', 'backends asked', (e) => String(e.attempts)),
  { name: 'cache', meaning: 'what the cache made of it: `hit`, `miss` …', http: (e) => text(e.cache) },
  both('error', 'name of what went wrong', (e) => text(e.error)),
  both('client_gone', '`true` where the client went away before its answer was complete', (e) =>
    e.error === 'client_gone' ? 'true' : '-',
  ),
]

export const logFamilies: readonly LogFamily[] = [
  {
    name: 'header',
    meaning: 'a field of the request, as the client sent it',
    http: (of) => {
      const name = of.toLowerCase()
      // An address, whose parameters may be secrets.
      if (name === 'referer') return (e, _, redaction) => text(redaction.header(name, redaction.url(e.referer)))
      return (e, _, redaction) => text(redaction.header(name, fieldValue(e.headers, name)))
    },
  },
  {
    name: 'query',
    meaning: 'the first parameter of that name in the query, as it came',
    http: (of) => (e, _, redaction) => text(redaction.parameter(of, parameter(e.target, of))),
  },
  {
    name: 'cookie',
    meaning: 'a cookie of the request; hidden as long as `cookie` is among `redact.headers`',
    http: (of) => (e, _, redaction) => text(redaction.cookie(cookie(fieldValue(e.headers, 'cookie'), of))),
  },
]

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

function parameter(target: string, name: string): string {
  const mark = target.indexOf('?')
  if (mark < 0) return ''
  for (const pair of target.slice(mark + 1).split('&')) {
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1)
  }
  return ''
}

function cookie(cookies: string, name: string): string {
  for (const pair of cookies.split(';')) {
    const one = pair.trimStart()
    if (one.startsWith(name) && one[name.length] === '=') return one.slice(name.length + 1)
  }
  return ''
}

const byName = new Map(logVariables.map((variable) => [variable.name, variable]))
const familyByName = new Map(logFamilies.map((family) => [family.name, family]))

/** The variable of that name; undefined = there is none. */
export function findLogVariable(name: string): Pick<LogVariable, 'http' | 'tcp'> | undefined {
  const known = byName.get(name)
  if (known !== undefined) return known
  const dot = name.indexOf('.')
  const family = dot < 0 ? undefined : familyByName.get(name.slice(0, dot))
  return family === undefined || dot === name.length - 1 ? undefined : { http: family.http(name.slice(dot + 1)) }
}

/** Names that people expect, and what is called so here. */
const otherNames: Readonly<Record<string, string>> = {
  client: 'client.ip',
  remote_addr: 'client.ip',
  method: 'request.method',
  target: 'request.uri',
  uri: 'request.uri',
  path: 'request.path',
  host: 'request.host',
  protocol: 'request.protocol',
  request_id: 'request.id',
  trace_id: 'trace.id',
  user_agent: 'header.user-agent',
  referer: 'header.referer',
  'request.header': 'header.NAME',
  bytes: 'bytes_sent',
  size: 'bytes_sent',
  duration: 'duration_ms',
  upstream: 'backend',
  upstream_cache_status: 'cache',
  cache_status: 'cache',
}

/** What is wrong with the name of a variable, as message and hint; null = nothing. */
export function logVariableProblem(name: string): { readonly message: string; readonly hint: string } | null {
  if (findLogVariable(name) !== undefined) return null
  if (familyByName.has(name)) return { message: `{${name}} needs a name`, hint: `write {${name}.NAME}` }
  const dot = name.indexOf('.')
  const family = dot < 0 ? null : closest(name.slice(0, dot), [...familyByName.keys()])
  const guess = otherNames[name] ?? closest(name, [...byName.keys()]) ?? (family && `${family}${name.slice(dot)}`)
  const message = `there is no variable {${name}} for log lines`
  if (guess !== null) return { message, hint: `did you mean {${guess}}?` }
  return { message, hint: 'a literal "{" is written {{; the guide to observability lists all variables' }
}
