// The admin API: guard, routes and what each of them calls. HTTP only; the control plane is behind AdminDeps.

import { OpenAPIHono } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { ConfigError } from '../../config/problem.ts'
import type { Log } from '../../core/log.ts'
import type { MaterialStatus } from '../certificates/certificate-status.ts'
import { ControlError } from '../control-error.ts'
import { metricsContentType } from '../metrics/text-writer.ts'
import type { StatusDocument } from '../status.ts'
import { type AuditDeps, audit } from './audit.ts'
import { addBackendCalls, type BackendDeps } from './calls/backends.ts'
import { addCacheCalls, type CacheDeps } from './calls/cache.ts'
import { addConfigCalls, type ConfigDeps } from './calls/config.ts'
import { addEventCalls, type EventDeps } from './calls/events.ts'
import { addExplainCalls, type ExplainDeps } from './calls/explain.ts'
import { addListCalls, type ListDeps } from './calls/lists.ts'
import { addRequestCalls, type RequestDeps } from './calls/requests.ts'
import { addWhoamiCalls } from './calls/whoami.ts'
import { addDashboard, type DashboardDeps } from './dashboard.ts'
import { type AdminEnv, type GuardDeps, identify, limitBody, refuseForeign, requireJson, requireRole } from './guard.ts'
import { configProblem, controlProblem, problem } from './problem.ts'
import { routes } from './routes.ts'
import { invalid } from './validation.ts'

/** What the API can do. */
export interface AdminDeps
  extends GuardDeps,
    AuditDeps,
    DashboardDeps,
    EventDeps,
    ListDeps,
    RequestDeps,
    ExplainDeps,
    BackendDeps,
    CacheDeps,
    ConfigDeps {
  readonly version: string
  readonly log: Log
  status(): Promise<StatusDocument>
  certificates(): readonly MaterialStatus[]
  scrape(): AsyncGenerator<string>
  readiness(): 'ready' | 'draining' | 'starting'
  stop(): void
  /** JSON Schema of the configuration file. */
  configSchema(): object
}

export type AdminApp = OpenAPIHono<AdminEnv>

export function createAdminApp(deps: AdminDeps): AdminApp {
  const app: AdminApp = new OpenAPIHono<AdminEnv>({
    defaultHook: (result) => (result.success ? undefined : invalid(result.error.issues)),
  })
  addDashboard(app, deps)
  app.use(refuseForeign, identify(deps), audit(deps), requireRole(), requireJson, limitBody)
  addWhoamiCalls(app, deps)
  addReading(app, deps)
  addListCalls(app, deps)
  addEventCalls(app, deps)
  addRequestCalls(app, deps)
  addExplainCalls(app, deps)
  addCacheCalls(app, deps)
  addChanging(app, deps)
  addProbes(app, deps)
  app.get('/openapi.json', (c) => c.json(openApiDocument(app, deps.version)))
  app.get('/schema.json', (c) => c.json(deps.configSchema()))
  addRefusals(app, deps.log)
  return app
}

/** OpenAPI 3.1 of what the app has. */
export function openApiDocument(app: AdminApp, version: string): object {
  const title = 'Frontdesk admin API'
  const description = 'Looks at and changes a running Frontdesk. Errors are RFC 9457 problem details.'
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'MIT' } },
    servers: [{ url: 'http://127.0.0.1:8081' }],
    security: [{}, { bearer: [] }],
  })
}

function addReading(app: AdminApp, deps: AdminDeps): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  app.openapi(routes.status, async (c) => c.json(await deps.status(), 200))
  app.openapi(routes.certificates, (c) => c.json(structuredClone(deps.certificates()) as never, 200))
  app.openapi(routes.metrics, (c) => {
    return c.body(streamOf(deps.scrape()), 200, { 'content-type': metricsContentType }) as never
  })
}

function addChanging(app: AdminApp, deps: AdminDeps): void {
  addBackendCalls(app, deps)
  addConfigCalls(app, deps)
  app.openapi(routes.stop, (c) => {
    // After the answer is on its way: stopping closes this server too.
    setImmediate(() => deps.stop())
    return c.json({ message: 'draining' }, 202)
  })
}

function addProbes(app: AdminApp, deps: AdminDeps): void {
  app.openapi(routes.healthz, (c) => c.json({ status: 'ok' }, 200))
  app.openapi(routes.readyz, (c) => {
    const status = deps.readiness()
    return c.json({ status }, status === 'ready' ? 200 : 503)
  })
}

/** Everything that is not a call: unknown paths, other methods, what was thrown. */
function addRefusals(app: AdminApp, log: Log): void {
  const allowed = new Map<string, Set<string>>()
  for (const { path, method } of app.routes) {
    if (method === 'ALL') continue
    const methods = allowed.get(path) ?? new Set()
    allowed.set(path, methods.add(method))
    if (method === 'GET') methods.add('HEAD')
  }
  for (const [path, methods] of allowed) {
    const allow = [...methods].join(', ')
    app.all(path, (c) =>
      problem({ status: 405, detail: `${path} takes ${allow}, not ${c.req.method}`, headers: { allow } }),
    )
  }
  app.notFound((c) => problem({ status: 404, detail: `There is no ${c.req.path}; /openapi.json lists the calls` }))
  app.onError((error) => {
    if (error instanceof ControlError) return controlProblem(error)
    if (error instanceof ConfigError) return configProblem(error)
    if (error instanceof HTTPException && error.status < 500) {
      const detail = error.message === '' ? 'The request is malformed' : error.message
      return problem({ status: error.status, detail, errors: [{ path: '', message: detail }] })
    }
    log.event('error', 'admin_call_failed', `an admin call failed: ${error.message}`, { stack: error.stack })
    return problem({ status: 500, detail: 'The call failed; the log has the cause' })
  })
}

function streamOf(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })
}
