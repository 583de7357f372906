// Rows of shared memory over configurations: what is counted of a listener or route stays its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noMaterial } from '../config/compile.ts'
import { type LoadOptions, loadConfig } from '../config/load.ts'
import type { Snapshot } from '../core/spec.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import { TrafficRows } from '../state/traffic-rows.ts'
import { WorkerState } from '../state/worker-state.ts'
import { Compiler } from './compiler.ts'

function stand(listeners: number) {
  const state = new OwnerState(createSharedState({ workers: 1, slots: 8, pools: 8, listeners, traffic: 8 }))
  const worker = new WorkerState(state.buffer, 0)
  const traffic = new TrafficRows(state)
  const compiler = new Compiler({ instanceId: 'i', stickySecret: '', rows: state.sizes, traffic, state })
  let generation = 0
  const compile = (...names: string[]): Snapshot => {
    const text = JSON.stringify({
      listeners: names.map((name, at) => ({ name, listen: `127.0.0.1:${8000 + at}` })),
      pools: { default: { backends: ['http://127.0.0.1:9000'] } },
      routes: [{ name: 'api', match: { path: '/api/*' }, pool: 'default' }],
    })
    const { config } = loadConfig({ text } as LoadOptions)
    const pools = new Map([
      ['default', config.pools.default!.backends.map((one) => ({ ...one, state: 'up' as const }))],
    ])
    const made = compiler.of(config, noMaterial as never)(pools as never, { generation: ++generation, slotOf: () => 0 })
    return made
  }
  const force = (...names: string[]): Snapshot => {
    const snapshot = compile(...names)
    compiler.inForce(snapshot)
    return snapshot
  }
  return { state, worker, compile, force }
}

const rows = ({ listeners }: Snapshot): Record<string, number> =>
  Object.fromEntries(listeners.map(({ name, row }) => [name, row]))

const requests = (state: OwnerState, row: number): number =>
  state.listenerTotals(row).requests.reduce((sum, { count }) => sum + count, 0)

test('a listener keeps its row wherever it stands, and finds it again', () => {
  const { force } = stand(8)
  assert.deepEqual(rows(force('a', 'b')), { a: 0, b: 1 })
  assert.deepEqual(rows(force('new', 'b', 'a')), { new: 2, b: 1, a: 0 })
  assert.deepEqual(rows(force('b')), { b: 1 })
  assert.deepEqual(rows(force('c', 'a', 'b')), { c: 3, a: 0, b: 1 })
})

test('routes are counted where they were, whatever the order of the listeners', () => {
  const { state, worker, force } = stand(8)
  const before = force('a', 'b')
  const ofA = before.routes[0]!.rows[0]!
  worker.requestStarted(0)
  worker.requestFinished(0, ofA, 0, 200, 1000)
  const after = force('x', 'b', 'a')
  assert.equal(after.routes[0]!.rows[2], ofA)
  assert.equal(requests(state, 0), 1)
  assert.equal(requests(state, 1), 0)
})

test('a row is given to another when the room is needed, nothing is counted there, and then it begins at 0', () => {
  const { state, worker, force, compile } = stand(2)
  const before = force('a', 'b')
  assert.ok(worker.connectionOpened(0, 0))
  worker.requestStarted(0)
  worker.requestFinished(0, before.routes[0]!.rows[0]!, 0, 200, 1000)
  force('b')
  assert.throws(() => compile('b', 'c'), RangeError, 'a connection of a is still open')
  worker.connectionClosed(0)
  assert.deepEqual(rows(force('b', 'c')), { b: 1, c: 0 })
  assert.deepEqual([requests(state, 0), state.connectionTotals(0).connections], [0, 0])
  assert.deepEqual(state.connectionTotals(0).active, 0)
  assert.throws(() => compile('a', 'b', 'c'), RangeError)
})

test('a change that does not come to pass takes nobody’s row', () => {
  const { force, compile } = stand(2)
  force('a', 'b')
  assert.throws(() => compile('b', 'c'), RangeError, 'a runs')
  assert.deepEqual(rows(force('a', 'b')), { a: 0, b: 1 })
})
