// What a trace costs a worker: reading and writing its fields for each request, and building the spans of those recorded.
import type { BackendSpec, TracingSpec } from '../../src/core/spec.ts'
import { redactedByDefault } from '../../src/observe/access/redaction.ts'
import { type AccessEntry, unreadEntry } from '../../src/observe/access-entry.ts'
import { Tracer } from '../../src/observe/tracing/tracer.ts'
import type { Benchmark } from './measure.ts'

const block =
  'Host: www.example.com\r\nUser-Agent: test/1\r\nAccept: */*\r\n' +
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: congo=t61rcWkgMzE\r\n'
const plain = 'Host: www.example.com\r\nUser-Agent: test/1\r\nAccept: */*\r\n'

const spec: TracingSpec = {
  create: true,
  sample: 1,
  export: { endpoint: 'http://localhost:4318/v1/traces', headers: [], gzip: false, timeoutMs: 1000, maxWaiting: 1000 },
  resource: [],
}
const backend = {
  slot: 0,
  pool: 'api',
  url: 'http://10.0.0.17:3000',
  protocol: 'http',
  host: '10.0.0.17',
  port: 3000,
  socketPath: null,
  basePath: '',
} as BackendSpec
const entry: AccessEntry = {
  ...unreadEntry,
  listener: 'web',
  client: '203.0.113.17',
  method: 'GET',
  target: '/api/users/17?page=2',
  host: 'www.example.com',
  status: 200,
  sent: 5120,
  route: 'api',
  pool: 'api',
  backend: backend.url,
  attempts: 1,
  requestId: '6f1f2a7bd9c04e110000000a3f2b',
  userAgent: 'test/1',
}

/** What is done with the spans, so that they are made. */
const handed = { bytes: 0 }
const tracerWith = (given: Partial<TracingSpec>): Tracer =>
  new Tracer({ ...spec, ...given }, redactedByDefault, ({ spans }) => {
    spans.charCodeAt(spans.length - 1)
    handed.bytes += spans.length
  })

function fields(name: string, section: string, given: Partial<TracingSpec>): Benchmark {
  const tracer = tracerWith(given)
  return {
    name: `trace: ${name}`,
    run(times) {
      for (let i = 0; i < times; i++) {
        const trace = tracer.begin(section)!
        trace.begin(backend, entry.target, 1)
        handed.bytes += trace.lines.length
      }
    },
  }
}

const recording = tracerWith({})
export const benchmarks: readonly Benchmark[] = [
  fields('continued, nowhere to go', block, { export: null }),
  fields('begun here, not sampled', plain, { sample: 0 }),
  {
    name: 'trace: continued, its two spans handed over',
    run(times) {
      for (let i = 0; i < times; i++) {
        const trace = recording.begin(block)!
        trace.begin(backend, entry.target, i + 1)
        trace.end(200, '', i + 2)
        recording.add(trace, entry, i, i + 3)
      }
    },
  },
]
