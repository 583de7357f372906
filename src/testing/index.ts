// `frontdesk/testing`: for tests of configurations, strategies and middleware, with any test runner.

export { eventually } from './eventually.ts'
export { type Exchange, explain, type FailedAttempt } from './exchange.ts'
export { type Answered, type BackendLike, expectAttempts, expectBackend, expectOwnAnswer } from './expectations.ts'
export {
  type FakeAnswer,
  type FakeBackend,
  type FakeBackendOptions,
  type FakeFault,
  type FakeRequest,
  type FakeScript,
  fakeBackend,
} from './fake-backend.ts'
export {
  type FakeConnection,
  type FakeTcpBackend,
  type FakeTcpBackendOptions,
  fakeTcpBackend,
} from './fake-tcp-backend.ts'
export { type HeaderValues, type MiddlewareRequest, type MiddlewareRun, runMiddleware } from './run-middleware.ts'
export {
  type SimulatedBackend,
  type SimulatedBackends,
  type SimulateOptions,
  type Simulation,
  simulate,
} from './simulate.ts'
export type { TestAnswer, TestRequest } from './test-answer.ts'
export { type TestClock, useClock } from './test-clock.ts'
export { type TestClient, type TestConfig, type TestLogEvent, type TestProxy, testProxy } from './test-proxy.ts'
