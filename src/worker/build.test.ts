// What a change leaves as it is stays the same object, with all that it remembers; and what is built is not in force before it
// is swapped in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  backendSpec,
  cacheSpec,
  listenerSpec,
  poolSpec,
  routeSpec,
  snapshotOf,
} from '../../test/support/control-kit.ts'
import type { Snapshot } from '../core/spec.ts'
import { registryOf } from '../plugins/values.ts'
import { LiveBackends } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { createSharedState } from '../state/memory.ts'
import { WorkerState } from '../state/worker-state.ts'
import { type Built, build } from './build.ts'
import type { OpenCache } from './open-cache.ts'
import { sharing } from './snapshot-delta.ts'

/** Each step that is made has a number of its own. */
function countingPlugin(url: string) {
  let made = 0
  const middleware = { count: () => ({ name: `made ${++made}`, onRequest() {} }) }
  const spec = { kind: 'plugin', url, label: './count.ts' } as const
  return {
    spec,
    values: { middleware: new Map(Object.entries(middleware)), strategies: new Map(), matchers: new Map() },
  }
}

class Host {
  readonly state = new WorkerState(createSharedState({ workers: 1 }), 0)
  readonly live = new LiveBackends(this.state, 100)
  plugins = registryOf([countingPlugin('file:///1') as never])
  cache: OpenCache | null = null
  built: Built | null = null

  make(snapshot: Snapshot): Built {
    const plane = { state: this.state, plugins: this.plugins, pluginFailed() {} } as unknown as PlaneContext
    const next = this.built === null ? snapshot : sharing(this.built.snapshot, structuredClone(snapshot))
    return build(next, { plane, live: this.live, cache: this.cache, ticketKeys: new Map() }, this.built)
  }

  adopt(snapshot: Snapshot): Built {
    const built = this.make(snapshot)
    this.live.update(built.snapshot.pools, built.contexts)
    for (const [pool, parts] of built.changed) pool.adopt(parts)
    built.destinations.commit()
    this.built = built
    return built
  }
}

const use = [{ ref: { name: 'count', options: {} }, place: 'routes[0].use[0]' }]
const plugins = [{ kind: 'plugin', url: 'file:///1', label: './count.ts' } as const]
const base: Snapshot = {
  ...snapshotOf([poolSpec([backendSpec(0, 80)]), poolSpec([backendSpec(1, 81)], { name: 'other', cursor: 1 })]),
  listeners: [listenerSpec({ name: 'a' }), listenerSpec({ name: 'b', row: 1, pool: 'other' })],
  routes: [
    routeSpec({ paths: ['/a'] }, { name: 'a', use }),
    routeSpec({ paths: ['/b'] }, { name: 'b', action: { kind: 'pool', pool: 'other' } }),
    routeSpec({ paths: ['/c'] }, { name: 'c', timeouts: { firstByteMs: 7 } }),
  ],
  plugins,
}
const [first, second] = base.pools as [Snapshot['pools'][number], Snapshot['pools'][number]]

test('other backends: pools, routes and sites are the same objects, and find the new ones once it is in force', () => {
  const host = new Host()
  const before = host.adopt(base)
  const change = { ...base, pools: [{ ...first, backends: [backendSpec(2, 90)] }, second], generation: 2 }
  const made = host.make(change)
  const pool = before.pools.get('default')!
  assert.equal(pool.spec.backends[0]!.port, 80, 'not in force yet')
  assert.equal(made.routes, before.routes)
  for (const name of ['a', 'b']) assert.equal(made.sites.get(name), before.sites.get(name))
  const after = host.adopt(change)
  assert.equal(after.pools.get('default'), pool)
  assert.equal(pool.spec.backends[0]!.port, 90)
  assert.equal(after.changed.size, 1)
  assert.equal(after.routes[0]!.destination!.pool, pool)
})

test('other settings of a pool: its routes go by them, with what is their own on top; other pools’ do not notice', () => {
  const host = new Host()
  const before = host.adopt(base)
  const [a, b, c] = before.routes
  const elsewhere = b!.destination!.timeouts
  const rules = a!.destination!.responseRules
  const timeouts = { ...first.timeouts, firstByteMs: 1234, idleMs: 5678 }
  host.adopt({ ...base, pools: [{ ...first, timeouts, hostHeader: 'backend' }, second], generation: 2 })
  assert.equal(host.built!.routes, before.routes)
  assert.deepEqual([a!.destination!.timeouts.firstByteMs, a!.destination!.hostHeader], [1234, 'backend'])
  assert.deepEqual([c!.destination!.timeouts.firstByteMs, c!.destination!.timeouts.idleMs], [7, 5678])
  assert.equal(b!.destination!.timeouts, elsewhere)
  assert.equal(a!.destination!.responseRules, rules, 'parsed heads stay good')
  const implicit = before.sites.get('a')!.implicit!
  assert.equal(implicit.destination, a!.destination, 'routes that change nothing share one')
})

test('a route that comes or changes leaves the others, with the state of their steps', () => {
  const host = new Host()
  const before = host.adopt(base)
  const more = routeSpec({ paths: ['/d'] }, { name: 'd' })
  const [a, b, c] = base.routes
  const after = host.adopt({ ...base, routes: [more, c!, { ...b!, bodySize: 10 }, a!], generation: 2 })
  assert.deepEqual(
    after.routes.map(({ name }) => name),
    ['d', 'c', 'b', 'a'],
  )
  assert.equal(after.routes[3], before.routes[0])
  assert.equal(after.routes[1], before.routes[2])
  assert.equal(after.routes[2]!.bodySize, 10)
})

test('other rows or limits: the route is told, its steps stay', () => {
  const host = new Host()
  const before = host.adopt(base)
  const limits = { ...base.limits, bodySize: 99 }
  const routes = base.routes.map((route) => ({ ...route, rows: [5, 6] }))
  const after = host.adopt({ ...base, limits, routes, generation: 2 })
  const [a] = after.routes
  assert.deepEqual([a!.rows, a!.bodySize], [[5, 6], 99])
  assert.equal(a!.steps, before.routes[0]!.steps)
  assert.notEqual(after.sites.get('a'), before.sites.get('a'))
})

test('another version of a plug-in: only routes that use it are built again', () => {
  const host = new Host()
  const before = host.adopt(base)
  host.plugins = registryOf([countingPlugin('file:///2') as never])
  const after = host.adopt({ ...base, plugins: [{ ...plugins[0]!, url: 'file:///2' }], generation: 2 })
  assert.notEqual(after.routes[0]!.steps, before.routes[0]!.steps)
  assert.equal(after.routes[1], before.routes[1])
})

test('another memory for cached answers: only routes that cache are built again', () => {
  const host = new Host()
  const [a, b, c] = base.routes
  const caching = { ...base, routes: [{ ...a!, cache: cacheSpec() }, b!, c!] }
  const before = host.adopt(caching)
  host.cache = { memory: { id: 2, buffer: host.state.buffer } } as OpenCache
  const after = host.adopt({ ...caching, generation: 2 })
  assert.notEqual(after.routes[0], before.routes[0])
  assert.equal(after.routes[1], before.routes[1])
  assert.equal(after.cache, host.cache)
  assert.equal(host.adopt({ ...caching, generation: 3 }).routes, after.routes)
})

test('a pool that becomes one of another kind is another pool: what is under way at the old one does not find it', () => {
  const host = new Host()
  const before = host.adopt(base)
  const tcp = { ...second, kind: 'tcp' as const, backends: [backendSpec(3, 70, { pool: 'other', protocol: 'tcp' })] }
  const routes = base.routes.filter(({ name }) => name !== 'b')
  const listeners = [base.listeners[0]!, { ...base.listeners[1]!, protocol: 'tcp' as const }]
  const after = host.adopt({ ...base, pools: [first, tcp], routes, listeners, generation: 2 })
  assert.notEqual(after.pools.get('other'), before.pools.get('other'))
  assert.equal(before.pools.get('other')!.spec.kind, 'http')
})

test('what cannot be built changes nothing', () => {
  const host = new Host()
  const before = host.adopt(base)
  const pools = [{ ...first, timeouts: { ...first.timeouts, idleMs: 1 } }, second]
  const routes = [
    ...base.routes,
    routeSpec({ paths: ['/x'] }, { name: 'x', action: { kind: 'pool', pool: 'nowhere' } }),
  ]
  assert.throws(() => host.make({ ...base, pools, routes, generation: 2 }), /there is no pool nowhere/)
  assert.equal(before.pools.get('default')!.spec, host.built!.snapshot.pools[0])
  assert.notEqual(before.routes[0]!.destination!.timeouts.idleMs, 1)
})
