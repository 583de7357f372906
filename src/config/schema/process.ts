// What concerns the whole process rather than one pool: limits on clients, logs, shutdown, workers.
import { z } from 'zod'
import type { LimitsSpec } from '../../core/spec.ts'
import { logging } from './logging.ts'
import { byteSize, duration, filePath, peers, whole } from './scalars.ts'
import { tracing } from './tracing.ts'

const limits = z
  .strictObject({
    header_size: byteSize(1024, 1024 ** 2, '1KB to 1MB')
      .prefault('16KB')
      .meta({ description: 'Request line and header section together; more is answered 431.' }),
    header_count: whole(1, 10_000)
      .prefault(100)
      .meta({ description: 'Header fields of a request; more is answered 431.' }),
    target_size: byteSize(64, 1024 ** 2, '64B to 1MB')
      .prefault('8KB')
      .meta({ description: 'Request target (path and query); more is answered 414.' }),
    body_size: byteSize(0, Number.MAX_SAFE_INTEGER, '0 or more')
      .prefault(0)
      .meta({ description: 'Request body; more is answered 413. 0 = no limit.' }),
    header_timeout: duration({ minMs: 1 })
      .prefault('10s')
      .meta({ description: 'From the first byte of a request to the end of its header section; then 408.' }),
    idle_timeout: duration({ minMs: 1 })
      .prefault('60s')
      .meta({ description: 'Silence of a client between two requests, or in the middle of a request body.' }),
    max_connections: whole(0, 10_000_000)
      .prefault(0)
      .meta({ description: 'Client connections of a listener at once, over all workers; 0 = no limit.' }),
    max_connections_per_ip: whole(0, 10_000_000)
      .prefault(0)
      .meta({ description: 'Client connections of one IP address at once; 0 = no limit.' }),
    handshake_timeout: duration({ minMs: 1 })
      .prefault('10s')
      .meta({ description: 'From accept to the end of a TLS handshake, PROXY header or ClientHello.' }),
    max_handshakes: whole(1, 1_000_000).prefault(1000).meta({
      description:
        'Connections of a listener at once, in each worker, that are still before that end; never more than a quarter of those that its file descriptors allow.',
    }),
    hello_size: byteSize(512, 65_536, '512B to 64KB')
      .prefault('16KB')
      .meta({ description: 'Largest ClientHello that is read.' }),
  })
  .transform(
    (l): LimitsSpec => ({
      headerSize: l.header_size,
      headerCount: l.header_count,
      targetSize: l.target_size,
      bodySize: l.body_size,
      headerTimeoutMs: l.header_timeout,
      idleTimeoutMs: l.idle_timeout,
      maxConnections: l.max_connections,
      maxConnectionsPerIp: l.max_connections_per_ip,
      handshakeTimeoutMs: l.handshake_timeout,
      maxHandshakes: l.max_handshakes,
      helloSize: l.hello_size,
    }),
  )

export const processShape = {
  workers: z
    .union([z.literal('auto'), whole(0, 256)], { error: '"auto" or a whole number from 0 to 256' })
    .prefault('auto')
    .meta({
      title: 'auto | 0–256',
      description: 'Threads that serve traffic; `auto`: one per core the process may use; 0: in the main thread.',
    }),
  trusted_proxies: z.array(peers).prefault([]).meta({
    description:
      'Proxies whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are believed: the client is then the last address in `X-Forwarded-For` that none of them has. `unix`: whoever comes by a Unix socket.',
  }),
  limits: limits.prefault({}).meta({ description: 'What one client may ask for.' }),
  logging: logging.prefault({}).meta({ description: 'Events and access log.' }),
  tracing: tracing.nullable().default(null).meta({
    description: 'Spans of our own (W3C Trace Context); null = `traceparent` passes as any other field.',
  }),
  error_details: z.enum(['trusted', 'never']).prefault('trusted').meta({
    title: 'trusted | never',
    description:
      "Whose error answers tell of route, pool and backend: those of clients on loopback and in `trusted_proxies`, or nobody's.",
  }),
  state_file: filePath.nullable().prefault('frontdesk.state.json').meta({
    description:
      'Where changes made over the admin API are kept, relative to the configuration file; null = nowhere. Without a configuration file there is none by default.',
  }),
  shutdown: z
    .strictObject({
      grace: duration().prefault('30s').meta({ description: 'How long a drain waits for requests in flight.' }),
    })
    .transform((s) => ({ graceMs: s.grace }))
    .prefault({})
    .meta({ description: 'What happens on TERM, INT and QUIT.' }),
}
