// What compression costs: the decision, a whole small body on the event loop, and, by hand (`node bench/micro/compression.ts`),
// bodies that go through the thread pool: time of the loop and of all threads, and size.

import type { Coding } from '../../src/http/compression/accept-encoding.ts'
import { BodyEncoder } from '../../src/http/compression/body-encoder.ts'
import { codedFields } from '../../src/http/compression/coded-fields.ts'
import { Compression } from '../../src/http/compression/compression.ts'
import { compressWhole } from '../../src/http/compression/whole-body.ts'
import type { Benchmark } from './measure.ts'

const codings: Coding[] = ['gzip', 'br', 'zstd']
const compression = new Compression({
  algorithms: ['zstd', 'br', 'gzip'],
  types: ['text/*', 'application/json'],
  minSize: 1024,
})
const request = {
  fields: {
    lookup:
      'Host: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n' +
      'Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en\r\nCookie: a=1; b=2\r\n',
  },
}
const forward =
  'Content-Type: application/json; charset=utf-8\r\nETag: "33a64df5"\r\nCache-Control: private\r\nX-A: 1\r\n'
const json = { status: 200, forward, contentLength: 5000 }
const image = { ...json, forward: forward.replace('application/json', 'image/png') }

/** Records as an API gives them. */
function records(size: number): Buffer {
  let text = '['
  for (let n = 1; text.length < size; n++) {
    const mixed = Math.imul(n, 0x9e3779b1) >>> 0
    text += `{"id":${mixed % 1e6},"name":"user ${mixed.toString(36)}","active":${n % 3 > 0},"price":${(mixed % 99999) / 100}},`
  }
  return Buffer.from(text.slice(0, size))
}

const wholeBodies: Benchmark[] = codings.flatMap((coding) =>
  [1, 4, 16].map((kilobytes) => {
    const body = records(kilobytes * 1024)
    const runs = { ranges: [0, body.length], total: body.length }
    return {
      name: `compression whole body, ${coding}, ${kilobytes} KiB`,
      run(times: number) {
        for (let i = 0; i < times; i++) compressWhole(coding, body, runs)
      },
    }
  }),
)

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'compression decision, compressed',
    run(times) {
      for (let i = 0; i < times; i++) compression.choose(request, json)
    },
  },
  {
    name: 'compression decision, type not listed',
    run(times) {
      for (let i = 0; i < times; i++) compression.choose(request, image)
    },
  },
  {
    name: 'compression fields',
    run(times) {
      for (let i = 0; i < times; i++) codedFields(forward, 'br', 200)
    },
  },
  ...wholeBodies,
]

/** One body in reads of this size. */
function encode(coding: Coding, body: Buffer, readBytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let at = 0
    const encoder = new BodyEncoder(coding, 'chunked', {
      onEncoded() {},
      onEncodedEnd: () => resolve(encoder.produced),
      onEncoderDrain: () => feed(),
      onEncoderFailed: reject,
    })
    const feed = (): void => {
      while (at < body.length && !encoder.isFull) {
        const part = body.subarray(at, at + readBytes)
        at += part.length
        encoder.write(part, { ranges: [0, part.length], total: part.length })
      }
      if (at === body.length) encoder.end()
    }
    feed()
  })
}

if (import.meta.main) {
  process.stdout.write('through the thread pool, one after the other\n\n')
  process.stdout.write('coding     body     reads   loop µs   all µs   wall µs    size\n')
  for (const coding of codings) {
    for (const [kilobytes, readBytes] of [
      [16, 65_536],
      [64, 65_536],
      [1024, 65_536],
      [1024, 4096],
    ] as const) {
      const body = records(kilobytes * 1024)
      const rounds = Math.max(10, Math.round(20_000 / kilobytes))
      for (let i = 0; i < rounds / 10; i++) await encode(coding, body, readBytes)
      const loop = performance.eventLoopUtilization()
      const cpu = process.cpuUsage()
      const start = performance.now()
      let size = 0
      for (let i = 0; i < rounds; i++) size = await encode(coding, body, readBytes)
      const wallUs = ((performance.now() - start) * 1000) / rounds
      const loopUs = (performance.eventLoopUtilization(loop).active * 1000) / rounds
      const used = process.cpuUsage(cpu)
      const columns = [
        coding.padEnd(6),
        `${kilobytes} KiB`.padStart(9),
        `${readBytes / 1024} KiB`.padStart(9),
        loopUs.toFixed(0).padStart(9),
        ((used.user + used.system) / rounds).toFixed(0).padStart(9),
        wallUs.toFixed(0).padStart(9),
        `${((size / body.length) * 100).toFixed(1)} %`.padStart(8),
      ]
      process.stdout.write(`${columns.join(' ')}\n`)
    }
  }
}
