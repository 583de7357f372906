// What the limits of a route cost a request that they let through, and one that they refuse.
import type { Middleware, RequestView } from '../../src/core/plugin.ts'
import type { KeySpec, RateLimitSpec } from '../../src/core/route-spec.ts'
import { concurrency } from '../../src/http/middleware/concurrency/concurrency.ts'
import { networks } from '../../src/http/middleware/networks/networks.ts'
import { rateLimit } from '../../src/http/middleware/rate-limit/rate-limit.ts'
import { createSharedState } from '../../src/state/memory.ts'
import { WorkerState } from '../../src/state/worker-state.ts'
import type { Benchmark } from './measure.ts'

const state = new WorkerState(createSharedState({ workers: 1, slots: 1 }), 0)
const deps = { state, row: () => 0 }

/** Requests of a thousand clients, as cheap as can be: what is measured is the step. */
const requests = Array.from({ length: 1024 }, (_, i): RequestView => {
  const address = i % 4 === 3 ? `2001:db8:${i.toString(16)}::1` : `192.0.${i >> 8}.${i & 255}`
  const key = `key-${i}`
  const view = { client: { address }, state: new Map(), headers: () => [key], cookie: () => key }
  return view as unknown as RequestView
})

let id = 1
const spec = (count: number, key: KeySpec): RateLimitSpec => {
  return { name: 'bench', key, count, periodMs: 1000, burst: count, id: id++, tell: true }
}
const plenty = 1_000_000

function onRequest(name: string, step: Middleware, after?: (request: RequestView) => void): Benchmark {
  return {
    name: `step ${name}`,
    run(times) {
      for (let i = 0; i < times; i++) {
        const request = requests[i & 1023]!
        step.onRequest!(request)
        after?.(request)
      }
    },
  }
}

const busy = concurrency({ key: { by: 'ip' }, max: 100, id: id++ }, deps)
const end = { status: 200, durationMs: 1, backend: '', attempts: 1, error: '' }
const question = { nowUs: 0, intervalUs: 1, toleranceUs: 1e6 }

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'state rateTake',
    run(times) {
      question.nowUs = state.nowUs()
      for (let i = 0; i < times; i++) {
        question.nowUs += 2
        state.rateTake(i & 1023, i & 1023, question)
      }
    },
  },
  {
    name: 'state rateTake of a new key',
    run(times) {
      for (let i = 0; i < times; i++) state.rateTake(i, Math.imul(i, 0x9e3779b1), question)
    },
  },
  {
    name: 'state nowUs',
    run(times) {
      for (let i = 0; i < times; i++) state.nowUs()
    },
  },
  onRequest('rate_limit by ip', rateLimit([spec(plenty, { by: 'ip' })], deps)),
  onRequest('rate_limit by header', rateLimit([spec(plenty, { by: 'header', name: 'x-key' })], deps)),
  onRequest('rate_limit by all', rateLimit([spec(plenty, { by: 'all' })], deps)),
  onRequest('rate_limit by ip, refused', rateLimit([spec(1, { by: 'ip' })], deps)),
  onRequest('concurrency by ip, with its end', busy, (request) => busy.onFinish!({ request, ...end })),
  onRequest('networks', networks(['192.0.0.0/16', '2001:db8::/32'], ['10.0.0.0/8'])),
]
