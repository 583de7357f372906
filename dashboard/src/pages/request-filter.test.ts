import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RequestView } from '../api/types.ts'
import { type Filters, matches, noFilter, queryOf } from './request-filter.ts'

const request: RequestView = {
  time: '2026-11-21T12:00:00.000Z',
  listener: 'web',
  client: '192.0.2.7',
  protocol: 'HTTP/1.1',
  method: 'GET',
  host: 'example.com',
  target: '/api/users?id=1',
  status: 404,
  bytes_received: 0,
  bytes_sent: 12,
  duration_ms: 33,
  connect_ms: null,
  route: 'api',
  pool: 'api',
  backend: 'http://10.0.0.1:3000',
  attempts: 2,
  cache: 'miss',
  failures: [{ backend: 'http://10.0.0.2:3000', error: 'connect', code: 'ECONNREFUSED' }],
  error: '',
}
const passes = (some: Partial<Filters>, of: RequestView = request): boolean => matches(of, { ...noFilter, ...some })

it('a filter is as the API would judge', () => {
  const yes: Partial<Filters>[] = [
    {},
    { path: '/api' },
    { status: '4xx' },
    { status: '500, 400-404' },
    { method: 'get ' },
    { backend: 'http://10.0.0.1:3000/' },
    { backend: 'http://10.0.0.2:3000' },
    { min_ms: '33' },
    { cache: 'miss' },
  ]
  const no: Partial<Filters>[] = [
    { path: '/app' },
    { status: '5xx' },
    { status: '405-499' },
    { method: 'POST' },
    { backend: 'http://10.0.0.3:3000' },
    { min_ms: '33.1' },
    { errors: true },
    { cache: 'hit' },
    { path: '/api', status: '200' },
  ]
  for (const some of yes) assert.equal(passes(some), true, JSON.stringify(some))
  for (const some of no) assert.equal(passes(some), false, JSON.stringify(some))
  assert.equal(passes({ errors: true }, { ...request, status: 503 }), true)
  assert.equal(passes({ errors: true }, { ...request, error: 'client_gone' }), true)
})

it('a status that is only begun hides nothing', () => {
  assert.equal(passes({ status: '5' }), true)
  assert.equal(passes({ status: '5x' }), true)
})

it('a connection has neither path nor status', () => {
  const { method: _method, target: _target, status: _status, ...connection } = request
  assert.equal(passes({ path: '/' }, connection), false)
  assert.equal(passes({ status: '2xx' }, connection), false)
  assert.equal(passes({ min_ms: '10' }, connection), true)
})

it('what is asked for has only what was filled in', () => {
  assert.deepEqual(queryOf({ ...noFilter, path: ' /a ', errors: true }), { path: '/a', errors: '1' })
  assert.deepEqual(queryOf(noFilter), {})
})
