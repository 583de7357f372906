import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backendSpec, listenerSpec, poolSpec, routeSpec, snapshotOf } from '../../test/support/control-kit.ts'
import type { Snapshot } from '../core/spec.ts'
import { deltaOf, sharing, withDelta } from './snapshot-delta.ts'

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 })
const snapshots = fc
  .record({ listeners: names, pools: names, routes: names, flavour: fc.nat(1), graceMs: fc.nat(2) })
  .map(
    ({ listeners, pools, routes, flavour, graceMs }): Snapshot => ({
      ...snapshotOf(pools.map((name) => poolSpec([backendSpec(flavour, 80)], { name }))),
      listeners: listeners.map((name) => listenerSpec({ name })),
      routes: routes.map((name) => routeSpec({}, { name, bodySize: flavour })),
      graceMs,
    }),
  )

test('what arrives is what was meant, and what is the same is the very object', () => {
  fc.assert(
    fc.property(snapshots, snapshots, (running, wanted) => {
      const next = sharing(running, { ...wanted, generation: 2 })
      assert.deepEqual(next, { ...wanted, generation: 2 })
      // Each side has objects of its own.
      const there = structuredClone(running)
      const arrived = withDelta(there, structuredClone(deltaOf(running, next)))
      assert.deepEqual(arrived, next)
      for (const [at, route] of arrived.routes.entries()) {
        const before = there.routes.find(({ name }) => name === route.name)
        const isSame = before !== undefined && before.bodySize === route.bodySize
        assert.equal(there.routes.includes(route), isSame)
        assert.equal(running.routes.includes(next.routes[at]!), isSame)
      }
    }),
  )
})

test('a change of a backend sends no routes', () => {
  const routes = Array.from({ length: 1000 }, (_, i) => routeSpec({}, { name: `r${i}` }))
  const pool = (port: number) => poolSpec([backendSpec(0, port)])
  const running = { ...snapshotOf([pool(80), poolSpec([], { name: 'other' })]), routes }
  // Compiled anew, as after a reload.
  const wanted = { ...structuredClone(running), pools: [pool(81), poolSpec([], { name: 'other' })], generation: 2 }
  const delta = deltaOf(running, sharing(running, wanted))
  assert.deepEqual(delta, {
    base: 1,
    listeners: null,
    pools: { order: Int32Array.of(-1, 1), fresh: [pool(81)] },
    routes: null,
    rest: { generation: 2 },
  })
})

test('a worker that runs something else says so', () => {
  const one = snapshotOf([], 1)
  assert.throws(() => withDelta(snapshotOf([], 3), deltaOf(one, snapshotOf([], 2))), /runs generation 3/)
})
