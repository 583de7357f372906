// Where listeners are bound: the ports that they really got where any was asked for, and whether a new address is free.
import type { ListenerSpec, Snapshot } from '../core/spec.ts'
import { placeOf } from '../worker/listening-sockets.ts'
import { reservePorts } from './reserve-ports.ts'

interface Bound {
  /** As configured: port 0 is the same place as long as it is asked for. */
  readonly wanted: string
  readonly spec: ListenerSpec
}

export type PlacePlan = ReadonlyMap<string, Bound>

export class ListenerPlaces {
  #bound: PlacePlan = new Map()

  /**
   * Where these listeners will be bound. What is bound already keeps its port; of everything else it is made sure that nobody
   * has it. Rejects with ListenError. `bind` false: nothing will be.
   */
  async plan(listeners: readonly ListenerSpec[], bind: boolean): Promise<PlacePlan> {
    const ours = [...this.#bound.values()].map(({ spec }) => spec)
    const open = new Set(ours.map(placeOf))
    const known = (listener: ListenerSpec): Bound | undefined => {
      const bound = this.#bound.get(listener.name)
      return bound?.wanted === placeOf(listener) ? bound : undefined
    }
    const fresh = listeners.filter((listener) => known(listener) === undefined && !open.has(placeOf(listener)))
    const ports = bind ? await reservePorts(fresh, ours) : new Map<string, number>()
    return new Map(
      listeners.map((listener): [string, Bound] => {
        const port = known(listener)?.spec.port ?? ports.get(listener.name) ?? listener.port
        return [listener.name, { wanted: placeOf(listener), spec: { ...listener, port } }]
      }),
    )
  }

  portOf(listener: string): number | undefined {
    return this.#bound.get(listener)?.spec.port || undefined
  }

  adopt(plan: PlacePlan): void {
    this.#bound = plan
  }
}

/** The snapshot with the ports that its listeners have. */
export function withPorts(snapshot: Snapshot, plan: PlacePlan): Snapshot {
  return { ...snapshot, listeners: snapshot.listeners.map((spec) => plan.get(spec.name)?.spec ?? spec) }
}
