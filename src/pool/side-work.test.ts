import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerWheel } from '../util/timer-wheel.ts'
import { type SideJob, SideWork } from './side-work.ts'

test('a drain stops what nobody waits for after a second, and lets the rest come to its end', () => {
  const wheel = new TimerWheel({ tickMs: 10, buckets: 16 })
  const work = new SideWork()
  const stopped: string[] = []
  const job = (kind: string, isAwaited: boolean): SideJob & { isAwaited: boolean } => ({
    kind,
    isAwaited,
    stop() {
      stopped.push(kind)
      work.remove(this)
    },
  })
  const awaited = job('awaited', true)
  work.add(job('mirror', false))
  work.add(awaited)
  let done = 0
  assert.equal(
    work.drain(wheel, () => done++),
    false,
  )
  let now = 0
  const advance = (ms: number): void => {
    for (const end = now + ms; now < end; ) wheel.advance(++now)
  }
  advance(900)
  assert.deepEqual(stopped, [])
  advance(200)
  assert.deepEqual(stopped, ['mirror'])
  advance(10_000)
  assert.deepEqual([stopped.length, done], [1, 0])
  // Whoever waited has gone.
  awaited.isAwaited = false
  advance(1100)
  assert.deepEqual([stopped, done], [['mirror', 'awaited'], 1])
})
