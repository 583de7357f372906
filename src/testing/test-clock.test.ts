import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as timers from 'node:timers'
import { promisify } from 'node:util'
import { type TestClock, useClock } from './test-clock.ts'

const before = { setTimeout, clearTimeout, setInterval, clearInterval, Date, now: performance.now }

function clocked(name: string, body: (clock: TestClock) => Promise<void>): void {
  void test(name, async () => {
    using clock = useClock()
    await body(clock)
  })
}

clocked('what is due is called in the order of its time, what is not stays', async (clock) => {
  const called: string[] = []
  setTimeout((name: string) => void called.push(name), 2000, 'b')
  setTimeout(() => void called.push('a'), 1000)
  const late = setTimeout(() => void called.push('late'), 10_000)
  const every = setInterval(() => void called.push('every'), 1500)
  await clock.advance(5000)
  assert.deepEqual(called, ['a', 'every', 'b'], 'an interval once, as after a sleep')
  await clock.advance(4000)
  assert.deepEqual(called, ['a', 'every', 'b', 'every'])
  await clock.advance(1000)
  assert.ok(called.includes('late'))
  clearInterval(every)
  clearTimeout(late)
})

clocked('Date and performance.now move with it, and go on by themselves', async (clock) => {
  const [date, now] = [Date.now(), performance.now()]
  await clock.advance(60_000)
  assert.ok(Math.abs(Date.now() - date - 60_000) < 1000)
  assert.ok(Math.abs(performance.now() - now - 60_000) < 1000)
  assert.ok(Math.abs(Date.parse(new Date().toISOString()) - Date.now()) < 1000)
  assert.ok(new Date() instanceof Date)
  assert.equal(new Date(0).toISOString(), '1970-01-01T00:00:00.000Z')
  assert.equal(Date.UTC(1970, 0, 1), 0)
  assert.equal(typeof Date(), 'string')
  const reached = performance.now()
  await new Promise((resolve) => timers.setTimeout(resolve, 5))
  assert.ok(performance.now() > reached, 'real time goes on')
})

clocked('a timer that nobody moves runs by the real clock', async () => {
  await new Promise((resolve) => setTimeout(resolve, 5))
  await promisify(setTimeout)(5)
})

clocked('timers are what Node gives', async (clock) => {
  const called: number[] = []
  const timer = setTimeout(() => void called.push(1), 100)
  assert.equal(timer.unref(), timer)
  assert.equal(timer.hasRef(), false)
  assert.equal(timer.ref().hasRef(), true)
  await clock.advance(60)
  timer.refresh()
  await clock.advance(60)
  assert.deepEqual(called, [])
  await clock.advance(60)
  assert.deepEqual(called, [1])
  clearTimeout(+setTimeout(() => assert.fail('it was cleared by its number'), 10))
  clearTimeout(undefined)
  clearTimeout(before.setTimeout(() => assert.fail('it was cleared'), 1))
  {
    using _ = setTimeout(() => assert.fail('it was left'), 10)
  }
  await clock.advance(1000)
})

clocked('one that another clears is not called; what one throws is thrown when all have been called', async (clock) => {
  const called: string[] = []
  setTimeout(() => {
    clearTimeout(second)
    throw new RangeError('first')
  }, 10)
  const second = setTimeout(() => void called.push('second'), 20)
  setTimeout(() => void called.push('third'), 30)
  await assert.rejects(clock.advance(100), /first/)
  assert.deepEqual(called, ['third'])
})

clocked('what follows from a timer has had its turn', async (clock) => {
  const done: string[] = []
  setTimeout(async () => {
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    done.push('after promises')
    setTimeout(() => done.push('too early'), 10)
  }, 10)
  await clock.advance(1000)
  assert.deepEqual(done, ['after promises'])
})

test('it is one at a time, and gives back what it took', async () => {
  const clock = useClock()
  assert.throws(() => useClock(), /in use already/)
  await assert.rejects(clock.advance(-1), RangeError)
  const left = new Promise<void>((resolve) => setTimeout(resolve, 1000))
  await clock.advance(995)
  clock.restore()
  clock.restore()
  assert.deepEqual({ setTimeout, clearTimeout, setInterval, clearInterval, Date, now: performance.now }, before)
  await assert.rejects(clock.advance(1), /given back/)
  await left
  useClock().restore()
})
