// Data planes in the test's own thread, from a snapshot that the test writes: for what configuration files come later to.
import type { ListenerSpec, PoolSpec, Snapshot } from '../../src/core/spec.ts'
import type { PluginRegistry } from '../../src/plugins/registry.ts'
import { createSharedState } from '../../src/state/memory.ts'
import type { ListenerTotals } from '../../src/state/owner-state.ts'
import { OwnerState } from '../../src/state/owner-state.ts'
import { DataPlane } from '../../src/worker/data-plane.ts'
import type { FromWorker } from '../../src/worker/protocol.ts'
import { backendSpec, listenerSpec, poolSpec, snapshotOf } from './control-kit.ts'
import { refusingPort } from './ports.ts'
import { until } from './wait.ts'

export interface PlaneOptions {
  /** Each gets a free port unless it has one. */
  readonly listeners: readonly Partial<ListenerSpec>[]
  /** Port of the one backend of pool `default`; more pools by `pools`. */
  readonly backendPort?: number
  readonly pool?: Partial<PoolSpec>
  readonly pools?: (state: OwnerState) => readonly PoolSpec[]
  readonly limits?: Partial<Snapshot['limits']>
  readonly snapshot?: Partial<Snapshot>
  /** Planes that listen on the same addresses. Default 1. */
  readonly planes?: number
  readonly maxClients?: number
  readonly plugins?: PluginRegistry
  readonly ticketKeys?: ReadonlyMap<string, Uint8Array>
}

export class TestPlane {
  readonly state: OwnerState
  readonly planes: readonly DataPlane[]
  readonly messages: FromWorker[] = []
  snapshot: Snapshot

  private constructor(state: OwnerState, snapshot: Snapshot, options: PlaneOptions) {
    this.state = state
    this.snapshot = snapshot
    const count = options.planes ?? 1
    this.planes = Array.from({ length: count }, (_, workerId) => {
      const plane = new DataPlane({
        workerId,
        buffer: state.buffer,
        maxClients: options.maxClients ?? 1000,
        reusePort: count > 1,
        post: (message) => this.messages.push(message),
      })
      plane.setTicketKeys(options.ticketKeys ?? new Map())
      plane.apply(snapshot, options.plugins)
      return plane
    })
  }

  static async start(options: PlaneOptions): Promise<TestPlane> {
    const state = new OwnerState(createSharedState({ workers: options.planes ?? 1 }))
    const pools = options.pools?.(state) ?? [
      poolSpec([backendSpec(state.claimSlot(), options.backendPort ?? 1)], options.pool ?? {}),
    ]
    const listeners: ListenerSpec[] = []
    for (const [row, over] of options.listeners.entries()) {
      listeners.push(listenerSpec({ name: `l${row}`, row, port: await refusingPort(), ...over }))
    }
    const base = snapshotOf(pools)
    const limits = { ...base.limits, ...options.limits }
    const plane = new TestPlane(state, { ...base, ...options.snapshot, limits, listeners }, options)
    for (const each of plane.planes) await each.listen()
    return plane
  }

  port(listener = 0): number {
    return this.snapshot.listeners[listener]!.port
  }

  totals(listener = 0): ListenerTotals {
    return this.state.listenerTotals(listener)
  }

  /** Swaps listeners for others of the same names. */
  apply(change: (snapshot: Snapshot) => Snapshot): void {
    this.snapshot = change(this.snapshot)
    for (const plane of this.planes) plane.apply(this.snapshot)
  }

  /** Fails if a connection or a place at a backend is still counted although the clients are gone. */
  async close(): Promise<void> {
    try {
      await until('no connection is counted any more', () =>
        this.snapshot.listeners.every(({ row }) => this.totals(row).active === 0),
      )
    } finally {
      for (const plane of this.planes) plane.close()
    }
    const problems = this.messages.filter(({ type }) => type === 'problem')
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
  }
}
