// What is known of an exchange or a TCP connection when it has ended: what access logs and live requests tell of.

/** A backend that was asked in vain, and why. */
export interface FailedAttempt {
  readonly backend: string
  /** Name of the error, or `status` where its answer was not wanted. */
  readonly error: string
  /** What the system said, or the status; '' = nothing. */
  readonly code: string
}

/** Times in microseconds, sizes in bytes of body. */
export interface AccessEntry {
  readonly listener: string
  readonly client: string
  /** Its TLS version; '' without TLS. */
  readonly tls: string
  /** Fingerprint of its certificate; '' without one. */
  readonly clientCertificate: string
  /** What it asked for in the TLS handshake; '' = nothing. */
  readonly serverName: string
  readonly method: string
  readonly target: string
  readonly minor: number
  readonly host: string
  readonly status: number
  readonly received: number
  readonly sent: number
  readonly durationUs: number
  /** From the request's head to the moment when the first backend was asked; -1 = none was. */
  readonly queueUs: number
  /** Spent on connecting to backends, in vain or not; -1 = no connection was asked for: a kept one served. */
  readonly connectUs: number
  /** From the request's going out to the first byte of the backend's answer; 0 = there is none. */
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
  /** What the cache made of it, one of `cacheResults`; '' where its route does not cache. */
  readonly cache: string
  readonly requestId: string
  /** 32 hex digits; '' = it belongs to no trace. */
  readonly traceId: string
  readonly userAgent: string
  readonly referer: string
  /** The header section of the request as the client sent it. */
  readonly headers: string
}

/** What is known of a request that could not be read: nothing. */
export const unreadEntry: AccessEntry = Object.freeze({
  listener: '',
  client: '',
  tls: '',
  clientCertificate: '',
  serverName: '',
  method: '',
  target: '',
  minor: 1,
  host: '',
  status: 0,
  received: 0,
  sent: 0,
  durationUs: 0,
  queueUs: -1,
  connectUs: -1,
  firstByteUs: 0,
  route: '',
  pool: '',
  backend: '',
  attempts: 0,
  failures: null,
  error: '',
  cache: '',
  requestId: '',
  traceId: '',
  userAgent: '',
  referer: '',
  headers: '',
})

/** A TCP connection that has ended. */
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
    | 'connectUs'
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

/** What has ended, of whichever kind. */
export type EndedEntry = AccessEntry | TcpEntry
