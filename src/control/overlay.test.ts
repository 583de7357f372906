import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { differences } from './differences.ts'
import { type ConfiguredPools, mergeOverlay, pruneOverlay, withAdded, withPatched, withRemoved } from './overlay.ts'
import type { Overlay } from './store/state-document.ts'

const plain = { weight: 1, maxConnections: 0, backup: false }
const configured: ConfiguredPools = new Map([
  [
    'default',
    [
      { url: 'http://a', ...plain, weight: 5 },
      { url: 'http://b', ...plain },
    ],
  ],
])
const shown = (overlay: Overlay, from = configured): string[] =>
  (mergeOverlay(from, overlay).get('default') ?? []).map(
    ({ url, weight, maxConnections, backup, state }) =>
      `${url} ${weight} ${maxConnections}${backup ? ' backup' : ''}${state === 'up' ? '' : ` ${state}`}`,
  )
const at = (url: string) => ({ pool: 'default', url })

describe('overlay', () => {
  it('adds, patches and removes over what is configured', () => {
    let overlay = withAdded(configured, {}, at('http://c'), { weight: 2 })
    overlay = withPatched(overlay, at('http://a'), { maxConnections: 9, state: 'drain' })
    overlay = withPatched(overlay, at('http://c'), { backup: true })
    overlay = withRemoved(configured, overlay, 'default', 'http://b')
    assert.deepEqual(shown(overlay), ['http://a 5 9 drain', 'http://c 2 0 backup'])
  })

  it('is empty again after everything was undone', () => {
    let overlay = withAdded(configured, {}, at('http://c'), {})
    overlay = withRemoved(configured, overlay, 'default', 'http://c')
    overlay = withPatched(overlay, at('http://a'), { state: 'disabled' })
    overlay = withPatched(overlay, at('http://a'), { state: 'up' })
    overlay = withRemoved(configured, overlay, 'default', 'http://b')
    overlay = withAdded(configured, overlay, at('http://b'), {})
    assert.deepEqual(overlay, {})
  })

  it('gives a removed configured backend back with its configured settings, and with new ones where they are named', () => {
    const removed = withRemoved(configured, {}, 'default', 'http://a')
    assert.deepEqual(shown(withAdded(configured, removed, at('http://a'), {})), ['http://a 5 0', 'http://b 1 0'])
    assert.deepEqual(shown(withAdded(configured, removed, at('http://a'), { weight: 2 })), [
      'http://a 2 0',
      'http://b 1 0',
    ])
  })

  it('drops what another configuration makes meaningless and keeps the rest', () => {
    let overlay = withAdded(configured, {}, at('http://c'), { weight: 7 })
    overlay = withRemoved(configured, overlay, 'default', 'http://b')
    overlay = withPatched(overlay, at('http://a'), { weight: 9 })
    const next: ConfiguredPools = new Map([['default', [{ url: 'http://c', ...plain }]]])
    const pruned = pruneOverlay(next, { ...overlay, other: { added: {}, removed: ['http://x'], patched: {} } })
    assert.deepEqual(pruned.overlay, { default: { added: {}, removed: [], patched: { 'http://c': { weight: 7 } } } })
    assert.equal(pruned.dropped.length, 1)
    assert.deepEqual(shown(pruned.overlay, next), ['http://c 7 0'])
  })

  it('forgets a backend that no longer fits the kind of its pool, and says so', () => {
    let overlay = withAdded(configured, {}, at('http://c'), {})
    overlay = withAdded(configured, overlay, at('unix:/c'), {})
    const next: ConfiguredPools = new Map([['default', [{ url: 'tcp://a:1', ...plain }]]])
    const pruned = pruneOverlay(next, overlay)
    assert.deepEqual(shown(pruned.overlay, next), ['tcp://a:1 1 0', 'unix:/c 1 0'])
    assert.match(pruned.dropped.join(), /^backend http:\/\/c was added to pool default, .* is forgotten$/)
    const sockets: ConfiguredPools = new Map([['default', [{ url: 'unix:/a', ...plain }]]])
    assert.deepEqual(pruneOverlay(sockets, overlay), { overlay, dropped: [] })
  })

  it('is not confused by pools named like properties of objects', () => {
    const odd: ConfiguredPools = new Map([['constructor', [{ url: 'http://a', ...plain }]]])
    assert.equal(mergeOverlay(odd, {}).get('constructor')?.length, 1)
    const overlay = withRemoved(odd, {}, 'constructor', 'http://a')
    assert.equal(mergeOverlay(odd, overlay).get('constructor')?.length, 0)
  })

  it('tells the differences in words', () => {
    let overlay = withAdded(configured, {}, at('http://c'), {})
    overlay = withRemoved(configured, overlay, 'default', 'http://b')
    overlay = withPatched(overlay, at('http://a'), { weight: 1 })
    assert.deepEqual(differences(mergeOverlay(configured, {}), mergeOverlay(configured, overlay)), [
      'pool default: http://a weight 5 → 1',
      'pool default: added http://c',
      'pool default: removed http://b',
    ])
  })
})
