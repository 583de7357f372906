// A strategy without a proxy: backends in shared memory of their own, and as many choices as a test wants.
import { customStrategy } from '../balancer/custom.ts'
import { strategies } from '../balancer/table.ts'
import { tiers } from '../balancer/wrap/tiers.ts'
import type { CustomStrategy } from '../core/plugin.ts'
import type { BackendSpec, Slot, StrategyName } from '../core/spec.ts'
import { Flag } from '../state/flags.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import { WorkerState } from '../state/worker-state.ts'

export interface SimulatedBackend {
  readonly url: string
  /** Default 1. */
  readonly weight?: number
  /** Default 0: no limit. */
  readonly maxConnections?: number
  readonly backup?: boolean
  /** False = a health check has found it down. */
  readonly available?: boolean
  /** Requests in flight at the start. */
  readonly active?: number
  /** How long it takes to answer: known at the start, and seen again with every request that it ends. Default 0: not known. */
  readonly latencyMs?: number
}

export interface SimulateOptions<O = unknown> {
  /** URLs, or more about each. */
  readonly backends: readonly (string | SimulatedBackend)[]
  /** Default 1000. */
  readonly requests?: number
  /** What the configuration would give the strategy. */
  readonly options?: O
  /** Requests in flight at once: each ends when so many more have begun. Default 0: each ends at once. */
  readonly concurrent?: number
  /** Of the client of a request, by its number from 0. Default: another client each. */
  readonly hash?: (request: number) => number
  /** Before each choice: to let backends go down, come up or become busy. */
  readonly before?: (request: number, backends: SimulatedBackends) => void
}

/** Backends while a simulation runs, by their URLs. */
export interface SimulatedBackends {
  down(url: string): void
  up(url: string): void
}

export interface Simulation {
  /** URL of each choice, in order; '' = none. */
  readonly choices: readonly string[]
  /** How often each was chosen, by URL. */
  readonly counts: Readonly<Record<string, number>>
  /** Choices of nothing. */
  readonly none: number
  /** 0–1: of the choices that were made. */
  share(url: string): number
}

/**
 * Lets a strategy choose as often as asked, and counts. It is one of our own by its name, or one of yours; what yours
 * throws is thrown.
 */
export function simulate<O = unknown>(
  strategy: StrategyName | CustomStrategy<O>,
  options: SimulateOptions<O>,
): Simulation {
  const { requests = 1000, concurrent = 0, hash = clientHash } = options
  const stage = new Stage(options.backends)
  const picker = tiers(built(strategy, options.options), { backends: stage.specs, cursor: 0, state: stage.worker })
  const choices: string[] = []
  const open: BackendSpec[] = []
  for (let request = 0; request < requests; request++) {
    options.before?.(request, stage)
    const chosen = picker.pick({ hash: hash(request) >>> 0, tried: [] })
    choices.push(chosen?.url ?? '')
    if (chosen === undefined) continue
    stage.begin(chosen)
    open.push(chosen)
    while (open.length > concurrent) stage.end(open.shift()!)
  }
  return result(stage.specs, choices)
}

function built<O>(strategy: StrategyName | CustomStrategy<O>, options: O | undefined) {
  if (typeof strategy === 'string') return strategies[strategy]
  const onFault = (error: unknown): never => {
    throw error
  }
  return customStrategy({ strategy: strategy as CustomStrategy, options: options ?? {}, onFault })
}

function result(specs: readonly BackendSpec[], choices: readonly string[]): Simulation {
  const counts: Record<string, number> = Object.fromEntries(specs.map(({ url }) => [url, 0]))
  let none = 0
  for (const url of choices) {
    if (url === '') none++
    else counts[url]!++
  }
  const made = choices.length - none
  return { choices, counts, none, share: (url) => (made === 0 ? 0 : (counts[url] ?? 0) / made) }
}

/** Spreads as addresses of different clients do. */
const clientHash = (request: number): number => Math.imul(request + 1, 0x9e3779b1)

/** The backends in shared memory, as a worker has them. */
class Stage implements SimulatedBackends {
  readonly specs: readonly BackendSpec[]
  readonly worker: WorkerState
  readonly #owner: OwnerState
  readonly #latencyMs = new Map<Slot, number>()

  constructor(backends: SimulateOptions['backends']) {
    const slots = Math.max(1, backends.length)
    const buffer = createSharedState({ workers: 1, slots, pools: 1, listeners: 1, affinityTables: 1, affinitySets: 1 })
    this.#owner = new OwnerState(buffer)
    this.worker = new WorkerState(buffer, 0)
    this.worker.heartbeat(0, 0, 0, 0)
    this.specs = backends.map((backend) => this.#claim(typeof backend === 'string' ? { url: backend } : backend))
  }

  down(url: string): void {
    this.#owner.setFlag(this.#slotOf(url), Flag.PROBE_DOWN)
  }

  up(url: string): void {
    this.#owner.clearFlag(this.#slotOf(url), Flag.PROBE_DOWN)
  }

  begin({ slot, url, maxConnections }: BackendSpec): void {
    if (!this.worker.enter(slot, maxConnections)) throw new Error(`${url} was chosen, and is full`)
  }

  end({ slot }: BackendSpec): void {
    this.worker.leave(slot)
    const latencyMs = this.#latencyMs.get(slot)
    if (latencyMs !== undefined) this.worker.backendFinished(slot, 200, latencyMs * 1000)
  }

  #slotOf(url: string): Slot {
    const spec = this.specs.find((one) => one.url === url)
    if (spec === undefined) throw new Error(`there is no backend ${url}`)
    return spec.slot
  }

  #claim(backend: SimulatedBackend): BackendSpec {
    const { url, weight = 1, maxConnections = 0, backup = false, available = true, active = 0, latencyMs = 0 } = backend
    const slot = this.#owner.claimSlot()
    if (!available) this.#owner.setFlag(slot, Flag.PROBE_DOWN)
    for (let i = 0; i < active; i++) this.worker.enter(slot, 0)
    if (latencyMs > 0) {
      this.#latencyMs.set(slot, latencyMs)
      this.worker.backendFinished(slot, 200, latencyMs * 1000)
    }
    return { ...anywhere, slot, url, weight, maxConnections, backup }
  }
}

/** What no strategy looks at. */
const anywhere: Omit<BackendSpec, 'slot' | 'url' | 'weight' | 'maxConnections' | 'backup'> = {
  pool: 'simulated',
  protocol: 'http',
  host: '127.0.0.1',
  port: 1,
  socketPath: null,
  basePath: '',
  authority: '127.0.0.1',
}
