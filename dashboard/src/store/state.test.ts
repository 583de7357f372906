import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { BackendView } from '../api/types.ts'
import { firstState, keyOf, type State, whyReadOnly, withBackends, withEvent, withHello, withStats } from './state.ts'
import { backendStats, statsAt } from './stats-fixture.ts'

const view = (url: string, more: Partial<BackendView> = {}): BackendView => ({
  ...backendStats(url),
  protocol: 'http',
  max_connections: 0,
  backup: false,
  connections: 0,
  ...more,
})

const listed = (...urls: string[]): State =>
  withBackends(
    firstState,
    urls.map((url) => view(url)),
    0,
  )
const stateOf = (state: State, url: string): string | undefined =>
  state.backends?.get(keyOf({ pool: 'default', url }))?.state
const down = {
  type: 'backend_down',
  at: '2026-11-21T15:00:00Z',
  pool: 'default',
  backend: 'http://a',
  cause: 'ECONNREFUSED',
}

it('a backend goes down with its event, not with the next second', () => {
  const state = withEvent(listed('http://a', 'http://b'), 'i-1', down)
  assert.equal(stateOf(state, 'http://a'), 'down')
  assert.equal(stateOf(state, 'http://b'), 'up')
  assert.equal(state.backends!.get('default http://a')!.last_check!.reason, 'ECONNREFUSED')
})

it('a list that was asked for before the event does not bring the old state back', () => {
  const before = listed('http://a')
  const flipped = withEvent(before, 'i-1', down)
  assert.equal(stateOf(withBackends(flipped, [view('http://a')], before.tick), 'http://a'), 'down')
  assert.equal(stateOf(withBackends(flipped, [view('http://a')], flipped.tick), 'http://a'), 'up')
})

it('what an administrator said of a backend stands above its checks', () => {
  const drained = withBackends(firstState, [view('http://a', { state: 'draining' })], 0)
  assert.equal(stateOf(withEvent(drained, 'i-1', down), 'http://a'), 'draining')
})

it('statistics change those that they name, bring all at first, and take away what is gone', () => {
  const full = withStats(
    firstState,
    statsAt(1, { full: true, backends: [backendStats('http://a'), backendStats('http://b')] }),
  )
  assert.equal(full.backends!.size, 2)
  const next = withStats(full, statsAt(2, { backends: [backendStats('http://b', { rate: 7 })] }))
  assert.equal(next.backends!.get('default http://b')!.rate, 7)
  assert.equal(
    next.backends!.get('default http://a'),
    full.backends!.get('default http://a'),
    'the same object: not drawn again',
  )
  const gone = withStats(next, statsAt(3, { removed: [{ pool: 'default', url: 'http://a' }] }))
  assert.deepEqual([...gone.backends!.keys()], ['default http://b'])
  assert.equal(withStats(gone, statsAt(4)).backends, gone.backends, 'nothing new, nothing drawn')
})

it('rates stay when the list is read again', () => {
  const state = withStats(listed('http://a'), statsAt(1, { backends: [backendStats('http://a', { rate: 9 })] }))
  assert.equal(
    withBackends(state, [view('http://a', { weight: 5 })], state.tick).backends!.get('default http://a')!.rate,
    9,
  )
})

it('an event that comes again after a new connect is not told twice', () => {
  const once = withEvent(firstState, 'i-1', down)
  assert.equal(withEvent(once, 'i-1', down), once)
  assert.equal(withEvent(once, 'j-1', down).events.length, 2)
})

it('another process begins its counters anew', () => {
  const hello = { instance: 'a', revision: 1, version: '1', at: '2026-11-21T15:00:00Z' }
  const state = withStats(withHello(firstState, hello), statsAt(1))
  assert.notEqual(withHello(state, { ...hello, revision: 2 }).stats, null)
  assert.equal(withHello(state, { ...hello, instance: 'b' }).stats, null)
})

it('says why nothing may be changed', () => {
  const as = (role: 'full' | 'read' | 'none'): State => ({
    ...firstState,
    link: { state: 'live' },
    who: { who: 'x', role, token_required: true },
  })
  assert.equal(whyReadOnly(as('full')), null)
  assert.match(whyReadOnly(as('read'))!, /only read/)
  assert.match(whyReadOnly(as('none'))!, /Sign in/)
  assert.match(
    whyReadOnly({ ...as('full'), link: { state: 'lost', cause: 'x', since: 0, retryAt: null } })!,
    /not answer/,
  )
})
