// What the compiler knows of the public API; judged by `npm run check`, since types are gone when tests run.
import { test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import {
  type ApplyResult,
  type BackendDownEvent,
  type BackendStatus,
  type Backends,
  type BoundListener,
  type ConfigFile,
  createFrontdesk,
  type DroppedEvent,
  defineConfig,
  definePlugin,
  type Frontdesk,
  type FrontdeskConfig,
  type FrontdeskError,
  type FrontdeskEvent,
  type ListenError,
  type LogEvent,
  type StatusDocument,
  type StopReason,
} from 'frontdesk'

test('createFrontdesk takes an object or a file, and gives what await using can close', () => {
  expectTypeOf(createFrontdesk).parameter(0).toEqualTypeOf<FrontdeskConfig | ConfigFile>()
  expectTypeOf(createFrontdesk).parameter(1).exclude<undefined>().toHaveProperty('log')
  expectTypeOf(createFrontdesk).returns.resolves.toEqualTypeOf<Frontdesk>()
  expectTypeOf<Frontdesk>().toExtend<AsyncDisposable>()
  // @ts-expect-error not both
  const both: Parameters<typeof createFrontdesk>[0] = { file: 'config.json', prot: 8080 }
  // @ts-expect-error a port is a number
  const port: Parameters<typeof createFrontdesk>[0] = { port: '8080' }
  expectTypeOf([both, port]).toBeArray()
})

test('what a Frontdesk gives', () => {
  expectTypeOf<Frontdesk['start']>().returns.resolves.toBeVoid()
  expectTypeOf<Frontdesk['listeners']>().toEqualTypeOf<readonly BoundListener[]>()
  expectTypeOf<Frontdesk['status']>().returns.toEqualTypeOf<StatusDocument>()
  expectTypeOf<Frontdesk['apply']>().returns.resolves.toEqualTypeOf<ApplyResult>()
  expectTypeOf<Frontdesk['close']>().returns.resolves.toEqualTypeOf<StopReason>()
  expectTypeOf<StopReason>().toEqualTypeOf<'drained' | 'grace-expired' | 'forced'>()
  expectTypeOf<Backends['add']>().parameter(0).extract<string>().toBeString()
  expectTypeOf<Backends['list']>().returns.resolves.toEqualTypeOf<BackendStatus[]>()
  expectTypeOf<Frontdesk>().toHaveProperty('listeners').not.toExtend<BoundListener[]>()
  expectTypeOf<LogEvent['level']>().toEqualTypeOf<'debug' | 'info' | 'warn' | 'error'>()
  expectTypeOf<ListenError>().toExtend<FrontdeskError>()
})

test('events are told apart by their type, and all have a time', () => {
  expectTypeOf<FrontdeskEvent['at']>().toEqualTypeOf<Date>()
  const told = (event: FrontdeskEvent): string => {
    switch (event.type) {
      case 'backend_down':
        expectTypeOf(event).toEqualTypeOf<BackendDownEvent>()
        return event.cause
      case 'backend_up':
      case 'backend_returned':
        return event.cause
      case 'backend_ejected':
        return String(event.failures)
      case 'backend_added':
      case 'backend_removed':
        return String(event.revision)
      case 'backend_updated':
        return event.state
      case 'backend_drained':
        return String(event.cut)
      case 'config_applied':
        return event.changes.join()
      case 'config_refused':
        return event.problems.map(({ path }) => path).join()
      case 'certificate_renewed':
        return event.names.join()
      case 'certificate_expires':
        return String(event.daysLeft)
      case 'worker_restarted':
        return String(event.restarts)
      case 'cache_purged':
        return event.what
      case 'draining':
        return event.cause
      case 'closed':
        return event.outcome
      case 'problem':
        return event.code
      default:
        expectTypeOf(event).toEqualTypeOf<DroppedEvent>()
        return String(event.count)
    }
  }
  expectTypeOf(told).toBeFunction()
  expectTypeOf<Frontdesk['events']>().returns.toExtend<AsyncIterable<FrontdeskEvent>>()
})

test('defineConfig and definePlugin know what they are given', () => {
  const config = defineConfig({ backends: ['http://localhost:3000'], routes: [{ match: '*', pool: 'default' }] })
  expectTypeOf(config).toEqualTypeOf<FrontdeskConfig>()
  definePlugin({
    middleware: {
      tenant: { onRequest: (request) => expectTypeOf(request.host).toBeString() && undefined },
    },
  })
  // @ts-expect-error no such kind of plug-in
  definePlugin({ middelware: {} })
})
