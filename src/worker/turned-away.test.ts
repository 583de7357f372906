import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FromWorker } from './protocol.ts'
import { TurnedAway } from './turned-away.ts'

function gathered(t: { mock: { timers: { enable(options: { apis: ['setTimeout'] }): void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const reports: FromWorker[] = []
  return { reports, away: new TurnedAway((message) => reports.push(message)) }
}

test('the first is told at once, those after it together, with the last of them', (t) => {
  const { reports, away } = gathered(t)
  away.add('web', 'not_tls', 'a', '192.0.2.1')
  t.mock.timers.tick(0)
  assert.deepEqual(reports, [
    { type: 'turned-away', listener: 'web', reason: 'not_tls', count: 1, detail: 'a', address: '192.0.2.1' },
  ])
  for (let i = 0; i < 1000; i++) away.add('web', 'not_tls', `d${i}`, `192.0.2.${i % 250}`)
  away.add('web', 'timeout', '', '192.0.2.9')
  away.add('other', 'not_tls', '', '192.0.2.8')
  t.mock.timers.tick(1000)
  assert.equal(reports.length, 4)
  assert.deepEqual(reports[1], {
    type: 'turned-away',
    listener: 'web',
    reason: 'not_tls',
    count: 1000,
    detail: 'd999',
    address: '192.0.2.249',
  })
})

test('there is a bound on what is remembered', (t) => {
  const { reports, away } = gathered(t)
  away.add('first', 'x', '', '')
  t.mock.timers.tick(0)
  for (let i = 0; i < 1000; i++) away.add(`l${i}`, 'x', '', '')
  t.mock.timers.tick(1000)
  assert.equal(reports.length, 1 + 256)
})

test('nothing is told after the stop', (t) => {
  const { reports, away } = gathered(t)
  away.add('web', 'x', '', '')
  away.stop()
  t.mock.timers.tick(5000)
  assert.deepEqual(reports, [])
})
