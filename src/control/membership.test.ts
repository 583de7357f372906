import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { FakePort, poolSpec, snapshotOf } from '../../test/support/control-kit.ts'
import { deferred, until, within } from '../../test/support/wait.ts'
import { parseBackendUrl } from '../config/backend-url.ts'
import { loadConfig } from '../config/load.ts'
import { silentLog } from '../core/log.ts'
import { Flag } from '../state/flags.ts'
import { Material } from './certificates/material.ts'
import { type Asked, Changes, type Follower } from './changes.ts'
import { ControlError, type ControlErrorKind } from './control-error.ts'
import { Membership } from './membership.ts'
import { openState } from './opening.ts'
import { type Compile, Roster } from './roster.ts'
import { type FileSystem, nodeFileSystem } from './store/file-system.ts'
import { StateStore } from './store/state-store.ts'

const a = 'http://10.0.0.1'
const b = 'http://10.0.0.2'
const c = 'http://10.0.0.3'
const asked: Asked = { by: 'test', cause: 'test' }

/** Pools by name, each a list of backends as files have them. */
type Pools = Readonly<Record<string, readonly unknown[]>>
const configured: Pools = { default: [a, b] }

const compile: Compile = (pools, { generation, slotOf }) =>
  snapshotOf(
    [...pools].map(([name, backends]) =>
      poolSpec(
        backends.map(({ state: _, drainEndsAt: __, ...rest }) => ({
          ...parseBackendUrl(rest.url),
          ...rest,
          pool: name,
          slot: slotOf(name, rest.url),
        })),
        { name, kind: name.startsWith('db') ? 'tcp' : 'http' },
      ),
    ),
    generation,
  )

const noFollower: Follower = { prepare: async () => ({ commit() {}, abandon: async () => {} }) }

const fails = (kind: ControlErrorKind) => (error: unknown) => error instanceof ControlError && error.kind === kind

describe('Membership', () => {
  let folder: string
  let path: string
  let port: FakePort
  let membership: Membership
  let failing: string | null
  let count = 0
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (name, flags) => {
      if (failing !== null) throw Object.assign(new Error(failing), { code: failing })
      return nodeFileSystem.open(name, flags)
    },
  }
  let changes: Changes
  let roster: Roster
  const start = async (pools: Pools = configured): Promise<void> => {
    const tcp = Object.keys(pools).filter((name) => name.startsWith('db'))
    const file = {
      listeners: [
        { name: 'web', listen: ':80', pool: 'default' },
        ...tcp.map((name, i) => ({ name, listen: `:${5000 + i}`, protocol: 'tcp', pool: name })),
      ],
      pools: Object.fromEntries(Object.entries(pools).map(([name, backends]) => [name, { backends }])),
      state_file: path,
    }
    const loaded = loadConfig({ value: file })
    const { store, kept, now } = await openState({ loaded, log: silentLog, fileSystem })
    roster = new Roster({ port, onFlags: () => {}, onDeparted: () => {} })
    const material = new Material()
    const certificates = { material, read: async () => ({ material, refusals: [] }), adopt() {} }
    const parts = { port, log: silentLog, store, kept, now, roster, certificates, follower: noFollower }
    changes = new Changes({ ...parts, compile: () => compile, onChange: () => {} })
    membership = new Membership({ changes, roster, log: silentLog })
  }
  const stop = async (): Promise<void> => {
    roster.departures.close()
    await changes.close()
  }
  const urls = (): string[] => membership.snapshot.pools[0]!.backends.map(({ url }) => url)
  const slot = (url: string): number => membership.snapshot.pools[0]!.backends.find((x) => x.url === url)!.slot

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'frontdesk-membership-'))
  })
  after(() => rm(folder, { recursive: true }))
  beforeEach(() => {
    path = join(folder, `${(count += 1)}.json`)
    port = new FakePort(16)
    failing = null
  })
  afterEach(() => stop())

  it('starts with what is configured, unknown and available', async () => {
    await start()
    assert.deepEqual(urls(), [a, b])
    assert.equal(port.state.flags(slot(a)), Flag.UNKNOWN)
    assert.equal(port.state.isAvailable(slot(b)), true)
  })

  it('adds: on disk and at the workers before it answers; two at once give one duplicate', async () => {
    await start()
    const both = await Promise.allSettled([
      membership.add({ url: c }, { weight: 3 }, asked),
      membership.add({ url: c }, {}, asked),
    ])
    assert.equal(both[0].status, 'fulfilled')
    assert.ok(both[1].status === 'rejected' && fails('duplicate')(both[1].reason))
    assert.deepEqual(
      port.applied.map(({ generation }) => generation),
      [2],
    )
    assert.equal(port.applied[0]?.pools[0]?.backends[2]?.weight, 3)
    await stop()
    await start()
    assert.deepEqual(urls(), [a, b, c])
    assert.equal(membership.revision, 2)
  })

  it('adds one that gets nothing before it is said to be up, after a restart neither', async () => {
    await start()
    await membership.add({ url: c }, { state: 'disabled' }, asked)
    assert.equal(port.state.isAvailable(slot(c)), false)
    await stop()
    await start()
    assert.equal(port.state.isAvailable(slot(c)), false)
    assert.equal(port.state.isAvailable(slot(b)), true)
    await membership.patch({ url: c }, { state: 'up' }, asked)
    assert.equal(port.state.isAvailable(slot(c)), true)
  })

  it('refuses a backend of another kind than the pool: nothing is written', async () => {
    await start()
    await assert.rejects(membership.add({ url: 'tcp://10.0.0.3:5432' }, {}, asked), (error) => {
      assert.ok(fails('invalid')(error))
      assert.match((error as ControlError).errors[0]!.message, /pool default is an HTTP pool/)
      return true
    })
    assert.deepEqual(port.applied, [])
    await membership.add({ url: 'unix:/run/c.sock' }, {}, asked)
    assert.deepEqual(urls(), [a, b, 'unix:/run/c.sock'])
  })

  it('finds the pool of a new backend by what it speaks, where that is clear', async () => {
    const db = 'tcp://10.0.0.8:5432'
    const two = { ...configured, db: ['tcp://10.0.0.9:5432'] }
    await start(two)
    assert.equal((await membership.add({ url: db }, {}, asked)).pool, 'db')
    assert.equal((await membership.add({ url: c }, {}, asked)).pool, 'default')
    await stop()
    port = new FakePort()
    path = join(folder, `${(count += 1)}.json`)
    await start({ ...two, db2: ['tcp://10.0.0.9:5432'] })
    await assert.rejects(membership.add({ url: db }, {}, asked), (error) => {
      assert.match((error as ControlError).errors[0]!.message, /several pools: name one of db, db2$/)
      return true
    })
  })

  it('changes weight, limit and state, and says what is unknown or unclear', async () => {
    const two = { ...configured, other: [a] }
    await start(two)
    await assert.rejects(membership.patch({ url: a }, { weight: 2 }, asked), fails('invalid'))
    await assert.rejects(membership.patch({ url: c }, { weight: 2 }, asked), fails('not-found'))
    await assert.rejects(membership.patch({ url: a, pool: 'no' }, { weight: 2 }, asked), fails('not-found'))
    await membership.patch({ url: a, pool: 'default' }, { weight: 2, max_connections: 7, state: 'drain' }, asked)
    assert.equal(port.state.isAvailable(slot(a)), false)
    assert.equal(port.state.isUsableWhenBound(slot(a)), true)
    await membership.patch({ url: a, pool: 'default' }, { state: 'disabled' }, asked)
    assert.equal(port.state.flags(slot(a)) & (Flag.DRAINING | Flag.DISABLED), Flag.DISABLED)
    const revision = membership.revision
    await membership.patch({ url: a, pool: 'default' }, { state: 'disabled' }, asked)
    assert.equal(membership.revision, revision, 'nothing was different')
    await stop()
    port = new FakePort(16)
    await start(two)
    assert.equal(port.state.flags(slot(a)) & Flag.DISABLED, Flag.DISABLED, 'a restart keeps it')
    assert.equal(membership.snapshot.pools[0]?.backends[0]?.maxConnections, 7)
    await membership.patch({ url: a, pool: 'default' }, { state: 'up' }, asked)
    assert.equal(port.state.isAvailable(slot(a)), true)
  })

  it('removes at once where nothing is open, and gives the slot back', async () => {
    await start()
    const at = slot(a)
    const removal = await membership.remove({ url: a }, 30_000, asked)
    assert.deepEqual([removal.state, removal.inFlight], ['removed', 0])
    assert.deepEqual(urls(), [b])
    assert.deepEqual(port.cut, [at], 'idle connections are closed')
    await until('the slot is free', () => port.state.flags(at) === Flag.REMOVED)
    assert.equal(port.state.claimSlot(), at)
    await assert.rejects(membership.remove({ url: a }, 0, asked), fails('not-found'))
  })

  it('drains: new requests stop at once, the ones in flight finish', async () => {
    await start()
    const at = slot(a)
    port.worker.enter(at, 0)
    port.worker.enter(at, 0)
    const removal = await membership.remove({ url: a }, 30_000, asked)
    assert.ok(removal.state === 'draining')
    assert.equal(removal.inFlight, 2)
    assert.equal(port.state.isAvailable(at) || port.state.isUsableWhenBound(at), false)
    assert.deepEqual(
      membership.departing().map(({ backend }) => backend.url),
      [a],
    )
    port.worker.leave(at)
    port.worker.leave(at)
    assert.equal(await within('the drain', removal.departure.done), true)
    assert.deepEqual(membership.departing(), [])
  })

  it('cuts what is still open when the drain time is over', async () => {
    await start()
    const at = slot(a)
    port.worker.enter(at, 0)
    const removal = await membership.remove({ url: a }, 30, asked)
    assert.ok(removal.state === 'draining')
    await within('the cut', removal.departure.done)
    assert.equal(port.cut[0], at)
    assert.equal(port.state.active(at), 0)
  })

  it('hurries a drain that is asked for again', async () => {
    await start()
    port.worker.enter(slot(a), 0)
    await membership.remove({ url: a }, 30_000, asked)
    const again = await membership.remove({ url: a }, 0, asked)
    if (again.state === 'draining') await within('the cut', again.departure.done)
    assert.deepEqual(membership.departing(), [])
  })

  it('takes a draining backend back in its slot, with its settings', async () => {
    await start()
    await membership.add({ url: c }, { weight: 4 }, asked)
    const at = slot(c)
    port.worker.enter(at, 0)
    const removal = await membership.remove({ url: c }, 30_000, asked)
    assert.ok(removal.state === 'draining')
    const back = await membership.add({ url: c }, {}, asked)
    assert.deepEqual([back.slot, back.weight], [at, 4])
    assert.equal(await removal.departure.done, false)
    assert.equal(port.state.flags(at), Flag.UNKNOWN)
    port.worker.leave(at)
    assert.deepEqual(port.cut, [])
  })

  it('does not lose a backend that finishes draining in the middle of being taken back', async () => {
    await start()
    const at = slot(a)
    port.worker.enter(at, 0)
    await membership.remove({ url: a }, 30_000, asked)
    const held = deferred()
    port.onApply = () => held.promise
    const back = membership.add({ url: a }, {}, asked)
    await until('the change is on its way', () => port.state.flags(at) !== 0)
    port.worker.leave(at)
    let turns = 0
    await until('some polls have passed', () => (turns += 1) > 3000)
    held.resolve()
    assert.equal((await back).slot, at)
    assert.deepEqual(port.cut, [])
    assert.equal(port.state.isAvailable(at), true)
  })

  for (const [code, kind] of [
    ['ENOSPC', 'no-space'],
    ['EIO', 'failed'],
  ] as const) {
    it(`changes nothing when the disk says ${code}`, async () => {
      await start()
      failing = code
      await assert.rejects(membership.add({ url: c }, {}, asked), fails(kind))
      await assert.rejects(membership.remove({ url: a }, 0, asked), fails(kind))
      await assert.rejects(membership.patch({ url: a }, { state: 'disabled' }, asked), fails(kind))
      assert.deepEqual(urls(), [a, b])
      assert.deepEqual([port.applied.length, membership.revision], [0, 1])
      assert.equal(port.state.isAvailable(slot(a)), true)
      failing = null
      await membership.add({ url: c }, {}, asked)
      assert.equal(slot(c), 2, 'the slot of the failed attempt was given back')
    })
  }

  it('goes back when a worker cannot take the change', async () => {
    await start()
    await membership.patch({ url: b }, { weight: 2 }, asked)
    port.onPrepare = ({ generation }) => {
      if (generation === 3) throw new Error('worker 1 is gone')
    }
    await assert.rejects(membership.remove({ url: a }, 0, asked), fails('unavailable'))
    assert.deepEqual(urls(), [a, b])
    assert.equal(port.state.isAvailable(slot(a)), true)
    assert.equal(port.applied.at(-1)?.generation, 2)
    const { document } = await StateStore.open({ path, log: silentLog })
    assert.equal(document?.revision, 2)
  })

  it('answers when no slot is left', async () => {
    port = new FakePort(3)
    await start()
    await membership.add({ url: c }, {}, asked)
    await assert.rejects(membership.add({ url: 'http://10.0.0.4' }, {}, asked), fails('no-space'))
    assert.deepEqual(urls(), [a, b, c])
  })

  it('keeps the order of changes asked for at once', async () => {
    await start()
    const many = Array.from({ length: 10 }, (_, i) => `http://10.0.1.${i}`)
    await Promise.all(many.map((url) => membership.add({ url }, {}, asked)))
    assert.deepEqual(urls(), [a, b, ...many])
    assert.deepEqual(
      port.applied.map(({ generation }) => generation),
      many.map((_, i) => i + 2),
    )
  })
})
