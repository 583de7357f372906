// Middleware without a proxy: its hooks are called with the very objects that a proxy gives them, in the same order.
import { setTimeout as realTimeout } from 'node:timers'
import type { ClientView, FinishView, Middleware } from '../core/plugin.ts'
import { parseRequestHead, type RequestHead } from '../http/http1/request-head.ts'
import { parseResponseHead } from '../http/http1/response-head.ts'
import { type FieldChanges, latin1Of } from '../http/hygiene/field-changes.ts'
import { fieldNames, fieldValues } from '../http/hygiene/field-values.ts'
import { nothingReserved } from '../http/hygiene/reserved-fields.ts'
import type { OwnAnswer } from '../http/own-answer.ts'
import { BackendRequestRecord } from '../http/steps/backend-request-record.ts'
import { answerOf, callHooks, type Hook, HookFailure, type HookOutcome, HookWait } from '../http/steps/hooks.ts'
import { RequestRecord } from '../http/steps/request-record.ts'
import { ResponseRecord } from '../http/steps/response-record.ts'
import type { TlsFacts } from '../net/arrival.ts'
import { PluginError } from '../plugins/plugin-error.ts'
import { checkMade } from '../plugins/values.ts'
import { canonicalTarget } from '../routing/canonical-target.ts'
import { normalHost } from '../routing/host-name.ts'

/** A request for middleware. What is not said is an ordinary GET of a client on 127.0.0.1. */
export interface MiddlewareRequest {
  readonly method?: string
  /** Path and query as a client sends them; made canonical as in a proxy. Default `/`. */
  readonly path?: string
  readonly host?: string
  readonly scheme?: 'http' | 'https'
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly client?: Partial<ClientView>
  /** Name of the route. Default `test`. */
  readonly route?: string
  /** Named parts of its path. */
  readonly params?: Readonly<Record<string, string>>
  readonly id?: string
  /** What the backend answers. Default: 200 without fields. */
  readonly answer?: {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string | readonly string[]>>
    /** Default `http://127.0.0.1:3000`. */
    readonly backend?: string
    /** Default `default`. */
    readonly pool?: string
  }
}

/** By lower-case name; several fields of one name are joined with `, `. */
export type HeaderValues = Readonly<Record<string, string>>

export interface MiddlewareRun {
  /** It answered before any backend was asked. */
  readonly answered: boolean
  /** As a backend gets the request; null = none was asked. */
  readonly forwarded: { readonly method: string; readonly target: string; readonly headers: HeaderValues } | null
  /** As the client gets the answer. The body is null where it is the backend's. */
  readonly response: { readonly status: number; readonly headers: HeaderValues; readonly body: string | null }
  /** What it kept. */
  readonly state: ReadonlyMap<string, unknown>
}

/**
 * Sends one request through middleware, or through several in their order, as a route does: `onRequest`, then, unless one
 * has answered, `onBackendRequest` and an answer, `onResponse` in reverse, `onFinish`. Rejects with what a hook throws (a
 * proxy answers 500 then), and after the time limit of one that does not come to an end.
 */
export async function runMiddleware(
  middleware: Middleware | readonly Middleware[],
  request: MiddlewareRequest = {},
): Promise<MiddlewareRun> {
  const given: readonly Middleware[] = Array.isArray(middleware) ? middleware : [middleware as Middleware]
  const steps = given.map(checked)
  const head = headOf(request)
  const record = recordOf(request, head)
  const own = await run(hooksOf(steps, 'onRequest'), record)
  const { status = 200, headers = {}, backend = 'http://127.0.0.1:3000', pool = 'default' } = request.answer ?? {}
  let forwarded: MiddlewareRun['forwarded'] = null
  if (own === undefined) {
    const attempt = new BackendRequestRecord(record, pool, backend, 1)
    await run(hooksOf(steps, 'onBackendRequest'), attempt)
    const changed = applied(attempt.changes, applied(record.changes, head.fields.forward))
    forwarded = { method: head.method, target: record.target ?? record.path + record.query, headers: valuesOf(changed) }
  }
  const fields = own?.fields ?? answerBlock(status, headers)
  const answer = new ResponseRecord(record, own?.status ?? status, fields, own === undefined ? backend : '')
  const instead = await run(hooksOf(steps.toReversed(), 'onResponse'), answer)
  const response: MiddlewareRun['response'] =
    instead === undefined
      ? {
          status: answer.status,
          headers: valuesOf(applied(answer.changes, fields)),
          body: own === undefined ? null : textOf(own),
        }
      : { status: instead.status, headers: valuesOf(instead.fields), body: textOf(instead) }
  const finish: FinishView = {
    request: record,
    status: response.status,
    durationMs: 0,
    backend: own === undefined ? backend : '',
    attempts: own === undefined ? 1 : 0,
    error: '',
  }
  for (const step of steps) step.onFinish?.(finish)
  return { answered: own !== undefined, forwarded, response, state: record.state }
}

function checked(middleware: Middleware): Middleware {
  try {
    return checkMade(middleware)
  } catch (error) {
    throw error instanceof PluginError ? new TypeError(`this ${error.words}`) : error
  }
}

type HookName = 'onRequest' | 'onBackendRequest' | 'onResponse'

function hooksOf<V>(steps: readonly Middleware[], name: HookName): Hook<V>[] {
  return steps.flatMap((step) => {
    if (step[name] === undefined) return []
    const call = (view: V): unknown => (step[name] as (view: V) => unknown)(view)
    const mayAnswer = name !== 'onBackendRequest'
    return [{ label: step.name ?? 'middleware', timeoutMs: step.timeoutMs ?? 10_000, mayAnswer, call }]
  })
}

async function run<V>(hooks: readonly Hook<V>[], view: V): Promise<OwnAnswer | undefined> {
  let outcome: HookOutcome = callHooks(hooks, view, 0)
  while (outcome instanceof HookWait) {
    const { hook, promise, next }: HookWait = outcome
    const settled = answerOf(hook, await within(hook, promise))
    outcome = settled ?? callHooks(hooks, view, next)
  }
  if (outcome instanceof HookFailure) throw outcome.error
  return outcome
}

async function within({ label, timeoutMs }: Hook<never>, promise: PromiseLike<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const message = `${label}: a hook took longer than ${timeoutMs} ms`
    timer = realTimeout(() => reject(new Error(message)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    timer?.close()
  }
}

/** Read as a proxy reads it. */
function headOf({
  method = 'GET',
  path = '/',
  host = 'localhost',
  scheme = 'http',
  headers = {},
  client,
}: MiddlewareRequest): RequestHead {
  const block = Object.keys(headers).some((name) => name.toLowerCase() === 'host') ? '' : `Host: ${host}\r\n`
  const text = `${method} ${path} HTTP/1.1\r\n${block}${blockOf(headers)}\r\n`
  const { address = '127.0.0.1', trusted = false } = client ?? {}
  const head = parseRequestHead(
    text,
    0,
    text.indexOf('\r\n\r\n'),
    { address, trusted, scheme, certificate: null },
    {
      instanceId: 'test',
      maxFields: 1000,
      reserved: nothingReserved,
      certificateNames: null,
      isTrusted: () => false,
      targetSize: 65_536,
    },
    { fields: null },
  )
  if ('status' in head) throw new TypeError(`a proxy refuses this request: ${head.status} ${head.summary}`)
  return head
}

function recordOf(request: MiddlewareRequest, head: RequestHead): RequestRecord {
  const canonical = canonicalTarget(head.target)
  if (canonical === null) throw new TypeError(`a proxy refuses this request: ${head.target} is no path`)
  const { scheme = 'http', client = {}, route = 'test', params = {}, id = 'test-request' } = request
  const { address = '127.0.0.1', port = 50_000, trusted = false, tls = null } = client
  return new RequestRecord({
    head,
    client: {
      address,
      port,
      trusted,
      isSecure: scheme === 'https',
      tls: tls === null ? null : { ...(tls as typeof tls & { version: TlsFacts['version'] }), ...plainTls },
    },
    id,
    route,
    listener: 'test',
    trafficRow: 0,
    host: normalHost(head.host),
    path: canonical.path,
    query: canonical.query,
    params,
    rest: canonical.path.slice(1),
  })
}

const plainTls = { alpn: '', resumed: false, clientCertificate: null } as const

/** As it is sent. */
function blockOf(headers: NonNullable<MiddlewareRequest['headers']>): string {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === 'string' ? [values] : values).map((value) => `${name}: ${latin1Of(value)}`),
  )
  const broken = lines.find((line) => /[\r\n\0]/.test(line))
  if (broken !== undefined) throw new TypeError(`${JSON.stringify(broken)} is no header field`)
  return lines.map((line) => `${line}\r\n`).join('')
}

/** End-to-end fields of an answer, as the proxy reads them. */
function answerBlock(status: number, headers: NonNullable<MiddlewareRequest['headers']>): string {
  const text = `HTTP/1.1 ${status} Answer\r\n${blockOf(headers)}\r\n`
  const rules = { maxFields: 1000, hide: ['server', 'x-powered-by'] }
  const head = parseResponseHead(text, 0, text.indexOf('\r\n\r\n'), rules)
  if (head === null) throw new TypeError('a proxy refuses this answer of a backend')
  return head.forward
}

function applied(changes: FieldChanges | null, block: string): string {
  return changes === null ? block : changes.applyTo(block)
}

function valuesOf(block: string): HeaderValues {
  return Object.fromEntries(fieldNames(block).map((name) => [name, fieldValues(block, name).join(', ')]))
}

const textOf = ({ body }: OwnAnswer): string => Buffer.from(body, 'latin1').toString()
