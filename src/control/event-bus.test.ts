import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLog } from '../../test/support/control-kit.ts'
import { EventBus } from './event-bus.ts'
import { type FrontdeskEvent, tellProblems } from './events.ts'

const applied = (revision: number) => ({ type: 'config_applied', revision, changes: [], refused: [] }) as const

async function all(events: AsyncIterable<FrontdeskEvent>): Promise<(string | number)[]> {
  const seen: (string | number)[] = []
  for await (const event of events) {
    if (event.type === 'config_applied') seen.push(event.revision)
    else seen.push(event.type === 'dropped' ? `dropped ${event.count}` : event.type)
  }
  return seen
}

test('every reader gets what happens after it began, in order, and the rest of it when the bus is closed', async () => {
  const bus = new EventBus()
  const first = bus.read()
  bus.emit(applied(1))
  const waiting = all(bus.read())
  bus.emit(applied(2))
  bus.emit({ type: 'closed', outcome: 'drained' })
  bus.close()
  assert.deepEqual(await all(first), [1, 2, 'closed'])
  assert.deepEqual(await waiting, [2, 'closed'])
  assert.deepEqual(await all(bus.read()), [])
})

test('a slow reader loses the oldest events, is told how many, and holds up nobody', async () => {
  const bus = new EventBus()
  const slow = bus.read({ maxBuffered: 3 })
  const other = bus.read()
  for (let revision = 1; revision <= 5; revision++) bus.emit(applied(revision))
  assert.equal((await slow.next()).value?.type, 'dropped')
  bus.emit(applied(6))
  bus.emit(applied(7))
  bus.close()
  assert.deepEqual(await all(slow), ['dropped 2', 5, 6, 7])
  assert.deepEqual(await all(other), [1, 2, 3, 4, 5, 6, 7])
  assert.throws(() => bus.read({ maxBuffered: 0 }), RangeError)
})

test('reading ends with a break, a signal and dispose; what was asked for before is answered', async () => {
  const bus = new EventBus()
  const left = bus.read()
  bus.emit(applied(1))
  for await (const event of left) {
    assert.equal(event.type, 'config_applied')
    break
  }
  bus.emit(applied(2))
  assert.deepEqual(await left.next(), { value: undefined, done: true })

  const abort = new AbortController()
  const signalled = bus.read({ signal: abort.signal })
  const asked = [signalled.next(), signalled.next()]
  bus.emit(applied(3))
  abort.abort()
  assert.deepEqual(await Promise.all(asked.map(async (one) => (await one).done)), [false, true])
  assert.deepEqual(await all(bus.read({ signal: abort.signal })), [])
  {
    await using disposed = bus.read()
    bus.emit(applied(4))
    assert.ok(disposed)
  }
  bus.close()
})

test('warnings and errors of the log are problems, unless an event of their own tells of them', async () => {
  const bus = new EventBus()
  const log = new MemoryLog()
  const events = bus.read()
  const both = tellProblems(log, bus)
  both.event('info', 'started', 'up')
  both.event('warn', 'backend_down', 'down')
  both.event('error', 'worker_died', 'worker 0 died', { worker: 0 })
  bus.close()
  assert.equal(log.events.length, 3)
  const seen: FrontdeskEvent[] = []
  for await (const event of events) seen.push(event)
  assert.deepEqual(
    seen.map(({ at, ...event }) => ({ ...event, isDate: at instanceof Date })),
    [
      {
        type: 'problem',
        level: 'error',
        code: 'worker_died',
        message: 'worker 0 died',
        details: { worker: 0 },
        isDate: true,
      },
    ],
  )
})
