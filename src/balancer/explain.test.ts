// What strategies say they would do is what they do next; and saying it changes nothing.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type Bed, createBed, newSelection, seededRandom } from '../../test/support/balancing-bed.ts'
import type { StrategyName } from '../core/spec.ts'
import { Flag } from '../state/flags.ts'
import type { Picker } from './strategy.ts'
import { strategies } from './table.ts'
import { tiers } from './wrap/tiers.ts'

const names = Object.keys(strategies) as StrategyName[]
const byChance = new Set<StrategyName>(['power-of-two', 'least-time', 'random'])

const backend = fc.record({
  weight: fc.constantFrom(0, 1, 1, 2, 5),
  down: fc.boolean(),
  active: fc.nat(3),
  latencyUs: fc.constantFrom(0, 500, 2000),
})
const scene = fc.record({
  backends: fc.array(backend, { minLength: 1, maxLength: 6 }),
  backups: fc.nat(2),
  maxConnections: fc.constantFrom(0, 0, 2),
  drawn: fc.nat(9),
  hash: fc.nat(2 ** 32 - 1),
  tried: fc.nat(2),
})
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never

function bedOf({ backends, backups, maxConnections, drawn }: Scene): Bed {
  const bed = createBed(
    backends.map(({ weight }) => weight),
    { maxConnections, backups },
  )
  for (const [slot, { down, active, latencyUs }] of backends.entries()) {
    if (down) bed.owner.setFlag(slot, Flag.PROBE_DOWN)
    for (let i = 0; i < active; i++) bed.worker.enter(slot, 0)
    if (latencyUs > 0) bed.worker.backendFinished(slot, 200, latencyUs)
  }
  for (let i = 0; i < drawn; i++) bed.worker.ticket(0)
  return bed
}

for (const name of names) {
  it(`${name}: whom it explains as next is whom it picks`, () => {
    fc.assert(
      fc.property(scene, (given) => {
        const bed = bedOf(given)
        const input = { backends: bed.backends, cursor: 0, state: bed.worker, random: seededRandom(given.hash) }
        const picker: Picker = tiers(strategies[name], input)
        const selection = newSelection(given.hash)
        for (let slot = 0; slot < given.tried; slot++) selection.tried.push(slot)
        for (let round = 0; round < 6; round++) {
          const before = bed.worker.nextTicket(0)
          const { next, scores, draws } = picker.explain(selection)
          assert.equal(bed.worker.nextTicket(0), before, 'a ticket was drawn')
          const picked = picker.pick(selection)
          assert.equal(bed.worker.nextTicket(0), (before + draws) >>> 0)
          if (picked === undefined) assert.deepEqual(next, [])
          else assert.ok(next.includes(picked), `${picked.url} is not among ${next.map(({ url }) => url)}`)
          if (!byChance.has(name)) assert.ok(next.length <= 1)
          for (const one of next) assert.ok(scores.has(one.slot))
        }
      }),
    )
  })
}

it('of two by chance, everybody is told who may win, and nobody else', () => {
  for (const name of ['power-of-two', 'random'] as const) {
    const bed = createBed(3)
    for (const [slot, active] of [0, 1, 2].entries()) for (let i = 0; i < active; i++) bed.worker.enter(slot, 0)
    const picker = strategies[name].build({ backends: bed.backends, cursor: 0, state: bed.worker })
    const { next } = picker.explain(newSelection())
    const picked = new Set(Array.from({ length: 500 }, () => picker.pick(newSelection())))
    assert.deepEqual(new Set(next), picked)
    assert.equal(next.length, name === 'random' ? 3 : 2)
  }
})

it('scores say who comes when', () => {
  const bed = createBed([5, 1, 1])
  const scoresOf = (name: StrategyName): number[] => {
    const picker = strategies[name].build({ backends: bed.backends, cursor: 0, state: bed.worker })
    return [...picker.explain(newSelection()).scores.values()]
  }
  assert.deepEqual(scoresOf('round-robin'), [0, 2, 4])
  bed.worker.ticket(0)
  assert.deepEqual(scoresOf('round-robin'), [0, 1, 3])
  for (let i = 0; i < 5; i++) bed.worker.enter(0, 0)
  bed.worker.enter(2, 0)
  assert.deepEqual(scoresOf('least-conn'), [1, 0, 1])
  assert.deepEqual(scoresOf('first'), [0, 1, 2])
  assert.deepEqual(scoresOf('random'), [5, 1, 1])
})
