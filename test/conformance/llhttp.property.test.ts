// Whatever the proxy accepts and forwards, Node's own parser (llhttp) reads in the same way: the same requests in the same
// order, with the same method, target, end-to-end fields and body.
import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { describe as group, test } from 'node:test'
import fc from 'fast-check'
import { type Message, requestLine } from '../support/http-message.ts'
import { NodeReader, type NodeRequest } from '../support/node-reading.ts'
import { RawClient } from '../support/raw-client.ts'
import { readCases } from './cases.ts'
import { Lane } from './lanes.ts'

const SIDE_BY_SIDE = 3
const TIME_MS = 4_000
const MAX_BYTES = 600

/** Fields that a proxy owns, removes or rewrites, beside X-Forwarded-*; all others must arrive as they were sent. */
const OURS = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
    'trailer',
  ],
  ...['proxy-authorization', 'proxy-authenticate', 'content-length', 'host', 'via', 'forwarded', 'x-forwarded-for'],
  ...[
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-forwarded-prefix',
    'x-forwarded-server',
    'x-real-ip',
  ],
  ...['x-request-id', 'expect', 'max-forwards', 'proxy'],
])

/** Pieces that matter to a parser. */
const PIECES = [
  ...[
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    ',',
    '"',
    '\\',
    '/',
    '?',
    '#',
    '@',
    '*',
    '%',
    '_',
    '-',
    '+',
    '0',
    '5',
    'a',
  ],
  ...[
    '\x0b',
    '\x0c',
    '\x7f',
    '\x80',
    '\xa0',
    '\xff',
    '\r\n\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'GET /x HTTP/1.1\r\n',
    '\r\n ',
  ],
  ...[
    'chunked',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\n',
    'Host: t.example\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: foo\r\n',
    'X-A: 1\r\n',
  ],
]

const cases = readCases('requests').filter(({ bytes }) => bytes.length <= MAX_BYTES)
const sound = cases.filter(({ expect }) => expect !== 'reject').map(({ bytes }) => bytes)
const broken = cases.filter(({ expect }) => expect === 'reject').map(({ bytes }) => bytes)
const seed = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...sound) },
  { weight: 1, arbitrary: fc.constantFrom(...broken) },
)

type Mutation = { readonly at: number; readonly remove: number; readonly insert: string }

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(MAX_BYTES),
  remove: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 0, 1) }, { weight: 1, arbitrary: fc.nat(20) }),
  insert: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PIECES) },
    { weight: 1, arbitrary: fc.nat(255).map((byte) => String.fromCharCode(byte)) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
})

const message = fc
  .record({ start: seed, mutations: fc.array(mutation, { maxLength: 3 }) })
  .map(({ start, mutations }) => mutations.reduce(apply, start))

function apply(text: string, { at, remove, insert }: Mutation): string {
  const place = text.length === 0 ? 0 : at % (text.length + 1)
  return text.slice(0, place) + insert + text.slice(place + remove)
}

group('mutated requests are read as Node reads them', { concurrency: SIDE_BY_SIDE }, () => {
  for (let n = 1; n <= SIDE_BY_SIDE; n++) test(`series ${n}`, series)
})

async function series(): Promise<void> {
  const lane = await Lane.start({ header_timeout: '5s', idle_timeout: '5s' })
  const node = await NodeReader.start()
  let forwarded = 0
  const property = fc.asyncProperty(message, async (text) => {
    const read = await node.read(Buffer.from(text, 'latin1'))
    const arrived = await forward(lane, text, read.length)
    forwarded += arrived.length
    compare(text, arrived, read)
  })
  try {
    await fc.assert(property, {
      numRuns: 2_000,
      interruptAfterTimeLimit: TIME_MS,
      markInterruptAsFailure: false,
      endOnFailure: false,
    })
  } finally {
    await lane.close()
    await node.close()
  }
  assert.ok(forwarded >= 20, `only ${forwarded} requests were forwarded: the comparison says nothing`)
}

/** What the backend gets of these bytes; `answers`: how many requests Node saw in them. */
async function forward(lane: Lane, text: string, answers: number): Promise<readonly Message[]> {
  const client = await RawClient.open(lane.proxy.port)
  try {
    client.write(text)
    // Plain requests go the same way, behind them: when they are answered, these bytes have been read.
    for (let n = 0; n < answers + 2; n++) assert.equal(await lane.checkNewConnection(), null)
    const { requests, malformed } = lane.backend.take()
    assert.deepEqual(malformed, [])
    return requests.filter(({ startLine }) => !startLine.includes(' /probe-'))
  } finally {
    await client.close()
  }
}

function compare(text: string, arrived: readonly Message[], read: readonly NodeRequest[]): void {
  for (const [n, request] of arrived.entries()) {
    const { method, target } = requestLine(request)
    const other = read[n]
    // llhttp knows a fixed list of methods; any token is a method to us (RFC 9110 §9.1).
    if (other === undefined && !METHODS.includes(method)) return
    // Node reads nothing after a request to upgrade; we do until a backend has agreed (RFC 9110 §7.8).
    if (other === undefined && read.at(-1)?.fields.some(([name]) => name.toLowerCase() === 'upgrade')) return
    assert.ok(other, `request ${n}, ${request.startLine}, was not seen by Node`)
    // HTAB is white space around a value (RFC 9110 §5.6.3); llhttp takes one behind `chunked` for a part of it.
    if (!other.complete && /^transfer-encoding:.*chunked[ \t]*\t\r$/im.test(text)) return
    assert.equal(method, other.method)
    assert.equal(target, originForm(other))
    assert.ok(other.complete, `request ${n} was complete to the proxy, not to Node`)
    assert.equal(request.body.toString('latin1'), other.body.toString('latin1'))
    assert.deepEqual(endToEnd(request.fields, other), endToEnd(other.fields, other))
  }
}

/** The target a backend gets: absolute-form without its scheme and authority (RFC 9112 §3.2.1, §3.2.4). */
function originForm({ method, url }: NodeRequest): string {
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(url)
  if (match === null) return url
  const rest = match[1] ?? ''
  if (rest === '') return method === 'OPTIONS' ? '*' : '/'
  return rest.startsWith('/') ? rest : `/${rest}`
}

function isOurs(name: string): boolean {
  return OURS.has(name) || name.startsWith('x-forwarded-')
}

function endToEnd(fields: Message['fields'], read: NodeRequest): string[] {
  const named = read.fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((option) => option.trim())
  return fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !isOurs(name.replaceAll('_', '-')) && !named.includes(name))
    .map(([name, value]) => `${name}: ${value}`)
}
