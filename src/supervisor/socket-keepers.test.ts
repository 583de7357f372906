import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerSpec } from '../../test/support/control-kit.ts'
import { until } from '../../test/support/wait.ts'
import { SocketKeepers } from './socket-keepers.ts'

function keepers(running: number[]) {
  const moves: string[] = []
  const made = new SocketKeepers({
    running: () => running,
    takeOver: (worker, listener) => moves.push(`${listener} to ${worker}`),
    retryMs: 1,
  })
  return { made, moves }
}

const unix = (name: string) => listenerSpec({ name, socketPath: `/run/${name}` })
const listeners = [unix('a'), listenerSpec({ name: 'tcp' }), unix('b'), unix('c')]

test('Unix sockets are spread over the workers, other listeners are nobody’s', () => {
  const { made } = keepers([])
  made.adopt(made.plan(listeners, [0, 1]))
  assert.deepEqual([made.of(0), made.of(1)], [['a', 'c'], ['b']])
})

test('what a dead worker had goes to those with the least', () => {
  const running = [1, 2]
  const { made, moves } = keepers(running)
  made.adopt(made.plan([...listeners, unix('d')], [0, 1, 2]))
  made.died(0)
  assert.deepEqual(moves, ['a to 1', 'd to 2'])
  running.shift()
  made.died(1)
  assert.deepEqual(moves.slice(2), ['a to 2', 'b to 2'])
})

test('where nobody else runs, the next in its place gets them', () => {
  const { made, moves } = keepers([])
  made.adopt(made.plan(listeners, [0]))
  made.died(0)
  assert.deepEqual([moves, made.of(0)], [[], ['a', 'b', 'c']])
})

test('a socket that could not be taken over is tried again', async () => {
  const { made, moves } = keepers([1])
  made.adopt(made.plan([unix('a')], [0]))
  made.died(0)
  made.failed('a')
  await until('it is tried again', () => moves.length === 2)
  assert.deepEqual(moves, ['a to 1', 'a to 1'])
})

test('the death of who was to try again, or the end, leaves nothing to come', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { made, moves } = keepers([1])
  made.adopt(made.plan([unix('a')], [0]))
  made.failed('a')
  made.died(0)
  made.failed('a')
  made.stop()
  t.mock.timers.tick(60_000)
  assert.deepEqual(moves, ['a to 1'])
})

test('who keeps a socket goes on; one that leaves, or a listener that is new, is given to those with the least', () => {
  const { made } = keepers([])
  made.adopt(made.plan(listeners, [0, 1]))
  const plan = made.plan([unix('a'), unix('c'), unix('d'), unix('e')], [1, 2])
  assert.deepEqual(Object.fromEntries(plan), { a: 1, c: 2, d: 1, e: 2 })
  made.adopt(plan)
  assert.deepEqual([made.keeperOf('b'), made.keeperOf('c'), made.of(0)], [undefined, 2, []])
  assert.deepEqual(Object.fromEntries(made.plan([unix('c'), unix('x')], [1, 2])), { c: 2, x: 1 })
})
