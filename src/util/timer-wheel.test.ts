import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Timed, TimerWheel } from './timer-wheel.ts'

class Probe extends Timed {
  fired: number[] = []
  readonly wheel: TimerWheel
  also: (() => void) | null = null
  constructor(wheel: TimerWheel) {
    super()
    this.wheel = wheel
  }
  onDeadline(): void {
    this.fired.push(this.wheel.now)
    this.also?.()
  }
}

test('fires once, at or within one tick after the deadline', () => {
  const wheel = new TimerWheel({ tickMs: 10, buckets: 16 })
  const probe = new Probe(wheel)
  wheel.arm(probe, 95)
  for (let now = 1; now <= 400; now++) wheel.advance(now)
  assert.equal(probe.fired.length, 1)
  assert.ok(probe.fired[0]! >= 96 && probe.fired[0]! <= 110, String(probe.fired))
})

test('a deadline moved later, earlier, disarmed, beyond one turn of the wheel', () => {
  const wheel = new TimerWheel({ tickMs: 10, buckets: 16 })
  const [later, earlier, off, far] = [new Probe(wheel), new Probe(wheel), new Probe(wheel), new Probe(wheel)]
  wheel.arm(later, 50)
  wheel.arm(later, 90)
  wheel.arm(earlier, 90)
  wheel.arm(earlier, 20)
  wheel.arm(off, 30)
  wheel.arm(off, 0)
  wheel.arm(far, 1000)
  for (let now = 1; now <= 1200; now++) wheel.advance(now)
  assert.ok(later.fired[0]! >= 91 && later.fired[0]! <= 110)
  assert.ok(earlier.fired[0]! >= 21 && earlier.fired[0]! <= 40)
  assert.deepEqual(off.fired, [])
  assert.ok(far.fired[0]! >= 1001 && far.fired[0]! <= 1020)
  assert.deepEqual(
    [later, earlier, far].map((probe) => probe.fired.length),
    [1, 1, 1],
  )
})

test('a callback may re-arm itself and remove its neighbours', () => {
  const wheel = new TimerWheel({ tickMs: 10, buckets: 16 })
  const probes = Array.from({ length: 4 }, () => new Probe(wheel))
  for (const probe of probes) wheel.arm(probe, 20)
  probes[0]!.also = () => {
    wheel.remove(probes[1]!)
    wheel.remove(probes[3]!)
    if (probes[0]!.fired.length < 3) wheel.arm(probes[0]!, 20)
  }
  for (let now = 1; now <= 200; now++) wheel.advance(now)
  assert.deepEqual(
    probes.map((probe) => probe.fired.length),
    [3, 0, 1, 0],
  )
})

test('a long stall fires everything that is due, once', () => {
  const wheel = new TimerWheel({ tickMs: 10, buckets: 16 })
  const probes = Array.from({ length: 50 }, (_, index) => {
    const probe = new Probe(wheel)
    wheel.arm(probe, 10 + index * 7)
    return probe
  })
  wheel.advance(100_000)
  assert.ok(probes.every((probe) => probe.fired.length === 1))
})
