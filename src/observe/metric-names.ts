// Every metric Frontdesk exports, named once, with its type, labels and meaning. The writer, the reference page and the
// tests read this table; nothing else spells a metric's name.

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface MetricSpec {
  readonly type: MetricType
  readonly labels: readonly string[]
  readonly help: string
}

const backend = ['pool', 'backend'] as const

export const metrics = Object.freeze({
  frontdesk_build_info: { type: 'gauge', labels: ['version', 'node'], help: 'Always 1; the labels say what runs.' },
  frontdesk_config_revision: {
    type: 'gauge',
    labels: [],
    help: 'Revision of the running configuration; grows by one with every applied change.',
  },
  frontdesk_config_last_reload_successful: {
    type: 'gauge',
    labels: [],
    help: '1 if the last reload was applied (or none was asked for), 0 if it was refused.',
  },
  frontdesk_connections_total: { type: 'counter', labels: ['listener'], help: 'Client connections accepted.' },
  frontdesk_connections_active: { type: 'gauge', labels: ['listener'], help: 'Client connections open now.' },
  frontdesk_connections_rejected_total: {
    type: 'counter',
    labels: ['listener', 'reason'],
    help: 'Client connections refused, by reason.',
  },
  frontdesk_bytes_received_total: { type: 'counter', labels: ['listener'], help: 'Bytes read from clients.' },
  frontdesk_bytes_sent_total: { type: 'counter', labels: ['listener'], help: 'Bytes written to clients.' },
  frontdesk_tls_handshakes_total: {
    type: 'counter',
    labels: ['listener', 'version', 'resumed'],
    help: 'TLS handshakes with clients that came to their end, by version; `resumed`: `true` or `false`.',
  },
  frontdesk_tls_handshake_errors_total: {
    type: 'counter',
    labels: ['listener', 'reason'],
    help: 'TLS handshakes with clients that failed, by reason.',
  },
  frontdesk_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    labels: ['name'],
    help: 'End of a certificate in use, seconds since the epoch; `name` is its file.',
  },
  frontdesk_http_requests_total: {
    type: 'counter',
    labels: ['listener', 'route', 'method', 'code'],
    help: 'Requests answered, by method and status code; methods that are not registered count as `other`. Routes beyond the first thousand share `(other)`.',
  },
  frontdesk_http_requests_active: { type: 'gauge', labels: ['listener'], help: 'Requests in flight now.' },
  frontdesk_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['listener', 'route'],
    help: 'From the first byte of the request to the last byte of the answer.',
  },
  frontdesk_http_request_errors_total: {
    type: 'counter',
    labels: ['route', 'reason'],
    help: 'Requests that failed in the proxy or at a backend, by entry of the error table.',
  },
  frontdesk_rate_limited_total: {
    type: 'counter',
    labels: ['route'],
    help: 'Requests refused with 429 by a limit of the route: `rate_limit` or `concurrency`.',
  },
  frontdesk_mirrored_requests_total: {
    type: 'counter',
    labels: ['route', 'result'],
    help: 'Copies for the mirror of the route: `sent` and answered, `failed`, not begun because too many were under way or no backend was there (`dropped`) or the body was `too_large`.',
  },
  frontdesk_cache_requests_total: {
    type: 'counter',
    labels: ['route', 'result'],
    help: 'Requests of routes that cache: answered from the cache (`hit`), also past their time (`stale`), after the backend said that it still holds (`revalidated`), fetched (`miss`), fetched by another request at the same time (`collapsed`), not looked up (`bypass`).',
  },
  frontdesk_cache_not_stored_total: {
    type: 'counter',
    labels: ['route', 'reason'],
    help: 'Answers to GET that a route which caches got from a backend and did not store, by the rule that forbids it.',
  },
  frontdesk_cache_entries: { type: 'gauge', labels: [], help: 'Answers in the memory of the cache.' },
  frontdesk_cache_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Memory of the cache in use, index and metadata included.',
  },
  frontdesk_cache_size_bytes: {
    type: 'gauge',
    labels: [],
    help: 'What that may come to: `cache_store.memory`.',
  },
  frontdesk_cache_stored_total: { type: 'counter', labels: [], help: 'Answers put into the memory of the cache.' },
  frontdesk_cache_evicted_total: {
    type: 'counter',
    labels: [],
    help: 'Answers thrown out of the memory to make room for others.',
  },
  frontdesk_cache_purged_total: { type: 'counter', labels: [], help: 'Answers that were purged or invalidated.' },
  frontdesk_cache_disk_entries: { type: 'gauge', labels: [], help: 'Answers on the disk of the cache, about.' },
  frontdesk_cache_disk_bytes: { type: 'gauge', labels: [], help: 'What its files take.' },
  frontdesk_cache_disk_size_bytes: {
    type: 'gauge',
    labels: [],
    help: 'What that may come to: `cache_store.disk.size`.',
  },
  frontdesk_cache_disk_up: {
    type: 'gauge',
    labels: [],
    help: '1 while the disk of the cache takes answers; 0: it is full or fails, and memory serves alone.',
  },
  frontdesk_cache_disk_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Answers that were not kept on disk: too long, too many at once, or the disk was not up.',
  },
  frontdesk_cache_disk_damaged_total: {
    type: 'counter',
    labels: [],
    help: 'Records found damaged on disk, which are not served.',
  },
  frontdesk_backend_up: {
    type: 'gauge',
    labels: backend,
    help: '1 if the backend takes new requests; 0 if it is down, ejected, draining or disabled. Unknown counts as 1.',
  },
  frontdesk_backend_weight: { type: 'gauge', labels: backend, help: 'Configured weight.' },
  frontdesk_backend_state: {
    type: 'gauge',
    labels: [...backend, 'state'],
    help: '1 for the state the backend is in, 0 for the others.',
  },
  frontdesk_backend_transitions_total: {
    type: 'counter',
    labels: [...backend, 'to'],
    help: 'Changes of state, by the state entered.',
  },
  frontdesk_backend_connections_active: {
    type: 'gauge',
    labels: backend,
    help: 'Places taken at the backend: requests in flight, or connections of a TCP pool.',
  },
  frontdesk_backend_connections_idle: { type: 'gauge', labels: backend, help: 'Idle kept-alive connections.' },
  frontdesk_backend_requests_total: {
    type: 'counter',
    labels: [...backend, 'code'],
    help: 'Answers of the backend by class of status (`1xx` to `5xx`); `error` counts exchanges it broke, in a TCP pool connections.',
  },
  frontdesk_backend_connect_errors_total: {
    type: 'counter',
    labels: backend,
    help: 'Connections to the backend that could not be opened.',
  },
  frontdesk_backend_connect_duration_seconds: {
    type: 'histogram',
    labels: backend,
    help: 'From the start of a connection to the backend until it stands, TLS included.',
  },
  frontdesk_backend_request_duration_seconds: {
    type: 'histogram',
    labels: backend,
    help: 'From sending the request to the first byte of the answer. HTTP only.',
  },
  frontdesk_backend_health_checks_total: {
    type: 'counter',
    labels: [...backend, 'result'],
    help: 'Active health checks, by result: `pass` or `fail`.',
  },
  frontdesk_retries_total: { type: 'counter', labels: ['pool', 'reason'], help: 'Further attempts, by cause.' },
  frontdesk_worker_event_loop_utilization_ratio: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Share of time the worker was busy, 0 to 1.',
  },
  frontdesk_worker_event_loop_lag_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'How late the last heartbeat of the worker was.',
  },
  frontdesk_worker_connections: { type: 'gauge', labels: ['worker'], help: 'Client connections the worker holds.' },
  frontdesk_worker_up: { type: 'gauge', labels: ['worker'], help: '1 if the worker is running.' },
  frontdesk_worker_restarts_total: {
    type: 'counter',
    labels: [],
    help: 'How often workers were started again after they died.',
  },
  frontdesk_spans_exported_total: {
    type: 'counter',
    labels: [],
    help: 'Spans that the endpoint of `tracing` has taken.',
  },
  frontdesk_spans_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Spans lost: too many waited, or the endpoint did not take them.',
  },
  process_cpu_user_seconds_total: { type: 'counter', labels: [], help: 'User CPU time of the whole process.' },
  process_cpu_system_seconds_total: { type: 'counter', labels: [], help: 'System CPU time of the whole process.' },
  process_cpu_seconds_total: { type: 'counter', labels: [], help: 'User and system CPU time of the whole process.' },
  process_start_time_seconds: { type: 'gauge', labels: [], help: 'Start of the process, seconds since the epoch.' },
  process_resident_memory_bytes: { type: 'gauge', labels: [], help: 'Resident memory of the whole process.' },
  process_open_fds: { type: 'gauge', labels: [], help: 'Open file descriptors (Linux).' },
  process_max_fds: { type: 'gauge', labels: [], help: 'Limit of open file descriptors (Linux).' },
  nodejs_version_info: { type: 'gauge', labels: ['version'], help: 'Always 1; the label says which Node runs.' },
  nodejs_heap_size_total_bytes: { type: 'gauge', labels: [], help: 'Heap of the main thread, reserved.' },
  nodejs_heap_size_used_bytes: { type: 'gauge', labels: [], help: 'Heap of the main thread, in use.' },
  nodejs_external_memory_bytes: { type: 'gauge', labels: [], help: 'Memory outside the heap of the main thread.' },
  nodejs_eventloop_utilization_ratio: {
    type: 'gauge',
    labels: [],
    help: 'Share of time the main thread was busy since the last scrape, 0 to 1.',
  },
} as const satisfies Record<string, MetricSpec>)

export type MetricName = keyof typeof metrics
