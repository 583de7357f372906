// Compression through a real data plane: what the client gets decodes to what the backend sent, and what does not is left.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { brotliDecompressSync, constants, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import type { CompressionSpec, HeaderEditsSpec } from '../../src/core/route-spec.ts'
import { encoderCounts } from '../../src/http/compression/encoder-turns.ts'
import { type Answer, AnsweringBackend } from '../support/answering-backend.ts'
import { backendSpec, poolSpec, routeSpec } from '../support/control-kit.ts'
import { fieldValue, fieldValues, type Message, requestLine } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { head, rst, type Script, startScriptedBackend, wait, write } from '../support/scripted-backend.ts'
import { deferred, until } from '../support/wait.ts'

const defaults: CompressionSpec = {
  algorithms: ['zstd', 'br', 'gzip'],
  types: ['text/*', 'application/json'],
  minSize: 100,
}

interface Bed {
  readonly plane: TestPlane
  readonly client: RawClient
  open(): Promise<RawClient>
}

interface BedOptions {
  readonly compression?: Partial<CompressionSpec>
  readonly responseHeaders?: HeaderEditsSpec
  readonly firstByteMs?: number
}

async function bed(scope: Scope, port: number, options: BedOptions = {}): Promise<Bed> {
  const compression = { ...defaults, ...options.compression }
  const { responseHeaders = null } = options
  let slot = 0
  const plane = await TestPlane.start({
    listeners: [{ name: 'web' }],
    pools: (state) => {
      slot = state.claimSlot()
      return [poolSpec([backendSpec(slot, port)])]
    },
    snapshot: { routes: [routeSpec({}, { compression, responseHeaders })] },
  })
  scope.use(plane)
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(plane.port()))
  scope.defer(async () => {
    await until('no encoder is open', () => {
      const { encoders, running, waiting } = encoderCounts()
      return encoders + running + waiting === 0
    })
    await until('no place is taken', () => plane.state.active(slot) === 0)
  })
  return { plane, client: await open(), open }
}

async function withAnswers(scope: Scope, make: (request: Message) => Answer, options?: BedOptions): Promise<Bed> {
  const backend = scope.use(await AnsweringBackend.start(make))
  return bed(scope, Number(new URL(backend.url).port), options)
}

async function withScript(scope: Scope, script: Script, options?: BedOptions): Promise<Bed> {
  return bed(scope, scope.use(await startScriptedBackend([script])).port, options)
}

const text = (size: number): string => {
  let words = ''
  for (let n = 0; words.length < size; n++) words += `${((n * 2654435761) >>> 0).toString(36)} line ${n} of a text\n`
  return words.slice(0, size)
}

function decoded(reply: Reply): string {
  const coding = fieldValue(reply, 'content-encoding')
  if (coding === 'gzip') return gunzipSync(reply.body).latin1Slice()
  if (coding === 'br') return brotliDecompressSync(reply.body).latin1Slice()
  if (coding === 'zstd') return zstdDecompressSync(reply.body).latin1Slice()
  assert.equal(coding, undefined)
  return reply.body.latin1Slice()
}

const HTML = { 'Content-Type': 'text/html; charset=utf-8' }
const gzip = { 'Accept-Encoding': 'gzip' }

for (const coding of ['gzip', 'br', 'zstd']) {
  leakTest(`${coding}: small and large, in every framing, one after the other on one connection`, async (scope) => {
    const bodies = [text(150), text(5000), text(16_384), text(16_385), text(100_000), text(1_000_000)]
    const framings = ['length', 'chunked', 'pieces', 'close'] as const
    const { client, open } = await withAnswers(scope, (request) => {
      const [, which = '', framing = ''] = requestLine(request).target.split('/')
      const body = bodies[Number(which)]!
      if (framing === 'length') return { bytes: answer(body, HTML) }
      const size = framing === 'pieces' ? Math.ceil(body.length / 7) : body.length
      if (framing === 'close') return { bytes: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${body}`, end: 'fin' }
      let bytes = answerChunked(HTML)
      const cuts: number[] = []
      for (let at = 0; at < body.length; at += size) {
        bytes += chunk(body.slice(at, at + size))
        cuts.push(bytes.length - 3)
      }
      return { bytes: bytes + lastChunk, cuts: framing === 'pieces' ? cuts : [] }
    })
    for (const [which, body] of bodies.entries()) {
      for (const framing of framings) {
        const what = `${body.length} bytes, ${framing}`
        const reply = await client.request(get(`/${which}/${framing}`, { 'Accept-Encoding': coding }))
        assert.equal(fieldValue(reply, 'content-encoding'), coding, what)
        assert.equal(fieldValue(reply, 'vary'), 'Accept-Encoding')
        assert.equal(decoded(reply), body, what)
        if (body.length > 200) assert.ok(reply.body.length < body.length, what)
        const isWhole = framing !== 'pieces' && framing !== 'close' && body.length <= 16_384
        if (isWhole) assert.equal(reply.framing, 'length', what)
        const plain = await client.request(get(`/${which}/${framing}`))
        assert.equal(fieldValue(plain, 'content-encoding'), undefined)
        assert.equal(fieldValue(plain, 'vary'), 'Accept-Encoding')
        assert.equal(decoded(plain), body, what)
      }
    }
    // HTTP/1.0 knows no chunks.
    for (const which of [1, 5]) {
      const old = await open()
      const reply = await old.request(`GET /${which}/length HTTP/1.0\r\nHost: x\r\nAccept-Encoding: ${coding}\r\n\r\n`)
      assert.equal(decoded(reply), bodies[which])
      assert.equal(reply.framing, which === 1 ? 'length' : 'close')
      assert.equal(fieldValue(reply, 'connection'), 'close')
    }
  })
}

leakTest(
  'what the backend has encoded, what forbids it, and what is too small goes out byte for byte',
  async (scope) => {
    const body = text(3000)
    const packed = gzipSync(body).latin1Slice()
    const cases: Record<string, string> = {
      '/coded': answer(packed, { ...HTML, 'Content-Encoding': 'gzip', ETag: '"1"' }),
      '/no-transform': answer(body, { ...HTML, 'Cache-Control': 'public, no-transform', ETag: '"1"' }),
      '/small': answer(text(99), { ...HTML, ETag: '"1"' }),
      '/small-chunked': `${answerChunked({ ...HTML, ETag: '"1"' })}${chunk(text(99))}${lastChunk}`,
      '/image': answer(body, { 'Content-Type': 'image/png', ETag: '"1"', 'Accept-Ranges': 'bytes' }),
      '/part': answer(body, { ...HTML, ETag: '"1"', 'Content-Range': 'bytes 0-2999/5000' }, '206 Partial Content'),
    }
    const { client } = await withAnswers(scope, (request) => ({ bytes: cases[requestLine(request).target]! }))
    for (const [target, sent] of Object.entries(cases)) {
      const reply = await client.request(get(target, { 'Accept-Encoding': 'gzip, br, zstd' }))
      assert.ok(sent.includes(reply.body.latin1Slice()), target)
      assert.equal(fieldValue(reply, 'etag'), '"1"', target)
      assert.equal(fieldValue(reply, 'vary'), undefined, target)
      assert.equal(fieldValue(reply, 'content-encoding'), target === '/coded' ? 'gzip' : undefined)
    }
  },
)

leakTest('fields that would be untrue are put right, and only where it is compressed', async (scope) => {
  const fields = {
    ...HTML,
    ETag: '"abc"',
    'Accept-Ranges': 'bytes',
    'Content-MD5': 'x',
    'Repr-Digest': 'y',
    Vary: 'Origin',
    'Last-Modified': 'z',
  }
  const { client } = await withAnswers(scope, () => ({ bytes: answer(text(500), fields) }))
  const coded = await client.request(get('/', gzip))
  assert.equal(fieldValue(coded, 'etag'), 'W/"abc"')
  assert.deepEqual(fieldValues(coded, 'vary'), ['Origin, Accept-Encoding'])
  for (const name of ['accept-ranges', 'content-md5', 'repr-digest']) assert.equal(fieldValue(coded, name), undefined)
  assert.equal(fieldValue(coded, 'last-modified'), 'z')
  const plain = await client.request(get('/', { 'Accept-Encoding': 'gzip;q=0' }))
  assert.equal(fieldValue(plain, 'etag'), '"abc"')
  assert.equal(fieldValue(plain, 'accept-ranges'), 'bytes')
  assert.deepEqual(fieldValues(plain, 'vary'), ['Origin, Accept-Encoding'])
})

leakTest('HEAD and 304 have the fields of the answer that GET would get, and no body', async (scope) => {
  const { client } = await withAnswers(scope, (request) => {
    if (requestLine(request).method === 'HEAD') return { bytes: answer('', { ...HTML, ETag: '"1"' }, '200 OK', 5000) }
    return { bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n' }
  })
  const headReply = await client.request(get('/', gzip).replace('GET', 'HEAD'), 'HEAD')
  assert.equal(fieldValue(headReply, 'content-encoding'), 'gzip')
  assert.equal(fieldValue(headReply, 'content-length'), undefined)
  assert.equal(fieldValue(headReply, 'etag'), 'W/"1"')
  const notModified = await client.request(get('/', { ...gzip, 'If-None-Match': 'W/"1"' }))
  assert.equal(notModified.status, 304)
  assert.equal(fieldValue(notModified, 'etag'), 'W/"1"')
  assert.equal(fieldValue(notModified, 'vary'), 'Accept-Encoding')
  assert.equal(fieldValue(notModified, 'content-encoding'), undefined)
})

leakTest('the fields that the route sends decide, not those of the backend', async (scope) => {
  const { client } = await withAnswers(scope, () => ({ bytes: answer(text(500), HTML) }), {
    responseHeaders: { remove: [], set: [{ name: 'Cache-Control', value: ['no-transform'] }], add: [] },
  })
  const reply = await client.request(get('/', gzip))
  assert.equal(fieldValue(reply, 'content-encoding'), undefined)
  assert.equal(reply.body.latin1Slice(), text(500))
})

leakTest('events arrive when they are sent, not when the answer ends', async (scope) => {
  for (const [coding, soFar] of [
    ['gzip', (bytes: Buffer) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })],
    ['br', (bytes: Buffer) => brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
    ['zstd', (bytes: Buffer) => zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush })],
  ] as const) {
    const steps = [deferred(), deferred(), deferred()]
    const events = ['data: one\n\n', 'data: two\n\n', 'data: three\n\n']
    const { client } = await withScript(scope, [
      head(),
      write(answerChunked({ 'Content-Type': 'text/event-stream' })),
      ...events.flatMap((event, n) => [wait(steps[n]!.promise), write(chunk(event))]),
      write(lastChunk),
    ])
    client.write(get('/', { 'Accept-Encoding': coding }))
    await until('the head is there', () => client.received.includes('\r\n\r\n'))
    const start = client.received.indexOf('\r\n\r\n') + 4
    for (const [n, step] of steps.entries()) {
      step.resolve()
      await until(`event ${n}`, () => {
        const body = dechunked(client.received.subarray(start))
        return body.length > 0 && soFar(body).toString() === events.slice(0, n + 1).join('')
      })
    }
    assert.equal(decoded(await client.reply()), events.join(''))
  }
})

/** The data of chunks, as far as they have come. */
function dechunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = lineEnd < 0 ? 0 : Number.parseInt(bytes.latin1Slice(at, lineEnd), 16)
    if (size === 0 || bytes.length < lineEnd + 2 + size) return Buffer.concat(parts)
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
}

leakTest('trailers go along, but for what is not true any more', async (scope) => {
  const { client } = await withAnswers(scope, () => ({
    bytes: `${answerChunked(HTML)}${chunk(text(500))}0\r\nServer-Timing: a\r\nContent-Digest: b\r\n\r\n`,
  }))
  const reply = await client.request(get('/', gzip))
  assert.equal(decoded(reply), text(500))
  assert.deepEqual(reply.trailers, [['Server-Timing', 'a']])
})

leakTest('a backend that breaks off: the client sees that the answer is not complete', async (scope) => {
  const body = text(50_000)
  const script: Script = [head(), write(answer(body.slice(0, 40_000), HTML, '200 OK', 50_000)), rst()]
  const { client } = await withScript(scope, script)
  const outcome = await client.write(get('/', gzip)).read()
  assert.equal(outcome.kind, 'closed')
  const old = await withScript(scope, script)
  const cut = await old.client.write('GET / HTTP/1.0\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n').read()
  assert.ok(cut.kind === 'closed' && cut.how === 'rst', JSON.stringify(cut.kind))
})

leakTest('a client that goes away in the middle leaves nothing behind', async (scope) => {
  const large = answer(text(3_000_000), HTML)
  const { open } = await withAnswers(scope, () => ({ bytes: large }))
  for (let n = 0; n < 20; n++) {
    const client = await open()
    client.write(get('/', { 'Accept-Encoding': ['gzip', 'br', 'zstd'][n % 3]! }))
    await client.receivedBytes(1 + n * 100)
    if (n % 2 === 0) client.reset()
    else await client.close()
  }
})

/** Sends one endless answer of noise, as fast as it is taken. */
async function noiseServer(scope: Scope, size: number): Promise<{ server: Server; port: number; sent: () => number }> {
  const block = randomBytes(1 << 20)
  let sent = 0
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${size}\r\n\r\n`)
      const more = (): void => {
        while (sent < size) {
          sent += block.length
          if (!socket.write(block)) break
        }
      }
      socket.on('drain', more)
      more()
    })
    scope.defer(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.use(server)
  const address = server.address()
  return { server, port: typeof address === 'object' ? address!.port : 0, sent: () => sent }
}

leakTest('a client that does not read holds its backend up, and gets it all when it does', async (scope) => {
  const size = 32 << 20
  const { port, sent } = await noiseServer(scope, size)
  const { plane } = await bed(scope, port)
  const socket = connect(plane.port(), '127.0.0.1')
  scope.defer(() => socket.destroy())
  socket.write(get('/', { 'Accept-Encoding': 'zstd' }))
  let quiet = 0
  let last = -1
  await until(
    'nothing moves any more',
    () => {
      quiet = sent() === last && encoderCounts().running === 0 ? quiet + 1 : 0
      last = sent()
      return last > 0 && quiet > 2000
    },
    20_000,
  )
  assert.ok(last < size, `${last} bytes were taken from the backend`)
  const parts: Buffer[] = []
  socket.on('data', (bytes) => parts.push(bytes))
  const isOver = (): boolean => parts.at(-1)?.subarray(-5).latin1Slice() === '0\r\n\r\n'
  await until('the end has come', isOver, 20_000)
  const whole = Buffer.concat(parts)
  const body = dechunked(whole.subarray(whole.indexOf('\r\n\r\n') + 4))
  assert.equal(zstdDecompressSync(body).length, size)
})

leakTest('property: whatever the backend sends, in whatever pieces, is what the client decodes', async (scope) => {
  let next: Answer = { bytes: '' }
  const { client } = await withAnswers(scope, () => next, { compression: { minSize: 0 } })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 5000 }), { maxLength: 8 }),
      fc.array(fc.nat(20_000), { maxLength: 6 }),
      fc.constantFrom('gzip', 'br', 'zstd', 'identity'),
      fc.boolean(),
      async (pieces, cuts, coding, isChunked) => {
        const body = pieces.join('')
        next = {
          bytes: isChunked ? `${answerChunked(HTML)}${pieces.map(chunk).join('')}${lastChunk}` : answer(body, HTML),
          cuts,
        }
        assert.equal(decoded(await client.request(get('/', { 'Accept-Encoding': coding }))), body)
      },
    ),
    { numRuns: 150 },
  )
})
