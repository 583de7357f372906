// `hash` and `ip-hash` are one picker; the ring has its own tests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, newSelection, pickerOf } from '../../../test/support/balancing-bed.ts'
import type { BackendSpec } from '../../core/spec.ts'
import { hash32 } from '../../util/hash32.ts'
import type { Picker } from '../strategy.ts'
import { strategies } from '../table.ts'

const hashes = Array.from({ length: 6000 }, (_, i) => hash32(`10.1.${i >> 8}.${i & 255}`))
const choices = (picker: Picker): (BackendSpec | undefined)[] => hashes.map((hash) => picker.pick(newSelection(hash)))

test('the same key goes to the same backend, in every worker and whatever the order of the backends', () => {
  const bed = createBed(5)
  const here = choices(pickerOf(bed, 'hash'))
  assert.deepEqual(choices(pickerOf(bed, 'ip-hash', [...bed.backends].reverse())), here)
})

test('in proportion to weight', () => {
  const bed = createBed([2, 1, 1])
  const counts = countPicks(pickerOf(bed, 'hash'), bed, 8000)
  ;[4000, 2000, 2000].forEach((expected, i) => {
    assert.ok(Math.abs(counts[i]! - expected) < expected * 0.2, `${counts}`)
  })
})

test('removing one of n moves its keys and no other', () => {
  const bed = createBed(8)
  const before = choices(pickerOf(bed, 'hash'))
  const after = choices(pickerOf(bed, 'hash', bed.backends.slice(1)))
  const moved = before.filter((backend, i) => backend !== after[i])
  assert.ok(moved.every((backend) => backend === bed.backends[0]))
  assert.ok(moved.length > 6000 / 8 / 1.4 && moved.length < (6000 / 8) * 1.4, `${moved.length}`)
})

for (const state of ['down', 'full', 'tried'] as const) {
  test(`the keys of one that is ${state} spread over all others and come back to it`, () => {
    const bed = createBed(5, { maxConnections: 1 })
    const picker = pickerOf(bed, 'hash')
    const before = choices(picker)
    if (state === 'down') bed.owner.setFlag(1, 1)
    if (state === 'full') bed.worker.enter(1, 1)
    const tried = state === 'tried' ? [1] : []
    const heirs = new Map<BackendSpec, number>()
    hashes.forEach((hash, i) => {
      const now = picker.pick({ hash, tried })!
      if (before[i] !== bed.backends[1]) assert.equal(now, before[i])
      else heirs.set(now, (heirs.get(now) ?? 0) + 1)
    })
    assert.equal(heirs.size, 4)
    for (const n of heirs.values()) assert.ok(n > 6000 / 5 / 4 / 2, `${[...heirs.values()]}`)
    if (state === 'down') bed.owner.clearFlag(1, 1)
    if (state === 'full') bed.worker.leave(1)
    assert.deepEqual(choices(picker), before)
  })
}

test('each says what it must be given', () => {
  assert.equal(strategies.hash.needs, 'request')
  assert.equal(strategies['ip-hash'].needs, 'client-address')
  for (const strategy of Object.values(strategies))
    if (!strategy.name.endsWith('hash')) assert.equal(strategy.needs, 'nothing')
})
