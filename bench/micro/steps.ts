// What a route with middleware pays for each request beyond the middleware itself: the record that hooks see, and the
// calls. Target: 0.5 µs with a synchronous `onRequest`.
import type { Middleware } from '../../src/core/plugin.ts'
import type { RequestHead } from '../../src/http/http1/request-head.ts'
import type { Hook } from '../../src/http/steps/hooks.ts'
import { RequestRecord } from '../../src/http/steps/request-record.ts'
import { StepCaller } from '../../src/http/steps/step-caller.ts'
import { TimerWheel } from '../../src/util/timer-wheel.ts'
import type { Benchmark } from './measure.ts'

const head = {
  method: 'GET',
  target: '/api/users/17?x=1',
  host: 'www.example.com',
  fields: { lookup: 'Host: www.example.com\r\nX-Tenant: blue\r\n', cookie: '' },
} as unknown as RequestHead
const client = { address: '127.0.0.1', port: 40000, trusted: false, isSecure: false, tls: null }
const about = { route: 'api', listener: 'web', trafficRow: 1, host: head.host, path: '/api/users/17', query: '?x=1' }
const params = {}

const owner = {
  stepWaits() {},
  stepFailed() {},
  guarded: (call: () => void) => call(),
}
const wheel = new TimerWheel()
/** What is done with the result, so that it is worth something. */
const passed = { count: 0 }

const hookOf = (middleware: Middleware): Hook<RequestRecord> => ({
  label: 'step',
  timeoutMs: 1000,
  mayAnswer: true,
  call: middleware.onRequest!.bind(middleware),
})
const nothing = [hookOf({ onRequest() {} })]
const reading = [
  hookOf({
    onRequest(request) {
      if (request.header('x-tenant') === 'blue') request.setHeader('X-Pool', 'blue')
    },
  }),
]

function serve(hooks: readonly Hook<RequestRecord>[], id: string): void {
  const record = new RequestRecord({ head, client, id, params, rest: 'users/17', ...about })
  new StepCaller(owner, wheel).call(hooks, record, (answer) => {
    if (answer === undefined) passed.count++
  })
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'step: onRequest that does nothing, with its record',
    run(times) {
      for (let i = 0; i < times; i++) serve(nothing, 'id')
    },
  },
  {
    name: 'step: onRequest that reads and sets a field',
    run(times) {
      for (let i = 0; i < times; i++) serve(reading, 'id')
    },
  },
]
