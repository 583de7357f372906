// Any mix of sound requests on one connection, cut anywhere on the way in and out, gets its own answers, in order and whole.
import assert from 'node:assert/strict'
import { describe as group, test } from 'node:test'
import fc from 'fast-check'
import { type Answer, AnsweringBackend } from '../support/answering-backend.ts'
import { fieldValue, type Message, requestLine } from '../support/http-message.ts'
import { chunk, lastChunk } from '../support/messages.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'

const TIME_MS = 4_000

/** One exchange: what the client sends and how the backend answers. */
interface Plan {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly upload: number
  readonly uploadChunk: number
  readonly status: 200 | 204 | 304 | 404
  readonly framing: 'length' | 'chunked' | 'close'
  readonly size: number
  readonly chunk: number
  readonly interim: boolean
  readonly trailer: boolean
}

const size = fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(200_000) })

const plan: fc.Arbitrary<Plan> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE'),
  upload: size,
  uploadChunk: fc.constantFrom(0, 0, 1, 7, 5_000, 70_000),
  status: fc.constantFrom(200, 200, 200, 204, 304, 404),
  framing: fc.constantFrom('length', 'length', 'chunked', 'close'),
  size,
  chunk: fc.constantFrom(3, 4_000, 70_000),
  interim: fc.boolean(),
  trailer: fc.boolean(),
})

const scenario = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 6 }),
  /** Where the client's bytes are cut, and the backend's. */
  cuts: fc.array(fc.nat(), { maxLength: 8 }),
  answerCuts: fc.array(fc.nat(2_000), { maxLength: 3 }),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

/** A body that tells whose it is, at every place in it. */
function filler(n: number, length: number): string {
  return `${n}:`.repeat(Math.ceil(length / 2) + 1).slice(0, length)
}

function pieces(text: string, step: number): string {
  let out = ''
  // Tiny chunks are kept few: the whole is about their edges, not about their number.
  for (let at = 0; at < text.length; ) {
    const end = at + Math.max(step, Math.ceil(text.length / 200))
    out += chunk(text.slice(at, end))
    at = end
  }
  return out
}

function hasUpload({ method }: Plan): boolean {
  return method === 'POST' || method === 'PUT'
}

function requestOf(one: Plan, n: number, run: number): string {
  const head = `${one.method} /${run}/${n} HTTP/1.1\r\nHost: t.example\r\n`
  if (!hasUpload(one)) return `${head}\r\n`
  const body = filler(n, one.upload)
  if (one.uploadChunk === 0) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`
  const trailer = one.trailer ? `0\r\nX-Sum: ${n}\r\n\r\n` : lastChunk
  return `${head}Transfer-Encoding: chunked\r\n\r\n${pieces(body, one.uploadChunk)}${trailer}`
}

function isBodiless({ method, status }: Plan): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

function answerTo(one: Plan, n: number): Answer {
  const interim = one.interim ? `HTTP/1.1 103 Early Hints\r\nX-Of: ${n}\r\n\r\n` : ''
  const head = `${interim}HTTP/1.1 ${one.status} Whatever\r\nX-N: ${n}\r\n`
  const body = filler(n, one.size)
  if (isBodiless(one)) {
    const framing = one.status === 204 ? '' : `Content-Length: ${body.length}\r\n`
    return { bytes: `${head}${framing}\r\n` }
  }
  if (one.framing === 'length') return { bytes: `${head}Content-Length: ${body.length}\r\n\r\n${body}` }
  if (one.framing === 'close') return { bytes: `${head}\r\n${body}`, end: 'fin' }
  const trailer = one.trailer ? `0\r\nX-Sum: ${n}\r\n\r\n` : lastChunk
  return { bytes: `${head}Transfer-Encoding: chunked\r\n\r\n${pieces(body, one.chunk)}${trailer}` }
}

group('pipelines', () => {
  test('every request gets its own answer, whole and in order', async () => {
    let current: Scenario = { plans: [], cuts: [], answerCuts: [] }
    let run = 0
    const uploads: string[] = []
    const backend = await AnsweringBackend.start((request: Message) => {
      const [, ofRun, place] = requestLine(request).target.split('/')
      const n = Number(place)
      // What is left of a scenario that failed before.
      if (Number(ofRun) !== run) return { bytes: '', end: 'rst' }
      uploads[n] = request.body.toString('latin1')
      return { ...answerTo(current.plans[n]!, n), cuts: current.answerCuts }
    })
    const proxy = await startProxy([backend.url])
    const property = fc.asyncProperty(scenario, async (drawn) => {
      current = drawn
      uploads.length = 0
      run++
      await converse(proxy, drawn, run)
      for (const [n, one] of drawn.plans.entries()) {
        assert.equal(uploads[n], hasUpload(one) ? filler(n, one.upload) : '', `upload ${n}`)
      }
    })
    try {
      await fc.assert(property, { numRuns: 1_000, interruptAfterTimeLimit: TIME_MS, markInterruptAsFailure: false })
    } finally {
      await proxy.close()
      await backend.close()
    }
  })
})

async function converse(proxy: TestProxy, { plans, cuts }: Scenario, run: number): Promise<void> {
  const client = await RawClient.open(proxy.port)
  try {
    const bytes = plans.map((one, n) => requestOf(one, n, run)).join('')
    const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b)
    let from = 0
    for (const place of [...places, bytes.length]) {
      client.write(bytes.slice(from, place))
      from = place
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    for (const [n, one] of plans.entries()) {
      const reply = await client.reply(one.method)
      assert.equal(reply.status, one.status, `status of ${n}`)
      assert.equal(fieldValue(reply, 'x-n'), String(n))
      assert.ok(reply.body.equals(Buffer.from(isBodiless(one) ? '' : filler(n, one.size), 'latin1')), `body of ${n}`)
    }
    assert.equal(client.unread.length, 0, 'nothing follows the last answer')
  } finally {
    await client.close()
  }
}
