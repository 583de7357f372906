// Access log lines, built by hand and handed over in batches: a line costs well under a microsecond.
import type { AccessLogSpec } from '../core/spec.ts'

/** A backend that was asked in vain, and why. */
export interface FailedAttempt {
  readonly backend: string
  /** Name of the error, or `status` where its answer was not wanted. */
  readonly error: string
  /** What the system said, or the status; '' = nothing. */
  readonly code: string
}

/** What is known of an exchange when it has ended. Times in microseconds, sizes in bytes of body. */
export interface AccessEntry {
  readonly listener: string
  readonly client: string
  /** Its TLS version; '' without TLS. */
  readonly tls: string
  /** Fingerprint of its certificate; '' without one. */
  readonly clientCertificate: string
  readonly method: string
  readonly target: string
  readonly minor: number
  readonly host: string
  readonly status: number
  readonly received: number
  readonly sent: number
  readonly durationUs: number
  /** To the first byte of the backend's answer; 0 = none. */
  readonly firstByteUs: number
  /** '' if none took it. */
  readonly route: string
  readonly pool: string
  /** '' if none was reached. */
  readonly backend: string
  readonly attempts: number
  /** In their order; null = none. */
  readonly failures: readonly FailedAttempt[] | null
  readonly error: string
  readonly requestId: string
  readonly userAgent: string
  readonly referer: string
}

/** What is known of a request that could not be read: nothing. */
export const unreadEntry: AccessEntry = Object.freeze({
  listener: '',
  client: '',
  tls: '',
  clientCertificate: '',
  method: '',
  target: '',
  minor: 1,
  host: '',
  status: 0,
  received: 0,
  sent: 0,
  durationUs: 0,
  firstByteUs: 0,
  route: '',
  pool: '',
  backend: '',
  attempts: 0,
  failures: null,
  error: '',
  requestId: '',
  userAgent: '',
  referer: '',
})

/** What is known of a TCP connection when it has ended. */
export interface TcpEntry
  extends Pick<
    AccessEntry,
    | 'listener'
    | 'client'
    | 'tls'
    | 'clientCertificate'
    | 'received'
    | 'sent'
    | 'durationUs'
    | 'pool'
    | 'backend'
    | 'attempts'
    | 'failures'
    | 'error'
  > {
  /** For formats that have one, as in nginx's streams: 200, or that of the error that left it without a backend. */
  readonly status: number
  /** What a TLS client asked for, also where its TLS is passed on; '' = nothing. */
  readonly serverName: string
}

const FLUSH_BYTES = 32 * 1024
const FLUSH_MS = 200

export class AccessLog {
  spec: AccessLogSpec
  readonly #deliver: (lines: string) => void
  #lines = ''
  #timer: NodeJS.Timeout | null = null

  /** `deliver` gets whole lines, a batch at a time. */
  constructor(spec: AccessLogSpec, deliver: (lines: string) => void) {
    this.spec = spec
    this.#deliver = deliver
  }

  add(entry: AccessEntry): void {
    this.#append(this.spec.format === 'json' ? jsonLine(entry, new Date()) : combinedLine(entry, new Date()))
  }

  addTcp(entry: TcpEntry): void {
    this.#append(this.spec.format === 'json' ? jsonTcpLine(entry, new Date()) : combinedTcpLine(entry, new Date()))
  }

  #append(line: string): void {
    this.#lines += line
    if (this.#lines.length >= FLUSH_BYTES) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref()
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#lines === '') return
    const lines = this.#lines
    this.#lines = ''
    this.#deliver(lines)
  }
}

function jsonLine(entry: AccessEntry, now: Date): string {
  return (
    `{"time":"${now.toISOString()}","listener":${quoted(entry.listener)},"client":${quoted(entry.client)},` +
    `${tlsMembers(entry)}"method":${quoted(entry.method)},"host":${quoted(entry.host)},"target":${quoted(entry.target)},` +
    `"protocol":"${entry.method === '' ? '' : `HTTP/1.${entry.minor}`}","status":${entry.status},"bytes_received":${entry.received},` +
    `"bytes_sent":${entry.sent},"duration_ms":${milliseconds(entry.durationUs)},` +
    `"first_byte_ms":${milliseconds(entry.firstByteUs)},"route":${quoted(entry.route)},"pool":${quoted(entry.pool)},` +
    `"backend":${quoted(entry.backend)},"attempts":${entry.attempts},${failuresMember(entry.failures)}"error":${quoted(entry.error)},` +
    `"request_id":${quoted(entry.requestId)},"user_agent":${quoted(entry.userAgent)},"referer":${quoted(entry.referer)}}\n`
  )
}

function jsonTcpLine(entry: TcpEntry, now: Date): string {
  return (
    `{"time":"${now.toISOString()}","listener":${quoted(entry.listener)},"client":${quoted(entry.client)},` +
    `${tlsMembers(entry)}${serverNameMember(entry.serverName)}"protocol":"TCP","bytes_received":${entry.received},"bytes_sent":${entry.sent},` +
    `"duration_ms":${milliseconds(entry.durationUs)},"pool":${quoted(entry.pool)},` +
    `"backend":${quoted(entry.backend)},"attempts":${entry.attempts},${failuresMember(entry.failures)}"error":${quoted(entry.error)}}\n`
  )
}

/** Only where an attempt has failed: other lines are as short as before. */
function failuresMember(failures: readonly FailedAttempt[] | null): string {
  if (failures === null) return ''
  const list = failures.map(
    ({ backend, error, code }) => `{"backend":${quoted(backend)},"error":${quoted(error)},"code":${quoted(code)}}`,
  )
  return `"failures":[${list.join(',')}],`
}

function serverNameMember(name: string): string {
  return name === '' ? '' : `"server_name":${quoted(name)},`
}

/** Only where there is TLS: other lines are as short as before. */
function tlsMembers({ tls, clientCertificate }: Pick<AccessEntry, 'tls' | 'clientCertificate'>): string {
  if (tls === '') return ''
  return `"tls":"${tls}",${clientCertificate === '' ? '' : `"client_cert":"${clientCertificate}",`}`
}

/** A line in the Combined Log Format of Apache and nginx. */
function combinedLine(entry: AccessEntry, now: Date): string {
  const request = entry.method === '' ? '-' : `${entry.method} ${entry.target} HTTP/1.${entry.minor}`
  return (
    `${entry.client} - - [${clfTime(now)}] "${escaped(request)}" ${entry.status} ${entry.sent} ` +
    `"${escaped(entry.referer || '-')}" "${escaped(entry.userAgent || '-')}"\n`
  )
}

/** The pool stands where a request has its target. */
function combinedTcpLine(entry: TcpEntry, now: Date): string {
  return `${entry.client} - - [${clfTime(now)}] "TCP ${escaped(entry.pool)}" ${entry.status} ${entry.sent} "-" "-"\n`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function clfTime(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return (
    `${two(now.getUTCDate())}/${months[now.getUTCMonth()]}/${now.getUTCFullYear()}:` +
    `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`
  )
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(3)
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** A JSON string without control characters, C1 too: a terminal obeys them. Most values need no escaping. */
function quoted(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

/** Quotes, backslashes and everything not printable as \xHH, as nginx does: one request, one line. */
function escaped(value: string): string {
  if (PLAIN.test(value)) return value
  return value.replace(
    /[^\x20\x21\x23-\x5b\x5d-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
