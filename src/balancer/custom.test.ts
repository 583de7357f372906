import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bed, countPicks, createBed, newSelection } from '../../test/support/balancing-bed.ts'
import type { CustomStrategy, StrategyBackend, StrategyInput } from '../core/plugin.ts'
import { Flag } from '../state/owner-state.ts'
import { customStrategy } from './custom.ts'
import type { Picker } from './strategy.ts'

interface Built {
  readonly picker: Picker
  readonly faults: string[]
  readonly input: StrategyInput
}

/** `choose` gets what `build` gets, and the request. */
function build(bed: Bed, choose: (input: StrategyInput) => unknown, options: unknown = {}): Built {
  const faults: string[] = []
  let input: StrategyInput | undefined
  const strategy = {
    build(given: StrategyInput) {
      input = given
      return choose(given)
    },
  } as CustomStrategy
  const own = customStrategy({ strategy, options, onFault: (error) => void faults.push(String(error)) })
  const picker = own.build({ backends: bed.backends, cursor: 0, state: bed.worker })
  return { picker, faults, input: input! }
}

test('it sees what is configured and what happens now, over all workers', () => {
  const bed = createBed([2, 1, 0], { maxConnections: 1 })
  const { input } = build(bed, () => () => undefined, { zone: 'a' })
  const [a, b, none] = input.backends as [StrategyBackend, StrategyBackend, StrategyBackend]
  assert.deepEqual(
    [a.url, a.weight, a.maxConnections, a.backup, a.active, a.latencyMs, a.available],
    [bed.backends[0]!.url, 2, 1, false, 0, 0, true],
  )
  assert.deepEqual(input.options, { zone: 'a' })
  assert.equal(none.available, false, 'weight 0 takes no traffic')
  bed.worker.enter(0, 1)
  assert.deepEqual([a.active, a.available, b.available], [1, false, true])
  bed.worker.leave(0)
  bed.owner.setFlag(0, Flag.PROBE_DOWN)
  assert.equal(a.available, false)
  bed.worker.backendFinished(1, 200, 25_000)
  assert.ok(b.latencyMs > 0 && b.latencyMs <= 25, String(b.latencyMs))
  assert.deepEqual([input.state.ticket(), input.state.ticket(), bed.worker.ticket(0)], [0, 1, 2])
})

test('what it is shown cannot be changed', () => {
  const { input } = build(createBed(2), () => () => undefined)
  const backends = input.backends as StrategyBackend[]
  assert.throws(() => Object.assign(backends[0]!, { weight: 5 }), TypeError)
  assert.throws(() => backends.pop(), TypeError)
})

test('a choice that is not available or was tried counts as none, without a word', () => {
  const bed = createBed(2)
  const { picker, faults } = build(
    bed,
    ({ backends }) =>
      () =>
        backends[0],
  )
  assert.equal(picker.pick(newSelection()), bed.backends[0])
  assert.equal(picker.pick({ hash: 0, tried: [0] }), undefined)
  bed.owner.setFlag(0, Flag.DRAINING)
  assert.equal(picker.pick(newSelection()), undefined)
  assert.deepEqual(faults, [])
})

test('none is none: undefined and null', () => {
  for (const nothing of [undefined, null]) {
    const { picker, faults } = build(createBed(1), () => () => nothing)
    assert.equal(picker.pick(newSelection()), undefined)
    assert.deepEqual(faults, [])
  }
})

test('something that is none of its backends counts as none, and is told of', () => {
  const bed = createBed(2)
  const other = build(createBed(2), () => () => undefined).input.backends[0]
  for (const foreign of [{ ...other }, other, bed.backends[0], 'http://10.0.0.0:8080', 0, Symbol('x')]) {
    const { picker, faults } = build(bed, () => () => foreign)
    assert.equal(picker.pick(newSelection()), undefined)
    assert.match(faults.join(), /none of the backends it was built with/)
  }
  const { picker, faults } = build(bed, () => async () => assert.fail('nobody waits for this'))
  assert.equal(picker.pick(newSelection()), undefined)
  assert.match(faults.join(), /it gave a promise: a choice is made at once/)
})

test('it is told the hash of the client and what was tried', () => {
  const bed = createBed(3)
  const { picker } = build(bed, ({ backends }) => (request: Parameters<ReturnType<CustomStrategy['build']>>[0]) => {
    const first = request.hash % backends.length
    return [0, 1, 2].map((i) => backends[(first + i) % 3]!).find((backend) => !request.tried(backend))
  })
  assert.equal(picker.pick(newSelection(4)), bed.backends[1])
  assert.equal(picker.pick({ hash: 4, tried: [1] }), bed.backends[2])
  assert.equal(picker.pick({ hash: 4, tried: [1, 2] }), bed.backends[0])
  assert.deepEqual(
    countPicks(picker, bed, 300).map((n) => n > 60),
    [true, true, true],
  )
})

test('what it throws is thrown by the pick; the next goes on', () => {
  const bed = createBed(1)
  let calls = 0
  const { picker } = build(bed, ({ backends }) => () => {
    if (calls++ === 0) throw new RangeError('first')
    return backends[0]
  })
  assert.throws(() => picker.pick(newSelection()), RangeError)
  assert.equal(picker.pick(newSelection()), bed.backends[0])
})

test('a build that gives no function is an error of building', () => {
  assert.throws(() => build(createBed(1), () => undefined), /build\(\) gave no function/)
})
