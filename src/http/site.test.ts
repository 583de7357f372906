import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerSpec, listenerTlsSpec, poolSpec, snapshotOf } from '../../test/support/control-kit.ts'
import type { ClientAuthSpec, ListenerSpec, ListenerTlsSpec } from '../core/spec.ts'
import { noPlugins } from '../plugins/registry.ts'
import { LiveBackends } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { Pool } from '../pool/pool.ts'
import { createSharedState } from '../state/memory.ts'
import { WorkerState } from '../state/worker-state.ts'
import { Destinations } from './route/destination.ts'
import { buildSites } from './site.ts'

const names = { subject: 'x-cert-subject', san: null, fingerprint: 'x_cert_fingerprint' }

const clientAuth = (headers: ClientAuthSpec['headers']): ClientAuthSpec => ({
  mode: 'optional',
  ca: '',
  crl: null,
  headers,
})

function listener(name: string, tls: Partial<ListenerTlsSpec> | null): ListenerSpec {
  return listenerSpec({ name, tls: tls === null ? null : listenerTlsSpec([], tls) })
}

function sites(...listeners: ListenerSpec[]) {
  const pool = poolSpec([])
  const snapshot = { ...snapshotOf([pool]), listeners }
  const state = new WorkerState(createSharedState({ workers: 1, slots: 1 }), 0)
  const plane = { state, plugins: noPlugins } as unknown as PlaneContext
  const pools = new Map([['default', new Pool(pool, state, new LiveBackends(state, 1))]])
  const destinations = new Destinations({ pools, changed: new Map(), limits: snapshot.limits, state })
  const built = buildSites({ snapshot, destinations, routes: [], isTrusted: () => false }, plane)
  return listeners.map(({ name }) => built.get(name))
}

test('a field that one listener tells is reserved on all of them, and told on that one', () => {
  const [told, plain] = sites(listener('a', { clientAuth: clientAuth(names) }), listener('b', null))
  for (const site of [told!, plain!]) {
    assert.deepEqual([...site.headLimits.reserved], ['x-cert-subject', 'x-cert-fingerprint'])
  }
  assert.equal(told!.headLimits.certificateNames, names)
  assert.equal(plain!.headLimits.certificateNames, null)
})

test('where certificates are asked for and not told of, nothing is reserved', () => {
  const none = { subject: null, san: null, fingerprint: null }
  const [site] = sites(listener('a', { clientAuth: clientAuth(none) }))
  assert.equal(site!.headLimits.reserved.size, 0)
  assert.equal(site!.headLimits.certificateNames, null)
})

test('what frames a message is read, whatever a configuration calls its fields', () => {
  const headers = { subject: 'content_length', san: 'transfer_encoding', fingerprint: 'x-cert' }
  const [site] = sites(listener('a', { clientAuth: clientAuth(headers) }))
  assert.deepEqual([...site!.headLimits.reserved], ['x-cert'])
})

test('Strict-Transport-Security belongs to the listener that has it', () => {
  const [secure, silent, plain] = sites(listener('a', { hsts: 'max-age=1' }), listener('b', {}), listener('c', null))
  assert.equal(secure!.hsts, 'Strict-Transport-Security: max-age=1\r\n')
  assert.equal(silent!.hsts, '')
  assert.equal(plain!.hsts, '')
})

test('listeners of one pool read its answers by the same rules, so that a parsed head serves them all', () => {
  const [first, second] = sites(listener('a', {}), listener('b', null))
  assert.equal(first!.implicit!.destination!.responseRules, second!.implicit!.destination!.responseRules)
})
