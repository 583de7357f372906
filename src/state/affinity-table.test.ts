import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { AffinityTable } from './affinity-table.ts'
import { regions, ways } from './layout.ts'
import { createSharedState, Memory } from './memory.ts'
import { OwnerState } from './owner-state.ts'

const now = 2_000_000_000
let buffer: SharedArrayBuffer
let table: AffinityTable
let other: AffinityTable

beforeEach(() => {
  buffer = createSharedState({ workers: 2, slots: 16, pools: 1, listeners: 1, affinityTables: 2, affinitySets: 4 })
  table = new AffinityTable(buffer, 0)
  other = new AffinityTable(buffer, 1)
})

test('a binding is seen by all workers, in its table only, until it ends', () => {
  assert.equal(table.lookup(0, 0xffffffff, 0x80000000, now), -1)
  assert.ok(table.bind(0, 0xffffffff, 0x80000000, 7, 60, now))
  assert.equal(other.lookup(0, 0xffffffff, 0x80000000, now + 59), 7)
  assert.equal(other.lookup(0, 0xffffffff, 0x80000000, now + 60), -1)
  assert.equal(other.lookup(1, 0xffffffff, 0x80000000, now), -1)
  assert.equal(other.lookup(0, 0xffffffff, 0x80000004, now), -1)
  assert.equal(other.lookup(0, 0xfffffffe, 0x80000000, now), -1)
})

test('slot 0 can be bound; binding again renews and moves', () => {
  table.bind(0, 1, 1, 0, 60, now)
  assert.equal(table.lookup(0, 1, 1, now), 0)
  other.bind(0, 1, 1, 0, 60, now + 50)
  assert.equal(table.lookup(0, 1, 1, now + 100), 0)
  other.bind(0, 1, 1, 3, 60, now + 50)
  assert.equal(table.lookup(0, 1, 1, now + 100), 3)
})

test('it is bounded: in a full set the binding that ends first makes room, an ended one before it', () => {
  for (let i = 0; i < ways; i++) table.bind(0, i, 4, i, i === 5 ? 60 : 70 + i, now)
  table.bind(0, 100, 4, 9, 60, now + 1)
  assert.equal(table.lookup(0, 100, 4, now + 1), 9)
  for (let i = 0; i < ways; i++) assert.equal(table.lookup(0, i, 4, now + 1), i === 5 ? -1 : i)
})

test('a freed slot is forgotten, so that the next backend there does not inherit its clients', () => {
  const owner = new OwnerState(buffer)
  const slot = owner.claimSlot()
  table.bind(0, 1, 1, slot, 60, now)
  table.bind(1, 2, 2, slot + 1, 60, now)
  owner.freeSlot(slot)
  assert.equal(table.lookup(0, 1, 1, now), -1)
  assert.equal(table.lookup(1, 2, 2, now), slot + 1)
})

test('the lock of a dead worker costs new bindings of that set only, at once, until it is given back', () => {
  const memory = new Memory(buffer)
  table.bind(0, 5, 1, 5, 60, now)
  // Worker 1 stops in the middle of an insertion into set 1.
  const { affinityLock, worker } = regions
  memory.i32[memory.base32('affinityLock') + affinityLock.rowBytes / 4 + affinityLock.at.holder] = 2
  memory.i32[memory.base32('worker') + worker.rowBytes / 4 + worker.at.affinityLock] = 2
  assert.equal(table.bind(0, 9, 1, 9, 60, now), false)
  assert.equal(table.lookup(0, 5, 1, now), 5)
  assert.ok(table.bind(0, 5, 1, 6, 60, now))
  assert.ok(table.bind(0, 9, 2, 9, 60, now))
  new OwnerState(buffer).reclaimWorker(1)
  assert.ok(table.bind(0, 9, 1, 9, 60, now))
  assert.equal(table.lookup(0, 9, 1, now), 9)
})
