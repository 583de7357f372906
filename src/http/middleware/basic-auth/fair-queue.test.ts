import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FairQueue } from './fair-queue.ts'

function drain<T>(queue: FairQueue<T>): T[] {
  const all: T[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) all.push(item)
  return all
}

test('clients are served in turn, each in its own order', () => {
  const queue = new FairQueue<string>(10)
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) assert.equal(queue.push(item[0]!, item), null)
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  assert.equal(queue.size, 0)
})

test('when it is full, whoever has most gives way', () => {
  const queue = new FairQueue<string>(4)
  for (const item of ['a1', 'a2', 'a3', 'b1']) queue.push(item[0]!, item)
  assert.equal(queue.push('a', 'a4'), 'a4', 'the flood itself')
  assert.equal(queue.push('c', 'c1'), 'a3', 'somebody else takes the place of its last')
  assert.equal(queue.push('d', 'd1'), 'a2')
  assert.equal(queue.push('e', 'e1'), 'e1', 'all have one')
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'd1'])
})

test('it never holds more than it may, loses nothing, and nobody waits longer than one turn of all', () => {
  const client = fc.constantFrom('a', 'b', 'c', 'd')
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(client, { maxLength: 60 }), (max, clients) => {
      const queue = new FairQueue<string>(max)
      const out: (string | null)[] = clients.map((name, at) => queue.push(name, `${name}${at}`))
      assert.ok(queue.size <= max)
      const waiting = new Set(clients.map((name, at) => `${name}${at}`))
      for (const item of out) if (item !== null) assert.ok(waiting.delete(item), 'gives way once')
      const rest = drain(queue)
      assert.deepEqual(new Set(rest), waiting)
      const present = new Set(rest.map((item) => item[0]))
      assert.equal(new Set(rest.slice(0, present.size).map((item) => item[0])).size, present.size)
    }),
  )
})
