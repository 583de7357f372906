import assert from 'node:assert/strict'
import { it } from 'node:test'
import { firstState, withBackends } from '../../store/state.ts'
import { backendStats } from '../../store/stats-fixture.ts'
import { type ListOptions, listPools } from './backend-list.ts'

const all: ListOptions = { text: '', state: 'all', pool: '', sort: 'order', descending: false }
const rest = { protocol: 'http', max_connections: 0, backup: false, connections: 0 }
const views = [
  { ...backendStats('http://a', { pool: 'api', weight: 1 }), ...rest },
  { ...backendStats('http://b', { pool: 'web', state: 'down', alive: false }), ...rest },
  { ...backendStats('http://c', { pool: 'api', weight: 3, state: 'draining' }), ...rest },
]
const backends = [...withBackends(firstState, views, 0).backends!.values()]
const pools = ['web', 'api', 'empty'].map((name) => ({
  name,
  kind: 'http',
  strategy: 'round-robin',
  sticky: null,
  backends: 0,
  alive: 0,
  current_connections: 0,
  requests: 0,
  errors: 0,
  retries: 0,
  health_check: null,
}))

function words(options: Partial<ListOptions>): string[] {
  return listPools(backends, pools, { ...all, ...options }).items.map((item) =>
    item.kind === 'backend' ? item.backend.url : `${item.kind} ${item.name}`,
  )
}

it('pools in their order, each with its backends; one without any says so', () => {
  assert.deepEqual(words({}), ['pool web', 'http://b', 'pool api', 'http://a', 'http://c', 'pool empty', 'none empty'])
})

it('filters by text, state and pool', () => {
  assert.deepEqual(words({ pool: 'api', text: '//C' }), ['pool api', 'http://c'])
  assert.deepEqual(words({ state: 'troubled', pool: 'web' }), ['pool web', 'http://b'])
  assert.deepEqual(words({ state: 'disabled', pool: 'web' }), ['pool web', 'none web'])
  const { shown, total } = listPools(backends, pools, { ...all, state: 'troubled' })
  assert.deepEqual([shown, total], [2, 3])
})

it('sorts within a pool', () => {
  assert.deepEqual(words({ pool: 'api', sort: 'weight', descending: true }), ['pool api', 'http://c', 'http://a'])
  assert.deepEqual(words({ pool: 'api', sort: 'state' }), ['pool api', 'http://c', 'http://a'])
})
