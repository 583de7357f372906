import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CustomStrategy } from '../core/plugin.ts'
import { simulate } from './simulate.ts'

const two = ['http://a', 'http://b']

test('strategies of our own by their names: turns are exact, weights are kept', () => {
  assert.deepEqual(simulate('round-robin', { backends: two }).counts, { 'http://a': 500, 'http://b': 500 })
  const weighted = simulate('round-robin', { backends: [{ url: 'http://a', weight: 3 }, 'http://b'], requests: 400 })
  assert.deepEqual([weighted.share('http://a'), weighted.none], [0.75, 0])
  const first = simulate('first', {
    backends: [{ url: 'http://a', maxConnections: 2 }, 'http://b'],
    requests: 100,
    concurrent: 3,
  })
  assert.ok(first.counts['http://a']! > 0 && first.counts['http://b']! > 0, JSON.stringify(first.counts))
  const hashed = simulate('ip-hash', { backends: two, requests: 50, hash: () => 7 })
  assert.equal(new Set(hashed.choices).size, 1)
})

test('one of yours, with its options, and backends that go down and come up', () => {
  const preferred: CustomStrategy<{ url: string }> = {
    build({ backends, options, state }) {
      const best = backends.find(({ url }) => url === options.url)
      return () => (best?.available ? best : backends[state.ticket() % backends.length])
    },
  }
  const { choices, counts, none } = simulate(preferred, {
    backends: [...two, { url: 'http://c', available: false }],
    options: { url: 'http://b' },
    requests: 10,
    before(request, backends) {
      if (request === 5) backends.down('http://b')
      if (request === 8) backends.up('http://b')
    },
  })
  assert.deepEqual(choices.slice(0, 5), Array(5).fill('http://b'))
  assert.deepEqual(choices.slice(5), ['http://a', '', '', 'http://b', 'http://b'])
  assert.deepEqual([counts['http://c'], none], [0, 2])
})

test('it sees what is in flight and how long backends take', () => {
  const fastest: CustomStrategy = {
    build:
      ({ backends }) =>
      () =>
        backends.toSorted((a, b) => a.latencyMs - b.latencyMs)[0],
  }
  const slow = { url: 'http://slow', latencyMs: 200 }
  assert.equal(simulate(fastest, { backends: [slow, { url: 'http://fast', latencyMs: 5 }] }).share('http://fast'), 1)
  const idle: CustomStrategy = {
    build:
      ({ backends }) =>
      () =>
        backends.toSorted((a, b) => a.active - b.active)[0],
  }
  const { counts } = simulate(idle, {
    backends: [{ url: 'http://busy', active: 5 }, 'http://b'],
    requests: 5,
    concurrent: 10,
  })
  assert.deepEqual(counts, { 'http://busy': 0, 'http://b': 5 })
})

test('what it does wrong is thrown', () => {
  assert.throws(() => simulate({ build: () => () => ({}) as never }, { backends: two }), /none of the backends/)
  const throwing: CustomStrategy = {
    build: () => () => {
      throw new RangeError('mine')
    },
  }
  assert.throws(() => simulate(throwing, { backends: two }), /mine/)
  assert.throws(() => simulate({ build: () => 1 as never }, { backends: two }), /gave no function/)
  const greedy: CustomStrategy = {
    build:
      ({ backends }) =>
      () =>
        backends[0],
  }
  assert.throws(
    () => simulate('first', { backends: two, before: (_, backends) => backends.down('http://x') }),
    /no backend http:\/\/x/,
  )
  assert.equal(
    simulate(greedy, { backends: [{ url: 'http://a', maxConnections: 1 }], concurrent: 5, requests: 3 }).none,
    2,
  )
})
