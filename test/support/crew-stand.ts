// A crew of worker threads on its own, from snapshots that a test writes: for what happens between two steps of a change.
import type { BackendSpec, ListenerSpec, PoolSpec, Snapshot } from '../../src/core/spec.ts'
import { createSharedState } from '../../src/state/memory.ts'
import { OwnerState } from '../../src/state/owner-state.ts'
import { Crew, type CrewOptions } from '../../src/supervisor/crew.ts'
import { backendSpec, listenerSpec, MemoryLog, poolSpec, snapshotOf } from './control-kit.ts'
import type { Scope } from './leaks.ts'
import { until } from './wait.ts'

export interface CrewStandOptions extends Partial<Pick<CrewOptions, 'rollOutMs' | 'drainMs' | 'inheritance'>> {
  readonly workers: number
  readonly listeners: readonly Partial<ListenerSpec>[]
  /** Of the pools `default` (http) and `tcp`. */
  readonly httpPort?: number
  readonly tcpPort?: number
  readonly snapshot?: Partial<Snapshot>
  readonly spareLanes?: number
}

export class CrewStand {
  readonly crew: Crew
  readonly state: OwnerState
  readonly log = new MemoryLog()
  snapshot: Snapshot

  private constructor({ workers, listeners, httpPort = 1, tcpPort = 1, ...options }: CrewStandOptions) {
    this.state = new OwnerState(createSharedState({ workers: 1, spareLanes: options.spareLanes ?? 8 }))
    const backends: [BackendSpec, BackendSpec] = [
      backendSpec(this.state.claimSlot(), httpPort),
      backendSpec(this.state.claimSlot(), tcpPort, { pool: 'tcp', protocol: 'tcp', url: `tcp://127.0.0.1:${tcpPort}` }),
    ]
    const pools: PoolSpec[] = [
      poolSpec([backends[0]]),
      poolSpec([backends[1]], { name: 'tcp', kind: 'tcp', cursor: 1 }),
    ]
    this.snapshot = {
      ...snapshotOf(pools),
      listeners: listeners.map((over, row) => listenerSpec({ name: `l${row}`, row, ...over })),
      workers,
      ...options.snapshot,
    }
    this.crew = new Crew({
      workersFor: (configured) => (configured === 'auto' ? 1 : configured),
      inheritance: options.inheritance ?? { sockets: [], refusal: '' },
      state: this.state,
      log: this.log,
      maxClientsFor: () => 1000,
      onFailure() {},
      onAccess() {},
      onSpans() {},
      rollOutMs: options.rollOutMs,
      drainMs: options.drainMs,
    })
  }

  static async start(scope: Scope, options: CrewStandOptions): Promise<CrewStand> {
    const stand = new CrewStand(options)
    await stand.crew.start(stand.snapshot)
    scope.defer(() => stand.crew.stop())
    return stand
  }

  port(listener: string): number {
    return this.crew.listeners().find(({ name }) => name === listener)!.port
  }

  /** The next snapshot; it is remembered as the one in force when it is committed. */
  next(change: Partial<Snapshot>): Snapshot {
    return { ...this.snapshot, ...change, generation: this.snapshot.generation + 1 }
  }

  async prepare(change: Partial<Snapshot>) {
    const next = this.next(change)
    const prepared = await this.crew.prepare(next)
    return {
      abandon: () => prepared.abandon(),
      commit: async () => {
        this.snapshot = next
        await prepared.commit()
      },
    }
  }

  async change(change: Partial<Snapshot>): Promise<void> {
    await (await this.prepare(change)).commit()
  }

  working(count: number): Promise<void> {
    const running = (): number => this.crew.workers().filter(({ state }) => state === 'running').length
    return until(`${count} workers run`, () => running() === count && this.crew.workers().length === count)
  }

  /** Connections counted, by row. */
  active(row: number): number {
    return this.state.connectionTotals(row).active
  }
}
