import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ring, type RingMember } from './ring.ts'

const members = (n: number, weight = 1): RingMember[] =>
  Array.from({ length: n }, (_, i) => ({ name: `http://10.0.0.${i}:80`, weight }))

const keys = 20_000
const ownersOf = (ring: Ring): number[] => Array.from({ length: keys }, (_, key) => ring.owner(ring.find(key)))

test('find: the first point at or after the key, the first of all after the last', () => {
  const ring = Ring.build(members(1))
  assert.equal(ring.length, 160)
  const found = new Set(Array.from({ length: keys }, (_, key) => ring.find(key)))
  assert.equal(found.size, 160)
  assert.ok([...found].every((at) => at >= 0 && at < 160))
})

test('removing one of n moves the keys that it had and no other, to all that are left', () => {
  const all = members(10)
  const before = ownersOf(Ring.build(all))
  const after = ownersOf(Ring.build(all.filter((_, i) => i !== 4)))
  let moved = 0
  const heirs = new Set<number>()
  before.forEach((owner, key) => {
    const now = after[key]! >= 4 ? after[key]! + 1 : after[key]!
    if (owner !== 4) assert.equal(now, owner)
    else {
      moved++
      heirs.add(now)
    }
  })
  assert.ok(moved > keys * 0.07 && moved < keys * 0.13, `${moved}`)
  assert.equal(heirs.size, 9)
})

test('a filtered ring is the ring without the members left out', () => {
  const all = members(6)
  const keep = Uint8Array.of(1, 1, 0, 1, 0, 1)
  const names = [0, 1, 3, 5]
  const filtered = ownersOf(Ring.build(all).filter(keep))
  const built = ownersOf(Ring.build(names.map((i) => all[i]!))).map((i) => names[i]!)
  assert.deepEqual(filtered, built)
})

test('points in proportion to weight', () => {
  const ring = Ring.build([{ name: 'a', weight: 3 }, ...members(1), { name: 'none', weight: 0 }])
  assert.equal(ring.length, 640)
  const share = ownersOf(ring).filter((owner) => owner === 0).length / keys
  assert.ok(share > 0.68 && share < 0.82, `${share}`)
})

test('10,000 members: bounded, built in a moment, nobody left out', () => {
  const all = Array.from({ length: 10_000 }, (_, i) => ({ name: `http://host-${i}`, weight: 1 + (i % 50) }))
  const start = performance.now()
  const ring = Ring.build(all)
  assert.ok(performance.now() - start < 1000)
  assert.ok(ring.length <= 2 ** 18)
  assert.equal(new Set(Array.from({ length: ring.length }, (_, at) => ring.owner(at))).size, 10_000)
})
