import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { TestRequest } from '../../../../test/support/request-view.ts'
import type { FinishView, Middleware, RequestView } from '../../../core/plugin.ts'
import { createSharedState } from '../../../state/memory.ts'
import { OwnerState } from '../../../state/owner-state.ts'
import { WorkerState } from '../../../state/worker-state.ts'
import { isRefusal } from '../refusal.ts'
import { concurrency } from './concurrency.ts'

let buffer: SharedArrayBuffer
let steps: Middleware[]

beforeEach(() => {
  buffer = createSharedState({ workers: 2, slots: 1, pools: 1, listeners: 1, concurrencySets: 4 })
  const spec = { key: { by: 'ip' }, max: 2, id: 1 } as const
  steps = [0, 1].map((id) => concurrency(spec, { state: new WorkerState(buffer, id), row: () => 0 }))
})

const from = (address: string): TestRequest => new TestRequest({ client: { address } })
const begins = (worker: number, request: RequestView): boolean => steps[worker]!.onRequest!(request) === undefined
const ends = (worker: number, request: RequestView): void => {
  const end: FinishView = { request, status: 200, durationMs: 1, backend: '', attempts: 1, error: '' }
  steps[worker]!.onFinish!(end)
}

test('so many requests at once over all workers, by client; each gives its place back once', () => {
  const requests = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map(from)
  assert.deepEqual(
    requests.map((request, i) => begins(i % 2, request)),
    [true, true, false, true],
  )
  ends(0, requests[2]!)
  assert.equal(begins(0, from('192.0.2.1')), false, 'the refused one had no place')
  ends(0, requests[0]!)
  ends(0, requests[0]!)
  assert.deepEqual([begins(1, from('192.0.2.1')), begins(1, from('192.0.2.1'))], [true, false])
})

test('a place is given back whatever other steps do with what they keep of a request', () => {
  const request = from('192.0.2.1')
  for (let i = 0; i < 5; i++) {
    assert.ok(begins(0, request))
    request.state.clear()
    ends(0, request)
  }
})

test('the refusal is a 429 that is counted', () => {
  for (let i = 0; i < 2; i++) begins(0, from('192.0.2.1'))
  const answer = steps[0]!.onRequest!(from('192.0.2.1'))
  assert.ok(answer !== undefined && 'status' in answer! && isRefusal(answer))
  assert.deepEqual([answer.status, answer.error.name], [429, 'concurrency_limited'])
  assert.deepEqual(answer.headers, { 'Retry-After': '1' })
  assert.equal(new OwnerState(buffer).trafficTotals(0).rateLimited, 1)
})

test('what a dead worker held is free again', () => {
  for (let i = 0; i < 2; i++) begins(0, from('192.0.2.1'))
  assert.equal(begins(1, from('192.0.2.1')), false)
  new OwnerState(buffer).reclaimWorker(0)
  assert.ok(begins(1, from('192.0.2.1')))
})
