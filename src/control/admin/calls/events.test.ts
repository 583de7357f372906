import assert from 'node:assert/strict'
import { OpenAPIHono } from '@hono/zod-openapi'
import { leakTest, type Scope } from '../../../../test/support/leaks.ts'
import { SseClient } from '../../../../test/support/sse-client.ts'
import { until } from '../../../../test/support/wait.ts'
import { EventRing } from '../../event-ring.ts'
import type { AdminApp } from '../app.ts'
import { AdminServer } from '../server.ts'
import { Streams } from '../streams.ts'
import { addEventCalls } from './events.ts'

/** The call alone, on a real server. */
async function served(scope: Scope) {
  const ring = new EventRing({ instance: 'test' })
  const streams = new Streams()
  const app: AdminApp = new OpenAPIHono()
  const noStats = { read: () => assert.fail('nobody asked for statistics') }
  addEventCalls(app, { version: '1', streams, ring, stats: noStats, revision: () => 1 })
  const server = await AdminServer.listen(app, { host: '127.0.0.1', port: 0 })
  scope.use(server)
  scope.defer(() => streams.close(''))
  const open = async () => scope.use(await SseClient.open(server.address().port, { path: '/events?stats=0' }))
  return { ring, open, streams }
}

/** Large, so that what sockets hold of it is soon full. */
const message = 'x'.repeat(10_000)

leakTest(
  'a reader that does not read loses the oldest events and is told how many; others miss nothing',
  async (scope) => {
    const { ring, open } = await served(scope)
    const slow = await open()
    const quick = await open()
    await slow.waitFor('hello')
    slow.pause()
    const wanted = 4000
    for (let sent = 1; sent <= wanted; sent++) {
      ring.emit({ type: 'problem', level: 'warn', code: String(sent), message, details: {} })
      if (sent % 200 === 0) await until('the quick one has it', () => quick.frames.at(-1)?.id === `test-${sent}`)
    }
    assert.deepEqual(
      quick.named('problem').map(({ id }) => id),
      Array.from({ length: wanted }, (_, i) => `test-${i + 1}`),
    )
    slow.resume()
    await until('the slow one has the last event', () => slow.frames.at(-1)?.id === `test-${wanted}`)
    const dropped = slow.named('dropped').reduce((sum, { data }) => sum + Number(data.count), 0)
    assert.equal(slow.named('problem').length + dropped, wanted)
    assert.ok(dropped > 0)
    assert.deepEqual(quick.named('dropped'), [])
  },
)

leakTest('a reader that leaves is forgotten', async (scope) => {
  const { ring, open, streams } = await served(scope)
  const client = await open()
  await client.waitFor('hello')
  assert.equal(streams.size, 1)
  client.close()
  await until('it is forgotten', () => streams.size === 0)
  ring.emit({ type: 'draining', cause: 'test', graceMs: 1 })
})
