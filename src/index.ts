// The public API, for programs that embed Frontdesk. Nothing happens on import.

export type { Json } from './config/document/types.ts'
export { ConfigError, type Problem } from './config/problem.ts'
export type {
  AddBackend,
  AddOptions,
  BackendName,
  Backends,
  BackendTraits,
  DrainBackend,
  RemoveBackend,
  RemovedBackend,
  UpdateBackend,
} from './control/backends.ts'
export type {
  Cache,
  CacheDiskStats,
  CacheEntry,
  CacheQuery,
  CacheRequests,
  CacheResult,
  CacheRouteStats,
  CacheStats,
  PurgeCache,
  PurgedCache,
  StoreRefusal,
} from './control/cache/cache.ts'
export { ControlError, type ControlErrorKind, type FieldProblem } from './control/control-error.ts'
export type { EventReader, ReadOptions } from './control/event-bus.ts'
export type {
  BackendAddedEvent,
  BackendDownEvent,
  BackendDrainedEvent,
  BackendEjectedEvent,
  BackendRemovedEvent,
  BackendReturnedEvent,
  BackendUpdatedEvent,
  BackendUpEvent,
  CachePurgedEvent,
  CertificateExpiresEvent,
  CertificateRenewedEvent,
  ClosedEvent,
  ConfigAppliedEvent,
  ConfigRefusedEvent,
  DrainingEvent,
  DroppedEvent,
  FrontdeskEvent,
  ProblemEvent,
  StopReason,
  WorkerRestartedEvent,
} from './control/events.ts'
export type { BackendState } from './control/health/backend-state.ts'
export type { Plan, PlanConflict, PlannedChange, PlanStep } from './control/plan/plan-types.ts'
export type { BackendStatus, StatusDocument, WorkerInfo, WorkerStatus } from './control/status-document.ts'
export type { AdminState } from './control/store/state-document.ts'
export type * from './core/frontdesk-config.ts'
export { FrontdeskError } from './core/frontdesk-error.ts'
export type { LogLevel } from './core/log.ts'
export type * from './core/plugin.ts'
export type { HandlerConfig, HandlerOptions, ProxyHandler } from './embed/handler.ts'
export { HandlerError, type HandlerErrorCode } from './embed/handler-error.ts'
export { proxyHandler } from './embed/proxy-handler.ts'
export { createFrontdesk } from './library/create-frontdesk.ts'
export type {
  ApplyOptions,
  ApplyResult,
  CloseOptions,
  ConfigFile,
  Frontdesk,
  FrontdeskOptions,
  Revision,
} from './library/frontdesk.ts'
export { NeedsRestartError } from './library/needs-restart-error.ts'
export type { LogEvent } from './library/program-log.ts'
export { defineConfig, definePlugin } from './plugins/define.ts'
export type { BoundListener } from './supervisor/bound-listener.ts'
export { ListenError } from './supervisor/listen-error.ts'
