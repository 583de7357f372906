import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, constants, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { collect } from '../../../test/support/heap.ts'
import { until } from '../../../test/support/wait.ts'
import type { Coding } from './accept-encoding.ts'
import { BodyEncoder, type EncoderEvents } from './body-encoder.ts'
import { encoderCounts } from './encoder-turns.ts'
import { compressWhole, WHOLE_BODY_BYTES } from './whole-body.ts'

const codings: Coding[] = ['gzip', 'br', 'zstd']
const nothing = { encoders: 0, running: 0, waiting: 0 }

function decoded(coding: Coding, bytes: Buffer): Buffer {
  if (coding === 'gzip') return gunzipSync(bytes)
  return coding === 'br' ? brotliDecompressSync(bytes) : zstdDecompressSync(bytes)
}

/** All that can be read of a body that has not ended. */
function decodedSoFar(coding: Coding, bytes: Buffer): string {
  if (coding === 'gzip') return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
  if (coding === 'br') return brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH }).toString()
  return zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush }).toString()
}

class Client implements EncoderEvents {
  readonly parts: Buffer[] = []
  ended = 0
  drains = 0
  failures: unknown[] = []
  onPart: () => void = () => {}
  onEncoded(bytes: Buffer): void {
    assert.equal(this.ended, 0)
    assert.ok(bytes.length > 0)
    this.parts.push(bytes)
    this.onPart()
  }
  onEncodedEnd(): void {
    this.ended++
  }
  onEncoderDrain(): void {
    this.drains++
  }
  onEncoderFailed(error: unknown): void {
    this.failures.push(error)
  }
  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }
}

const whole = (bytes: Buffer): { ranges: number[]; total: number } => ({
  ranges: [0, bytes.length],
  total: bytes.length,
})

function unchunked(bytes: Buffer): { body: Buffer; rest: string } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    assert.ok(lineEnd >= 0 && Number.isInteger(size), 'a chunk size')
    at = lineEnd + 2
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.toString('latin1', at) }
    parts.push(bytes.subarray(at, at + size))
    at += size + 2
    assert.equal(bytes.toString('latin1', at - 2, at), '\r\n')
  }
}

/** Text with some likeness, so that it does get smaller, but not all of one kind. */
function text(size: number): Buffer {
  let words = ''
  for (let n = 0; words.length < size; n++) words += `${((n * 2654435761) >>> 0).toString(36)} frontdesk, line ${n}\n`
  return Buffer.from(words.slice(0, size))
}

test('property: what comes out, decompressed, is what went in, however it was cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...codings),
      fc.constantFrom('chunked' as const, 'raw' as const),
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), fc.nat(5)), { maxLength: 20 }),
      async (coding, framing, pieces) => {
        const client = new Client()
        const encoder = new BodyEncoder(coding, framing, client)
        const shared = Buffer.alloc(4096, 1)
        for (const [piece, pause, gap] of pieces) {
          // As a read buffer is used: two runs with something between them, overwritten afterwards.
          const middle = piece.length >> 1
          shared.set(piece.subarray(0, middle), 3)
          shared.set(piece.subarray(middle), 3 + middle + gap)
          const ranges = [3, 3 + middle, 3 + middle + gap, 3 + piece.length + gap]
          encoder.write(shared, { ranges, total: piece.length })
          shared.fill(1)
          if (pause) await new Promise((resolve) => setImmediate(resolve))
        }
        encoder.end('0\r\nServer-Timing: x\r\n\r\n')
        await until('the body has ended', () => client.ended === 1)
        const given = Buffer.concat(pieces.map(([piece]) => piece))
        let body = client.bytes
        if (framing === 'chunked') {
          const { body: data, rest } = unchunked(body)
          assert.equal(rest, 'Server-Timing: x\r\n\r\n')
          body = data
        }
        assert.equal(encoder.produced, body.length)
        assert.ok(decoded(coding, body).equals(given))
        assert.deepEqual(client.failures, [])
      },
    ),
    { numRuns: 150 },
  )
  assert.deepEqual(encoderCounts(), nothing)
})

for (const coding of codings) {
  test(`${coding}: each batch can be read before the next one comes`, async () => {
    const client = new Client()
    const encoder = new BodyEncoder(coding, 'raw', client)
    let given = ''
    for (let n = 0; n < 5; n++) {
      const event = Buffer.from(`data: event ${n}\n\n`)
      given += event.toString()
      encoder.write(event, whole(event))
      await until('the event is out', () => client.parts.length === n + 1)
      assert.equal(decodedSoFar(coding, client.bytes), given)
    }
    encoder.end()
    await until('the body has ended', () => client.ended === 1)
    assert.equal(decoded(coding, client.bytes).toString(), given)
  })

  test(`${coding}: a large body is compressed in one pass, not batch by batch`, async () => {
    const body = text(2_000_000)
    const client = new Client()
    const encoder = new BodyEncoder(coding, 'chunked', client)
    for (let at = 0; at < body.length; at += 65_536) {
      const part = body.subarray(at, at + 65_536)
      if (!encoder.write(part, whole(part))) {
        const { drains } = client
        await until('there is room', () => client.drains > drains)
      }
    }
    encoder.end()
    await until('the body has ended', () => client.ended === 1)
    const { body: data, rest } = unchunked(client.bytes)
    assert.equal(rest, '\r\n')
    assert.ok(decoded(coding, data).equals(body))
    assert.ok(data.length < compressed(coding, body) * 1.05, `${data.length} for ${compressed(coding, body)}`)
  })
}

function compressed(coding: Coding, body: Buffer): number {
  return compressWhole(coding, body, whole(body))!.length
}

test('what is written in one turn of the loop is one batch', async () => {
  const client = new Client()
  const encoder = new BodyEncoder('gzip', 'raw', client)
  for (let n = 0; n < 100; n++) encoder.write(Buffer.from(`${n}\n`), whole(Buffer.from(`${n}\n`)))
  await until('it is out', () => client.parts.length > 0)
  assert.equal(decodedSoFar('gzip', client.bytes).split('\n').length, 101)
  encoder.end()
  await until('the body has ended', () => client.ended === 1)
})

test('a body of nothing is a body', async () => {
  for (const coding of codings) {
    const client = new Client()
    new BodyEncoder(coding, 'chunked', client).end()
    await until('the body has ended', () => client.ended === 1)
    assert.equal(decoded(coding, unchunked(client.bytes).body).length, 0)
  }
})

test('back-pressure: little more than 32 KiB waits, and a client that takes nothing stops the work', async () => {
  const client = new Client()
  const encoder = new BodyEncoder('gzip', 'raw', client)
  const part = text(30_000)
  encoder.hold()
  assert.equal(encoder.write(part, whole(part)), true)
  assert.equal(encoder.write(part, whole(part)), false)
  for (let n = 0; n < 8; n++) assert.equal(encoder.write(part, whole(part)), false, 'taken all the same')
  assert.equal(encoder.isFull, true)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(client.parts.length + client.drains, 0)
  encoder.release()
  await until('there is room again', () => client.drains === 1)
  assert.equal(encoder.isFull, false)
  encoder.end()
  await until('the body has ended', () => client.ended === 1)
  assert.ok(gunzipSync(client.bytes).equals(Buffer.concat(Array(10).fill(part))))
  assert.equal(client.drains, 1)
})

test('given up at any moment, nothing more is called and nothing is left', async () => {
  for (const coding of codings) {
    for (const when of ['at once', 'when scheduled', 'at work', 'in a call', 'ending', 'at the end'] as const) {
      const client = new Client()
      const encoder = new BodyEncoder(coding, 'chunked', client)
      const part = text(300_000)
      if (when === 'in a call') client.onPart = () => encoder.destroy()
      if (when === 'at once') encoder.destroy()
      encoder.write(part, whole(part))
      if (when === 'ending') encoder.end()
      if (when === 'at work' || when === 'ending') await until('it is at work', () => encoderCounts().running === 1)
      if (when === 'in a call') await until('the call', () => client.parts.length > 0)
      if (when === 'at the end') {
        encoder.end()
        await until('the body has ended', () => client.ended === 1)
      }
      const { length } = client.parts
      encoder.destroy()
      encoder.destroy()
      encoder.write(part, whole(part))
      encoder.end()
      await until(`${coding}, ${when}: nothing is open`, () => {
        const { encoders, running, waiting } = encoderCounts()
        return encoders + running + waiting === 0
      })
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(client.parts.length, length, when)
      assert.equal(client.ended, when === 'at the end' ? 1 : 0)
      assert.deepEqual(client.failures, [])
    }
  }
})

test('many at once take turns, those that were given up too, and all come to their end', async () => {
  const part = text(50_000)
  const clients = Array.from({ length: 100 }, () => new Client())
  const encoders = clients.map((client, n) => new BodyEncoder(codings[n % 3]!, 'raw', client))
  for (const encoder of encoders) {
    encoder.write(part, whole(part))
    encoder.end()
  }
  await until('some wait', () => encoderCounts().waiting > 0)
  assert.ok(encoderCounts().running <= 4)
  for (const [n, encoder] of encoders.entries()) if (n % 7 === 0) encoder.destroy()
  await until('all have ended', () => clients.every(({ ended }, n) => n % 7 === 0 || ended === 1))
  for (const [n, client] of clients.entries()) {
    if (n % 7 !== 0) assert.ok(decoded(codings[n % 3]!, client.bytes).equals(part))
  }
  await until('nothing is open', () => encoderCounts().running === 0)
  assert.deepEqual(encoderCounts(), nothing)
})

test('an error in what it calls ends this body alone', async () => {
  const client = new Client()
  const fault = new Error('a bug')
  client.onPart = () => {
    throw fault
  }
  const encoder = new BodyEncoder('gzip', 'raw', client)
  encoder.write(Buffer.from('x'), { ranges: [0, 1], total: 1 })
  await until('it failed', () => client.failures.length > 0)
  assert.deepEqual(client.failures, [fault])
  assert.deepEqual(encoderCounts(), nothing)
})

test('memory comes back after many bodies were given up in the middle', async () => {
  const part = text(100_000)
  const round = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) {
      const encoder = new BodyEncoder(codings[n % 3]!, 'raw', new Client())
      encoder.write(part, whole(part))
      if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      encoder.destroy()
    }
    await until('nothing is open', () => encoderCounts().running + encoderCounts().waiting === 0)
  }
  await round()
  collect()
  const before = process.memoryUsage().external
  for (let n = 0; n < 5; n++) await round()
  // 500 encoders of 0.2 MB and more, had they stayed.
  await until('memory has come back', () => {
    collect()
    return process.memoryUsage().external - before < 60_000_000
  })
})

test('a small body that is there whole is compressed on the spot, unless that makes it longer', () => {
  const body = text(WHOLE_BODY_BYTES)
  for (const coding of codings) {
    const apart = Buffer.concat([Buffer.from('--'), body.subarray(0, 100), Buffer.from('--'), body.subarray(100)])
    const ranges = [2, 102, 104, apart.length]
    const small = compressWhole(coding, apart, { ranges, total: body.length })
    assert.ok(small !== null && small.length < body.length)
    assert.ok(decoded(coding, small).equals(body))
    assert.equal(compressWhole(coding, body, { ranges: [0, 5], total: 5 }), null)
    assert.equal(compressWhole(coding, body, { ranges: [], total: 0 }), null)
  }
})

test('what a decoder of the system reads: a gzip stream flushed in the middle', async () => {
  const client = new Client()
  const encoder = new BodyEncoder('gzip', 'raw', client)
  const gunzip = createGunzip()
  let read = ''
  gunzip.on('data', (bytes: Buffer) => (read += bytes.toString()))
  client.onPart = () => gunzip.write(client.parts.at(-1))
  encoder.write(Buffer.from('one'), { ranges: [0, 3], total: 3 })
  await until('the first part is read', () => read === 'one')
  encoder.write(Buffer.from('two'), { ranges: [0, 3], total: 3 })
  await until('the second part is read', () => read === 'onetwo')
  encoder.end()
  await until('the body has ended', () => client.ended === 1)
  gunzip.destroy()
})
