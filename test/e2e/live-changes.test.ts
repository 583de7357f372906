// The proof that a running Frontdesk is changed without anybody noticing: 100 changes in a row by every way there is, under
// load, with WebSockets and TCP connections open all the time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { haveOpenssl } from '../support/certificates.ts'
import { type Measure, run } from '../support/live-changes/run.ts'
import { Stage } from '../support/live-changes/stage.ts'

const skip = !(await haveOpenssl())
/** What is asked for; a busy machine may not reach it, and then less is proved, but no less than this. */
const perSecond = 2000
const leastPerSecond = 300

test('100 changes in a row fail no request and close no connection', { skip, timeout: 120_000 }, async (t) => {
  const stage = await Stage.open()
  t.after(() => stage.close())
  const { traffic, took, before, after } = await run(stage, { changes: 100, perSecond, warmUpMs: 1000 })
  const rate = Math.round(traffic.answered / (traffic.elapsedMs / 1000))
  const slowest = [...took].map(([name, times]) => `${name} ${Math.round(Math.max(...times))} ms`)
  t.diagnostic(
    `${rate} requests/s, slowest ${Math.round(traffic.slowestMs.request)} ms; changes: ${slowest.join(', ')}`,
  )
  for (const [when, { heapBytes, footprint }] of Object.entries({ before, after })) {
    t.diagnostic(`${when}: ${Math.round(heapBytes / 2 ** 20)} MB in use, ${JSON.stringify(footprint)}`)
  }
  assert.deepEqual([traffic.failures, traffic.announcedCloses], [[], 0])
  assert.ok(rate >= leastPerSecond, `only ${rate} requests/s`)
  assert.ok(traffic.echoes.webSockets > 50 * 10 && traffic.echoes.tcpSockets > 20 * 10, JSON.stringify(traffic.echoes))
  assert.deepEqual([after.listeners, after.pools, after.backends], [before.listeners, before.pools, before.backends])
  assert.equal(after.metrics, before.metrics)
  assert.equal(after.footprint.threads, before.footprint.threads)
  // Connections to backends come and go; a leak would be one for each change.
  assert.ok(after.footprint.descriptors <= before.footprint.descriptors + 60, JSON.stringify([before, after]))
  const grownMB = (of: (measure: Measure) => number): number => Math.round((of(after) - of(before)) / 2 ** 20)
  const inUse = grownMB(({ heapBytes }) => heapBytes)
  assert.ok(inUse < 8, `${inUse} MB more are in use`)
  // The room for young objects grows as it is used, to a bound that this is well below.
  const resident = grownMB(({ footprint }) => footprint.rssBytes)
  assert.ok(resident < 100, `memory has grown by ${resident} MB`)
})
