import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PluginFailures } from './plugin-failures.ts'
import type { FromWorker } from './protocol.ts'

type Told = Extract<FromWorker, { type: 'plugin-failure' }>

test('the first is told at once with its stack; a storm after it is one line a second, other faults have their own', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: Told[] = []
  const failures = new PluginFailures((message) => told.push(message as Told))
  failures.add('middleware limit', new Error('first'), 'r1')
  t.mock.timers.tick(0)
  assert.equal(told.length, 1)
  assert.match(told[0]!.error, /^Error: first\n\s+at /)
  for (let i = 0; i < 1000; i++) failures.add('middleware limit', new Error('storm'), '')
  for (let i = 0; i < 100; i++) failures.add('middleware limit', new Error(`another ${i}`), '')
  failures.add('strategy nearest', 'text', '')
  t.mock.timers.tick(1000)
  assert.deepEqual(
    told.map(({ what, count, error }) => [what, count, error.split('\n')[0]]),
    [
      ['middleware limit', 1, 'Error: first'],
      ['middleware limit', 1097, 'Error: storm'],
      ['middleware limit', 1, 'Error: another 0'],
      ['middleware limit', 1, 'Error: another 1'],
      ['middleware limit', 1, 'Error: another 2'],
      ['strategy nearest', 1, 'thrown: text'],
    ],
  )
})

test('what is untold at the stop is told then, and the number of kinds has a bound', () => {
  const told: FromWorker[] = []
  const failures = new PluginFailures((message) => told.push(message))
  for (let i = 0; i < 1000; i++) failures.add(`middleware ${i}`, i, '')
  failures.stop()
  assert.equal(told.length, 256)
  failures.stop()
  assert.equal(told.length, 256)
})
