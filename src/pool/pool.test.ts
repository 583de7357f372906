import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainBackendTls } from '../../test/support/control-kit.ts'
import { errors } from '../core/errors.ts'
import type { BackendSpec, PoolSpec } from '../core/spec.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import { WorkerState } from '../state/worker-state.ts'
import { Lease } from './lease.ts'
import { LiveBackends } from './live-backend.ts'
import { Pool } from './pool.ts'

const backend = (slot: number, pool: string, url: string): BackendSpec => ({
  slot,
  pool,
  url,
  protocol: 'http',
  host: '127.0.0.1',
  port: 80,
  socketPath: null,
  basePath: '',
  authority: '127.0.0.1',
  weight: 1,
  maxConnections: 0,
  backup: false,
})

const poolOf = (name: string, backends: readonly BackendSpec[]): PoolSpec => ({
  name,
  kind: 'http',
  tls: plainBackendTls,
  sendProxyProtocol: null,
  cursor: 0,
  strategy: 'round-robin',
  customStrategy: null,
  hashKey: { by: 'uri' },
  sticky: null,
  backends,
  healthCheck: null,
  passiveHealth: { maxFails: 0, windowMs: 0, ejectMs: 0 },
  timeouts: { connectMs: 0, firstByteMs: 0, idleMs: 0, totalMs: 0, tunnelMs: 0 },
  retries: { attempts: 0, onConnect: false, onReset: false, onStatus: [], budgetRatio: 0, budgetMin: 0 },
  keepalive: { maxIdle: 0, idleTimeoutMs: 0 },
  hostHeader: 'preserve',
  hideHeaders: [],
})

test('a pool of an old snapshot never reaches the backend that got the slot of one of its own', () => {
  const buffer = createSharedState({ workers: 1, slots: 8 })
  const owner = new OwnerState(buffer)
  const state = new WorkerState(buffer, 0)
  const live = new LiveBackends(state, 100)
  const old = backend(owner.claimSlot(), 'p', 'http://a')
  live.update([poolOf('p', [old])])
  const pool = new Pool(poolOf('p', [old]), state, live)
  const lease = pool.acquire({ hash: 0, tried: [] }, undefined)
  assert.ok(lease instanceof Lease)
  lease.release()
  live.update([])
  owner.freeSlot(old.slot)
  const other = backend(owner.claimSlot(), 'q', 'http://b')
  assert.equal(other.slot, old.slot)
  live.update([poolOf('q', [other])])
  for (const bound of [undefined, old]) {
    const answer = pool.acquire({ hash: 0, tried: [] }, bound)
    assert.ok(!(answer instanceof Lease), 'it took a place at a backend of another pool')
    assert.equal(answer.status, errors.no_backend.status)
  }
  assert.equal(state.active(other.slot), 0)
})
