// traceparent and tracestate, as W3C Trace Context has them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactedByDefault } from '../access/redaction.ts'
import { formatTraceParent, listValue, parseTraceParent } from './trace-context.ts'
import { Tracer } from './tracer.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => /[^0]/.test(text))

test('what is valid is read, and written again', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 3 }), (traceId, parentId, flags) => {
      const text = formatTraceParent(traceId, parentId, flags)
      assert.match(text, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/)
      assert.deepEqual(parseTraceParent(text), { traceId, parentId, flags })
    }),
  )
})

test('what is not valid is none', () => {
  for (const text of [
    '',
    '00',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01more`,
    `00_${TRACE}_${SPAN}_01`,
  ]) {
    assert.equal(parseTraceParent(text), null, text)
  }
})

test('a later version is read as far as it is known, and other flags are not passed on', () => {
  const wanted = { traceId: TRACE, parentId: SPAN, flags: 1 }
  assert.deepEqual(parseTraceParent(`01-${TRACE}-${SPAN}-01`), wanted)
  assert.deepEqual(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-it-says`), wanted)
  assert.deepEqual(parseTraceParent(`00-${TRACE}-${SPAN}-fd`), wanted)
  assert.equal(parseTraceParent(`00-${TRACE}-${SPAN}-ff`)?.flags, 3)
})

test('several fields are a list; two parents are none', () => {
  const block = `Host: a\r\ntracestate: a=1\r\nX: y\r\nTraceState: b=2 \r\n`
  assert.equal(listValue(block, 'tracestate'), 'a=1,b=2')
  assert.equal(listValue(block, 'traceparent'), '')
})

const spec = { create: true, sample: 1, export: null, resource: [] }
const tracerWith = (given: Partial<ConstructorParameters<typeof Tracer>[0]>): Tracer =>
  new Tracer({ ...spec, ...given }, redactedByDefault, () => {})

test('a trace is continued with a span of our own, its state unchanged', () => {
  const trace = tracerWith({}).begin(`traceparent: 00-${TRACE}-${SPAN}-01\r\ntracestate: a=1,b=2\r\n`)!
  assert.deepEqual([trace.traceId, trace.parentId, trace.state, trace.isSampled], [TRACE, SPAN, 'a=1,b=2', true])
  assert.notEqual(trace.spanId, SPAN)
  assert.equal(trace.lines, `traceparent: 00-${TRACE}-${trace.spanId}-01\r\ntracestate: a=1,b=2\r\n`)
})

test('one that is not sampled stays so; one that cannot be read is left behind with its state', () => {
  const tracer = tracerWith({})
  assert.equal(tracer.begin(`traceparent: 00-${TRACE}-${SPAN}-00\r\n`)!.isSampled, false)
  const other = tracer.begin(`traceparent: 00-${TRACE}-nonsense-00\r\ntracestate: a=1\r\n`)!
  assert.notEqual(other.traceId, TRACE)
  assert.deepEqual([other.parentId, other.state, other.isSampled], ['', '', true])
  const two = tracer.begin(`traceparent: 00-${TRACE}-${SPAN}-01\r\ntraceparent: 00-${TRACE}-${SPAN}-01\r\n`)!
  assert.notEqual(two.traceId, TRACE)
})

test('traces begin here only where they are to, and as many are sampled as asked for', () => {
  assert.equal(tracerWith({ create: false }).begin('Host: a\r\n'), null)
  assert.notEqual(tracerWith({ create: false }).begin(`traceparent: 00-${TRACE}-${SPAN}-01\r\n`), null)
  const tracer = tracerWith({ sample: 0.25 })
  const traces = Array.from({ length: 8000 }, () => tracer.begin('')!)
  const sampled = traces.filter(({ isSampled }) => isSampled).length
  assert.ok(sampled > 1800 && sampled < 2200, `${sampled} of 8000`)
  assert.equal(new Set(traces.map(({ traceId }) => traceId)).size, 8000)
})
