// A pool as one worker uses it: picks a backend, takes a place there. It keeps its name's identity over snapshots: routes
// and exchanges hold it, and a change swaps what it is made of.
import type { Picker, Selection } from '../balancer/strategy.ts'
import { buildPicker } from '../balancer/table.ts'
import { type ErrorSpec, errors } from '../core/errors.ts'
import type { BackendSpec, PoolSpec, Slot } from '../core/spec.ts'
import { messageOf } from '../plugins/describe-thrown.ts'
import { noPlugins } from '../plugins/registry.ts'
import type { WorkerState } from '../state/worker-state.ts'
import { type Affinity, buildAffinity } from './affinity.ts'
import { Lease } from './lease.ts'
import type { LiveBackends } from './live-backend.ts'
import type { PlaneContext } from './plane-context.ts'

type Host = Pick<PlaneContext, 'plugins' | 'pluginFailed'>

const noHost: Host = { plugins: noPlugins, pluginFailed() {} }

/** All that depends on what a snapshot says of a pool. */
export interface PoolParts {
  readonly spec: PoolSpec
  readonly affinity: Affinity | null
  readonly picker: Picker
  /** Own strategies only: how the log names it. */
  readonly strategyLabel: string
}

export class Pool {
  /** Whoever waits through a change finds what there is then. */
  spec: PoolSpec
  affinity: Affinity | null
  /** Some backend has a path of its own, which a request must not lead out of. */
  hasBasePath: boolean
  #picker: Picker
  #strategyLabel: string
  readonly #state: WorkerState
  readonly #live: LiveBackends
  readonly #host: Host

  /** Throws where an own strategy cannot be built. */
  constructor(spec: PoolSpec, state: WorkerState, live: LiveBackends, host: Host = noHost) {
    this.#state = state
    this.#live = live
    this.#host = host
    const { affinity, picker, strategyLabel } = this.prepare(spec)
    this.spec = spec
    this.affinity = affinity
    this.hasBasePath = hasBasePath(spec)
    this.#picker = picker
    this.#strategyLabel = strategyLabel
  }

  /** What another spec of the same kind comes to, beside what is in force. Throws as the constructor. */
  prepare(spec: PoolSpec): PoolParts {
    const strategyLabel = labelOf(spec, this.#host)
    const picker = this.#build(spec, strategyLabel)
    return { spec, affinity: spec.sticky === null ? null : buildAffinity(spec, this.#state), picker, strategyLabel }
  }

  /** From the next choice on. */
  adopt({ spec, affinity, picker, strategyLabel }: PoolParts): void {
    this.spec = spec
    this.affinity = affinity
    this.hasBasePath = hasBasePath(spec)
    this.#picker = picker
    this.#strategyLabel = strategyLabel
  }

  /**
   * Takes a place at a backend: at `bound` if that one may still be used, else at the strategy's choice.
   * Backends that turn out to be full are added to `selection.tried`. Answers at once, also when nothing is left.
   */
  acquire(selection: Selection, bound: BackendSpec | undefined): Lease | ErrorSpec {
    if (bound !== undefined && this.#mayUseBound(bound, selection.tried)) {
      const lease = this.#enter(bound)
      if (lease !== null) return lease
      selection.tried.push(bound.slot)
    }
    for (let round = 0; round <= this.spec.backends.length; round++) {
      let spec: BackendSpec | undefined
      try {
        spec = this.#picker.pick(selection)
      } catch (error) {
        this.#host.pluginFailed(this.#strategyLabel, error)
        return errors.strategy_failed
      }
      if (spec === undefined) break
      const lease = this.#enter(spec)
      if (lease !== null) return lease
      selection.tried.push(spec.slot)
    }
    return this.#someAvailable() ? errors.backends_full : errors.no_backend
  }

  /**
   * Allows one more retry if the budget has room: fewer in flight than its share of the requests in flight, or than
   * its minimum. Counted until `endRetry`. What is in flight is summed here, where it is rare, not kept per request.
   */
  beginRetry(): boolean {
    const { retries, cursor, backends } = this.spec
    let active = 0
    for (const backend of backends) active += this.#state.active(backend.slot)
    return this.#state.retryBegin(cursor, Math.max(retries.budgetMin, Math.floor(active * retries.budgetRatio)))
  }

  /** `reason`: index into retryReasons. */
  countRetry(reason: number): void {
    this.#state.retried(this.spec.cursor, reason)
  }

  endRetry(): void {
    this.#state.retryEnd(this.spec.cursor)
  }

  #build(spec: PoolSpec, label: string): Picker {
    const host = this.#host
    const onFault = (error: unknown): void => host.pluginFailed(label, error)
    try {
      return buildPicker(spec, this.#state, { plugins: host.plugins, onFault })
    } catch (error) {
      throw new Error(`pool ${spec.name}: ${label} cannot be used: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #mayUseBound(bound: BackendSpec, tried: readonly Slot[]): boolean {
    return this.#state.isUsableWhenBound(bound.slot) && !tried.includes(bound.slot)
  }

  #enter(spec: BackendSpec): Lease | null {
    const live = this.#live.get(spec.slot)
    // The slot may have been given to another backend since this snapshot was made.
    if (live === undefined || !live.isSame(spec)) return null
    if (!this.#state.enter(spec.slot, spec.maxConnections)) return null
    return new Lease(live, this.#state)
  }

  #someAvailable(): boolean {
    return this.spec.backends.some((backend) => this.#state.isAvailable(backend.slot))
  }
}

const hasBasePath = ({ backends }: PoolSpec): boolean => backends.some(({ basePath }) => basePath !== '')

/** `strategy nearest (./nearest.ts)`. */
function labelOf({ strategy, customStrategy: ref }: PoolSpec, { plugins }: Host): string {
  if (ref === null) return `strategy ${strategy}`
  const source = plugins.sourceOf('strategy', ref.name)
  return `strategy ${ref.name}${source === '' ? '' : ` (${source})`}`
}
