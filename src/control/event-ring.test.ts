import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EventRing } from './event-ring.ts'

const draining = (cause: string) => ({ type: 'draining', cause, graceMs: 1 }) as const
const causes = (ring: EventRing, after: number, limit?: number): unknown[] =>
  ring.after(after, limit).events.map(({ view }) => view.cause)

it('gives what came after a number, and says how many are kept no more', () => {
  const ring = new EventRing({ size: 3 })
  for (const cause of ['a', 'b', 'c', 'd', 'e']) ring.emit(draining(cause))
  assert.deepEqual([causes(ring, 3), ring.after(3).lost], [['d', 'e'], 0])
  assert.deepEqual([causes(ring, 0), ring.after(0).lost], [['c', 'd', 'e'], 2])
  assert.deepEqual([causes(ring, 5), ring.after(5).lost], [[], 0])
  assert.deepEqual(causes(ring, 0, 2), ['c', 'd'])
})

it('keeps fewer where they are long, but the newest always', () => {
  const ring = new EventRing({ maxLength: 1000 })
  for (let i = 0; i < 10; i++) ring.emit(draining(`${i}${'x'.repeat(100)}`))
  const { events, lost } = ring.after(0)
  assert.equal(events.length + lost, 10)
  assert.ok(events.length > 1 && events.reduce((sum, { json }) => sum + json.length, 0) <= 1000)
  ring.emit(draining('y'.repeat(2000)))
  assert.deepEqual([ring.after(0).events.length, ring.after(0).lost], [1, 10])
  ring.emit(draining('z'))
  assert.deepEqual(causes(ring, 0), ['z'])
})

it('knows its own ids and takes those of others for unknown', () => {
  const ring = new EventRing({ instance: 'ab' })
  ring.emit(draining('a'))
  assert.equal(ring.idOf(1), 'ab-1')
  assert.deepEqual(
    ['ab-1', 'ab-99', 'cd-1', '1', '', 'ab-x'].map((id) => ring.numberOf(id)),
    [1, 1, 0, 0, 0, 0],
  )
})

it('tells who watches, until they do not', () => {
  const ring = new EventRing()
  let count = 0
  const unwatch = ring.watch(() => (count += 1))
  ring.emit(draining('a'))
  unwatch()
  ring.emit(draining('b'))
  assert.equal(count, 1)
})

it('keeps an event whose details no JSON can hold', () => {
  const ring = new EventRing()
  ring.emit({ type: 'problem', level: 'warn', code: 'x', message: 'm', details: { big: 1n } })
  assert.deepEqual(JSON.parse(ring.after(0).events[0]!.json).details, {})
})
