// Every way an exchange can fail, as data: whose side, what the client sees, whether it may be retried, who is blamed.
// http/error-response.ts is the one place that turns an entry into bytes; pool/ reads `retry` and `blamesBackend`.

export interface ErrorSpec {
  readonly name: string
  readonly side: 'client' | 'backend' | 'proxy'
  readonly phase: 'accept' | 'tls' | 'decode' | 'route' | 'select' | 'connect' | 'send' | 'receive' | 'relay'
  /** What an HTTP client sees; 0 = nothing can be sent any more. 499 appears in logs only. */
  readonly status: number
  /** `safe`: no byte reached the backend. `if-idempotent`: it may have acted. */
  readonly retry: 'safe' | 'if-idempotent' | 'never'
  readonly blamesBackend: boolean
  /** RFC 9209 Proxy-Status error type, or null where none fits. */
  readonly proxyStatus: string | null
  /** One sentence for a person, without the closing dot. */
  readonly summary: string
}

type Row = Omit<ErrorSpec, 'name'>
const client = (
  status: number,
  phase: ErrorSpec['phase'],
  summary: string,
  proxyStatus: string | null = 'http_request_error',
): Row => ({
  side: 'client',
  phase,
  status,
  retry: 'never',
  blamesBackend: false,
  proxyStatus,
  summary,
})
const backend = (
  status: number,
  phase: ErrorSpec['phase'],
  retry: ErrorSpec['retry'],
  proxyStatus: string,
  summary: string,
  blamesBackend = true,
): Row => ({ side: 'backend', phase, status, retry, blamesBackend, proxyStatus, summary })
const proxy = (status: number, phase: ErrorSpec['phase'], proxyStatus: string | null, summary: string): Row => ({
  side: 'proxy',
  phase,
  status,
  retry: 'never',
  blamesBackend: false,
  proxyStatus,
  summary,
})

const table = {
  // What the client sent (RFC 9112, RFC 9110).
  bad_request_line: client(400, 'decode', 'The request line is malformed'),
  bad_target: client(400, 'decode', 'The request target is malformed'),
  bad_field: client(400, 'decode', 'A header field is malformed'),
  bad_host: client(400, 'decode', 'Exactly one valid Host is needed'),
  bad_framing: client(400, 'decode', 'The length of the request body is ambiguous or malformed'),
  bad_chunk: client(400, 'decode', 'The chunked request body is malformed'),
  bad_upgrade: client(400, 'decode', 'An Upgrade request must not carry a body'),
  target_too_long: client(414, 'decode', 'The request target is too long'),
  header_too_large: client(431, 'decode', 'The header section is too large'),
  body_too_large: client(413, 'decode', 'The request body is too large'),
  unknown_expectation: client(417, 'decode', 'The expectation is not supported'),
  unknown_coding: client(501, 'decode', 'The transfer coding is not supported'),
  method_not_supported: client(501, 'decode', 'The method is not supported by this proxy'),
  version_not_supported: client(505, 'decode', 'The HTTP version is not supported'),
  request_timeout: client(408, 'decode', 'The request did not arrive in time'),
  client_gone: { ...client(499, 'relay', 'The client closed the connection'), proxyStatus: null },
  // What we decided.
  loop_detected: proxy(508, 'route', 'proxy_loop_detected', 'The request has already passed through this proxy'),
  no_backend: proxy(503, 'select', 'destination_unavailable', 'No backend is available'),
  backends_full: proxy(503, 'select', 'connection_limit_reached', 'Every backend is at its connection limit'),
  total_timeout: {
    ...proxy(504, 'receive', 'http_response_timeout', 'The request took longer than it may'),
    side: 'backend' as const,
  },
  out_of_resources: proxy(503, 'connect', 'proxy_internal_error', 'The proxy has run out of sockets'),
  internal: proxy(500, 'route', 'proxy_internal_error', 'Internal error'),
  not_cached: {
    ...client(504, 'route', 'Nothing is stored that may be used, and the request wants nothing else (only-if-cached)'),
    proxyStatus: null,
  },
  no_route: proxy(404, 'route', 'destination_not_found', 'No route takes the request'),
  middleware_failed: proxy(500, 'route', 'proxy_internal_error', 'A step of this proxy failed'),
  strategy_failed: proxy(500, 'select', 'proxy_internal_error', 'A strategy of this proxy failed'),
  unauthorized: proxy(401, 'route', 'http_request_denied', 'A user name and a password are needed'),
  auth_unavailable: proxy(503, 'route', 'proxy_internal_error', 'Whether this is allowed cannot be found out now'),
  forbidden: proxy(403, 'route', 'http_request_denied', 'This client may not use this'),
  rate_limited: proxy(429, 'route', 'http_request_denied', 'Too many requests: try again later'),
  concurrency_limited: proxy(429, 'route', 'http_request_denied', 'Too many requests at once'),
  // What the backend did.
  connect_refused: backend(503, 'connect', 'safe', 'connection_refused', 'The backend refused the connection'),
  connect_timeout: backend(
    503,
    'connect',
    'safe',
    'connection_timeout',
    'The backend did not accept the connection in time',
  ),
  connect_failed: backend(503, 'connect', 'safe', 'destination_ip_unroutable', 'The backend could not be reached'),
  dns_error: backend(503, 'connect', 'safe', 'dns_error', 'The name of the backend could not be resolved'),
  tls_certificate: backend(
    503,
    'tls',
    'safe',
    'tls_certificate_error',
    'The certificate of the backend was not accepted',
  ),
  tls_alert: backend(503, 'tls', 'safe', 'tls_alert_received', 'The backend refused the TLS handshake'),
  tls_failed: backend(503, 'tls', 'safe', 'tls_protocol_error', 'The TLS handshake with the backend failed'),
  reset_before_answer: backend(
    502,
    'receive',
    'if-idempotent',
    'connection_terminated',
    'The backend closed the connection before it answered',
  ),
  reset_in_answer: backend(
    502,
    'receive',
    'never',
    'http_response_incomplete',
    'The backend closed the connection in the middle of its answer',
  ),
  first_byte_timeout: backend(504, 'receive', 'never', 'http_response_timeout', 'The backend did not answer in time'),
  body_timeout: backend(
    504,
    'relay',
    'never',
    'connection_read_timeout',
    'The backend fell silent in the middle of its answer',
  ),
  bad_response: backend(502, 'decode', 'never', 'http_protocol_error', 'The answer of the backend is malformed'),
  response_header_too_large: backend(
    502,
    'decode',
    'never',
    'http_response_header_section_size',
    'The header section of the answer is too large',
  ),
  bad_upgrade_answer: backend(
    502,
    'decode',
    'never',
    'http_upgrade_failed',
    'The backend switched to a protocol that nobody asked for',
  ),
} satisfies Record<string, Row>

export type ErrorName = keyof typeof table

/** The table, each row knowing its own name. */
export const errors = Object.freeze(
  Object.fromEntries(Object.entries(table).map(([name, row]) => [name, Object.freeze({ name, ...row })])),
) as Readonly<Record<ErrorName, ErrorSpec>>

/** No connection to the backend came to stand: nothing can have reached it. */
export function isUnreached(error: ErrorSpec): boolean {
  return error.phase === 'connect' || error.phase === 'tls'
}

/** Names in a fixed order: the index of a name is its cell in shared memory. */
export const errorNames = Object.freeze(Object.keys(table)) as readonly ErrorName[]
