// Spans and their collector: one that takes them, one that is slow, one that refuses, one that is not there.
import assert from 'node:assert/strict'
import { startFakeCollector } from '../../test/support/fake-collector.ts'
import { leakTest, type Scope } from '../../test/support/leaks.ts'
import { refusingPort } from '../../test/support/ports.ts'
import { until } from '../../test/support/wait.ts'
import type { TracingSpec } from '../core/spec.ts'
import { SpanExporter, type SpanExporterOptions } from './span-exporter.ts'

type To = NonNullable<TracingSpec['export']>

function exporterTo(scope: Scope, endpoint: string, to: Partial<To> = {}, more: Partial<SpanExporterOptions> = {}) {
  const events: string[] = []
  const exporter = new SpanExporter({
    to: { endpoint, headers: [], gzip: false, timeoutMs: 5000, maxWaiting: 100, ...to },
    resource: [{ name: 'service.name', value: 'edge "1"' }],
    version: '1.2.3',
    instanceId: 'instance',
    log: { event: (_level, name, message) => void events.push(`${name}: ${message}`) },
    retryMs: 1,
    ...more,
  })
  scope.defer(() => exporter.close(0))
  return { exporter, events }
}
const batch = (count: number) => ({ spans: Array(count).fill('{"spanId":"1"}').join(','), count })

leakTest('a batch is one request: path, fields, resource, scope, spans', async (scope) => {
  const collector = await startFakeCollector(scope)
  const headers = [{ name: 'Authorization', value: 'Bearer secret' }]
  const { exporter, events } = exporterTo(scope, `${collector.url}/v1/traces`, { headers })
  exporter.add(batch(2))
  await until('it is taken', () => exporter.counts.exported === 2)
  const [request] = collector.requests
  assert.equal(request!.path, '/v1/traces')
  assert.equal(request!.headers['content-type'], 'application/json')
  assert.equal(request!.headers.authorization, 'Bearer secret')
  assert.equal(request!.headers['user-agent'], 'frontdesk/1.2.3')
  assert.deepEqual(JSON.parse(request!.text), {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'edge "1"' } },
            { key: 'service.version', value: { stringValue: '1.2.3' } },
            { key: 'service.instance.id', value: { stringValue: 'instance' } },
          ],
        },
        scopeSpans: [{ scope: { name: 'frontdesk', version: '1.2.3' }, spans: [{ spanId: '1' }, { spanId: '1' }] }],
      },
    ],
  })
  assert.deepEqual([exporter.counts, events], [{ exported: 2, dropped: 0, waiting: 0 }, []])
})

leakTest('compressed, where that is asked for', async (scope) => {
  const collector = await startFakeCollector(scope)
  const { exporter } = exporterTo(scope, collector.url, { gzip: true })
  exporter.add(batch(50))
  await until('it is taken', () => exporter.counts.exported === 50)
  assert.equal(collector.requests[0]!.headers['content-encoding'], 'gzip')
  assert.ok(Number(collector.requests[0]!.headers['content-length']) < 500)
})

leakTest('a busy collector is asked again, and told of once each way', async (scope) => {
  const collector = await startFakeCollector(scope)
  const statuses = [503, 429, 502, 504]
  const well = collector.answer
  collector.answer = (response, request) => {
    const status = statuses.shift()
    if (status === undefined) well(response, request)
    else response.writeHead(status).end()
  }
  const { exporter, events } = exporterTo(scope, collector.url)
  exporter.add(batch(3))
  await until('it is taken', () => exporter.counts.exported === 3)
  assert.equal(collector.requests.length, 5)
  assert.deepEqual(
    events.map((text) => text.split(':')[0]),
    ['spans_waiting', 'spans_exported_again'],
  )
  assert.match(events[1]!, /none was lost/)
})

leakTest('what it refuses, or rejects in part, is not sent again, but counted', async (scope) => {
  const collector = await startFakeCollector(scope)
  const well = collector.answer
  collector.answer = (response) => response.writeHead(400).end()
  const { exporter, events } = exporterTo(scope, collector.url)
  exporter.add(batch(3))
  await until('it is dropped', () => exporter.counts.dropped === 3)
  collector.answer = (response) =>
    response.writeHead(200).end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}')
  exporter.add(batch(5))
  await until('two of them are dropped', () => exporter.counts.dropped === 5)
  collector.answer = well
  exporter.add(batch(1))
  await until('it is taken', () => exporter.counts.exported === 4)
  assert.equal(collector.requests.length, 3)
  assert.match(events[0]!, /spans_dropped: .*it answered 400/)
  assert.match(events.at(-1)!, /5 were dropped/)
})

leakTest('a collector that never answers costs bounded memory, and what is dropped is counted', async (scope) => {
  const collector = await startFakeCollector(scope)
  collector.answer = () => {}
  const { exporter, events } = exporterTo(scope, collector.url)
  for (let i = 0; i < 30; i++) exporter.add(batch(10))
  assert.deepEqual(exporter.counts, { exported: 0, dropped: 200, waiting: 100 })
  assert.equal(events.filter((text) => text.startsWith('spans_dropped')).length, 1)
  const before = performance.now()
  await exporter.close(50)
  assert.ok(performance.now() - before < 3000)
  assert.deepEqual(exporter.counts, { exported: 0, dropped: 300, waiting: 0 })
})

leakTest('few but long spans are bounded too, in all and in one request', async (scope) => {
  const collector = await startFakeCollector(scope)
  const { exporter } = exporterTo(scope, collector.url, { maxWaiting: 1000 }, { maxWaitingBytes: 9_000_000 })
  const long = { spans: `{"spanId":"${'a'.repeat(3_000_000)}"}`, count: 1 }
  for (let i = 0; i < 4; i++) exporter.add(long)
  assert.deepEqual(exporter.counts, { exported: 0, dropped: 2, waiting: 2 })
  await until('they are taken', () => exporter.counts.exported === 2)
  assert.equal(collector.requests.length, 2)
  exporter.add(long)
  await until('there is room again', () => exporter.counts.exported === 3)
})

leakTest('one that is not there is tried until that has taken too long', async (scope) => {
  const endpoint = `http://127.0.0.1:${await refusingPort()}`
  const { exporter, events } = exporterTo(scope, endpoint, {}, { giveUpMs: 20 })
  exporter.add(batch(4))
  await until('it is dropped', () => exporter.counts.dropped === 4)
  assert.match(events[0]!, /spans_waiting: .*ECONNREFUSED/)
  assert.ok(!events.join().includes('secret'))
})

leakTest('what waits at the end is sent before it', async (scope) => {
  const collector = await startFakeCollector(scope)
  const { exporter } = exporterTo(scope, collector.url)
  for (let i = 0; i < 5; i++) exporter.add(batch(2))
  await exporter.close()
  assert.equal(exporter.counts.exported, 10)
  assert.equal(collector.spans.length, 10)
})
