// What a line of the access log costs a worker, as an ordinary request writes it. Target: 1 µs at most, in every format.
import type { AccessLogSpec } from '../../src/core/spec.ts'
import { redactedByDefault } from '../../src/observe/access/redaction.ts'
import type { AccessEntry } from '../../src/observe/access-entry.ts'
import { AccessLog } from '../../src/observe/access-log.ts'
import type { Benchmark } from './measure.ts'

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const block = `Host: www.example.com\r\nUser-Agent: ${userAgent}\r\nAccept: */*\r\nReferer: https://www.example.com/\r\n`

const entryFor = (target: string): AccessEntry => ({
  listener: 'web',
  client: '203.0.113.17',
  tls: 'TLSv1.3',
  clientCertificate: '',
  serverName: 'www.example.com',
  method: 'GET',
  target,
  minor: 1,
  host: 'www.example.com',
  status: 200,
  received: 0,
  sent: 5120,
  durationUs: 12_345,
  queueUs: 21,
  connectUs: -1,
  firstByteUs: 11_020,
  route: 'api',
  pool: 'api',
  backend: 'http://10.0.0.17:3000',
  attempts: 1,
  failures: null,
  error: '',
  requestId: '6f1f2a7bd9c04e110000000a3f2b',
  cache: '',
  traceId: '',
  userAgent,
  referer: 'https://www.example.com/',
  headers: block,
})

const spec: AccessLogSpec = {
  format: 'json',
  template: [],
  fields: null,
  file: null,
  sample: 1,
  keepErrors: true,
  skip: [],
  redact: redactedByDefault,
}
const variable = (name: string) => ({ name })
const template = [
  variable('client.ip'),
  ' ',
  variable('request.method'),
  ' "',
  variable('request.uri'),
  '" ',
  variable('status'),
  ' ',
  variable('bytes_sent'),
  ' ',
  variable('duration_ms'),
  ' ',
  variable('first_byte_ms'),
  ' ',
  variable('backend'),
  ' "',
  variable('header.user-agent'),
  '"',
]

/** What is done with the lines, so that they are made. */
const written = { bytes: 0 }
const take = (lines: string): void => {
  // A message to the main thread copies them: that puts their pieces together.
  lines.charCodeAt(lines.length - 1)
  written.bytes += lines.length
}

/** Differs from line to line, as requests do: nothing is found computed. */
const targets = (query: string): readonly string[] => Array.from({ length: 64 }, (_, i) => `/api/users/${i}${query}`)
const entries = (query: string): readonly AccessEntry[] => targets(query).map(entryFor)

function lines(name: string, given: Partial<AccessLogSpec>, of: readonly AccessEntry[]): Benchmark {
  const log = new AccessLog({ ...spec, ...given }, take)
  return {
    name: `access log: ${name}`,
    run(times) {
      for (let i = 0; i < times; i++) {
        const entry = of[i & 63]!
        if (log.wants(entry.requestId, entry.target, entry.status, entry.error, true)) log.add(entry)
      }
    },
  }
}

const plain = entries('')
const secrets = entries('?page=2&access_token=0123456789abcdef&sort=name')
export const benchmarks: readonly Benchmark[] = [
  lines('a line of JSON', {}, plain),
  lines('a line of JSON, a query parameter hidden', {}, secrets),
  lines(
    'a line of JSON with six members',
    { fields: ['client', 'method', 'target', 'status', 'duration_ms', 'backend'] },
    plain,
  ),
  lines('a combined line', { format: 'combined' }, plain),
  lines('a combined line, a query parameter hidden', { format: 'combined' }, secrets),
  lines('a line of nine variables', { format: 'template', template }, plain),
  lines('one that is not in a sample of 1%', { sample: 0 }, plain),
]
