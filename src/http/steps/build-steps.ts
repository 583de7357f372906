// The steps of a route in their order, and their hooks as lists: null where no step has such a hook.
import type { Middleware, MiddlewareFactory, RequestView } from '../../core/plugin.ts'
import type { RouteSpec, StepSpec } from '../../core/route-spec.ts'
import { checkMade } from '../../plugins/values.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import { basicAuth } from '../middleware/basic-auth/basic-auth.ts'
import { PasswordVerifier } from '../middleware/basic-auth/password-verifier.ts'
import { concurrency } from '../middleware/concurrency/concurrency.ts'
import { cors } from '../middleware/cors/cors.ts'
import { AuthAgents } from '../middleware/forward-auth/auth-agents.ts'
import { forwardAuth } from '../middleware/forward-auth/forward-auth.ts'
import { networks } from '../middleware/networks/networks.ts'
import { rateLimit } from '../middleware/rate-limit/rate-limit.ts'
import type { BackendRequestRecord } from './backend-request-record.ts'
import type { Hook } from './hooks.ts'
import type { RequestRecord } from './request-record.ts'
import type { ResponseRecord } from './response-record.ts'

/** What of a route's steps is called when. */
export interface Steps {
  readonly onRequest: readonly Hook<RequestRecord>[] | null
  readonly onBackendRequest: readonly Hook<BackendRequestRecord>[] | null
  /** In reverse order. */
  readonly onResponse: readonly Hook<ResponseRecord>[] | null
  readonly onFinish: readonly Step[] | null
}

export interface Step {
  /** For people: `auth of ./auth.ts (route api: use[0])`. */
  readonly label: string
  readonly middleware: Middleware
}

const DEFAULT_TIMEOUT_MS = 10_000

/** Null = the route has none. Throws what a factory throws, with the place of the step. */
export function buildSteps(spec: RouteSpec, instanceId: string, plane: PlaneContext): Steps | null {
  const steps = [...ownSteps(spec, instanceId, plane), ...spec.use.map((step) => fromPlugin(step, plane))]
  if (steps.length === 0) return null
  return {
    onRequest: hooks(steps, ({ middleware }) => middleware.onRequest?.bind(middleware)),
    onBackendRequest: hooks(steps, ({ middleware }) => middleware.onBackendRequest?.bind(middleware), false),
    onResponse: hooks(steps.toReversed(), ({ middleware }) => middleware.onResponse?.bind(middleware)),
    onFinish: orNull(steps.filter(({ middleware }) => middleware.onFinish !== undefined)),
  }
}

/** Those that a route asks for by keys of its own, in the order in which they stand in docs/guide/routes.md. */
function ownSteps(spec: RouteSpec, instanceId: string, plane: PlaneContext): Step[] {
  const steps: Middleware[] = []
  const counted = { state: plane.state, row: (request: RequestView) => (request as RequestRecord).trafficRow }
  if (spec.allow.length + spec.deny.length > 0) steps.push(networks(spec.allow, spec.deny))
  if (spec.cors !== null) steps.push(cors(spec.cors))
  if (spec.rateLimits.length > 0) steps.push(rateLimit(spec.rateLimits, counted))
  if (spec.concurrency !== null) steps.push(concurrency(spec.concurrency, counted))
  if (spec.basicAuth !== null) steps.push(basicAuth(spec.basicAuth, verifierOf(plane)))
  if (spec.forwardAuth !== null) {
    steps.push(forwardAuth(spec.forwardAuth, { via: `1.1 frontdesk (${instanceId})`, agents: agentsOf(plane) }))
  }
  return steps.map((middleware) => ({ label: `${middleware.name} (route ${spec.name})`, middleware }))
}

/** What has been found out about passwords is good for every route. */
const verifierOf = onePerPlane(
  (plane) => new PasswordVerifier({ onProblem: (error) => plane.pluginFailed('basic_auth', error) }),
)
const agentsOf = onePerPlane(() => new AuthAgents())

/** Outlives snapshots, and ends with its plane. */
function onePerPlane<T extends { close(): void }>(make: (plane: PlaneContext) => T): (plane: PlaneContext) => T {
  const known = new WeakMap<PlaneContext, T>()
  return (plane) => {
    let one = known.get(plane)
    if (one === undefined) {
      one = make(plane)
      known.set(plane, one)
      plane.onClose(() => known.get(plane)?.close())
    }
    return one
  }
}

function fromPlugin({ ref, place }: StepSpec, plane: PlaneContext): Step {
  const found = plane.plugins.middleware(ref.name)
  if (found === undefined) throw new Error(`${place}: there is no middleware ${ref.name}`)
  const source = plane.plugins.sourceOf('middleware', ref.name)
  const labelled = (middleware: Middleware): Step => {
    // What stands in a configuration itself has no name but its own.
    const name = ref.name.startsWith('@') ? (middleware.name ?? 'middleware') : ref.name
    return { label: `${name}${source === '' ? '' : ` of ${source}`} (${place})`, middleware }
  }
  if (typeof found !== 'function') return labelled(found)
  try {
    return labelled(checkMade((found as MiddlewareFactory)(ref.options)))
  } catch (error) {
    throw new Error(`${place}: the middleware ${ref.name} could not be made: ${String(error)}`, { cause: error })
  }
}

function hooks<V>(
  steps: readonly Step[],
  of: (step: Step) => ((view: V) => unknown) | undefined,
  mayAnswer = true,
): Hook<V>[] | null {
  const all = steps.flatMap((step) => {
    const call = of(step)
    if (call === undefined) return []
    return [{ label: step.label, timeoutMs: step.middleware.timeoutMs ?? DEFAULT_TIMEOUT_MS, mayAnswer, call }]
  })
  return orNull(all)
}

const orNull = <T>(list: T[]): T[] | null => (list.length === 0 ? null : list)
