import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerSpec, listenerTlsSpec } from '../../test/support/control-kit.ts'
import type { ListenerSpec, ListenerTlsSpec } from '../core/spec.ts'
import { TicketKeys } from './ticket-keys.ts'

const listener = (name: string, tls: Partial<ListenerTlsSpec> | null): ListenerSpec =>
  listenerSpec({
    name,
    tls: tls && listenerTlsSpec([], { ticketRotationMs: 1000, ...tls }),
  })

function published() {
  const tables: ReadonlyMap<string, Uint8Array>[] = []
  const keys = new TicketKeys((table) => tables.push(table))
  return { keys, tables, last: () => tables.at(-1)! }
}

test('each listener with TLS and tickets has a key of its own', () => {
  const { keys, last } = published()
  keys.update([listener('a', {}), listener('b', {}), listener('c', { sessionTickets: false }), listener('d', null)])
  assert.deepEqual([...last().keys()], ['a', 'b'])
  assert.equal(last().get('a')!.length, 48)
  assert.notDeepEqual(last().get('a'), last().get('b'))
  keys.stop()
})

test('an update that changes nothing keeps the keys and publishes nothing; a listener that has gone loses its key', () => {
  const { keys, tables, last } = published()
  keys.update([listener('a', {}), listener('b', {})])
  const before = last().get('a')
  keys.update([listener('a', {}), listener('b', {})])
  assert.equal(tables.length, 1)
  keys.update([listener('a', {})])
  assert.deepEqual([...last().keys()], ['a'])
  assert.deepEqual(last().get('a'), before)
  keys.stop()
})

test('a key is replaced when its time is over, by the time that was configured last, and never after the stop', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { keys, tables, last } = published()
  keys.update([listener('a', { ticketRotationMs: 1000 }), listener('b', { ticketRotationMs: 5000 })])
  const [a, b] = [last().get('a'), last().get('b')]
  t.mock.timers.tick(1000)
  assert.notDeepEqual(last().get('a'), a)
  assert.deepEqual(last().get('b'), b)
  keys.update([listener('a', { ticketRotationMs: 60_000 }), listener('b', { ticketRotationMs: 5000 })])
  const second = last().get('a')
  t.mock.timers.tick(3999)
  assert.deepEqual(last().get('a'), second)
  t.mock.timers.tick(1)
  assert.notDeepEqual(last().get('b'), b)
  keys.stop()
  const count = tables.length
  t.mock.timers.tick(120_000)
  assert.equal(tables.length, count)
})
