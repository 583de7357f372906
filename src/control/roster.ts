// Which backend has which slot of shared memory: what stays keeps its slot, and with it counters, health and clients. New
// ones claim one, those that left give theirs back when nothing of them is open.

import type { BackendSpec, PoolSpec, Slot, Snapshot } from '../core/spec.ts'
import { Flag } from '../state/flags.ts'
import { ControlError } from './control-error.ts'
import { type Departure, Departures } from './departures.ts'
import type { AdminState, DesiredBackend, DesiredPools } from './desired.ts'
import type { ControlPort } from './port.ts'

/** Builds the snapshot of a set of backends; slots are found by pool and URL. */
export type Compile = (
  pools: DesiredPools,
  o: { readonly generation: number; readonly slotOf: (pool: string, url: string) => Slot },
) => Snapshot

/** A backend with what an administrator said of it. */
export interface Member {
  readonly backend: BackendSpec
  readonly state: AdminState
  readonly drainEndsAt: string | null
}

/** A snapshot that may come into force, with what was taken for it. */
export interface Staged {
  readonly desired: DesiredPools
  readonly snapshot: Snapshot
  readonly slots: ReadonlyMap<string, Placed>
  /** Slots claimed for it, given back if it is abandoned. */
  readonly claimed: readonly Slot[]
  /** Departing backends that it takes back. */
  readonly returned: readonly Departure[]
}

interface Placed {
  readonly slot: Slot
  readonly kind: PoolSpec['kind']
}

export interface RosterOptions {
  readonly port: Pick<ControlPort, 'state' | 'cutBackend'>
  /** Called when an administrator's flag of a backend changed. */
  readonly onFlags: (slot: Slot) => void
  /** Called when a removed backend has finished. */
  readonly onDeparted: (departure: Departure) => void
}

const keyOf = (pool: string, url: string): string => `${pool}\n${url}`
const adminFlags = Flag.DRAINING | Flag.DISABLED
const flagOf: Readonly<Record<AdminState, number>> = { up: 0, drain: Flag.DRAINING, disabled: Flag.DISABLED }

/** What its backends speak cannot change in place: what is counted means something else then. */
const kindOf = ({ protocol }: BackendSpec): PoolSpec['kind'] =>
  protocol === 'tcp' || protocol === 'tls' ? 'tcp' : 'http'

export class Roster {
  readonly departures: Departures
  readonly #o: RosterOptions
  #desired: DesiredPools = new Map()
  #slots: ReadonlyMap<string, Placed> = new Map()
  #snapshot: Snapshot | null = null

  constructor(options: RosterOptions) {
    this.#o = options
    this.departures = new Departures(options.port, options.onDeparted)
  }

  get snapshot(): Snapshot {
    return this.#snapshot!
  }

  get desired(): DesiredPools {
    return this.#desired
  }

  /** Backends in their pools, in order. */
  members(): Member[] {
    const members: Member[] = []
    for (const pool of this.snapshot.pools) {
      const said = new Map((this.#desired.get(pool.name) ?? []).map((backend) => [backend.url, backend]))
      for (const backend of pool.backends) {
        const { state = 'up', drainEndsAt = null } = said.get(backend.url) ?? {}
        members.push({ backend, state, drainEndsAt })
      }
    }
    return members
  }

  slotOf(pool: string, url: string): Slot | undefined {
    return this.#slots.get(keyOf(pool, url))?.slot
  }

  /**
   * Claims what is missing and compiles; exactly one of `adopt` and `abandon` must follow. `kindOfPool`: what the backends
   * of a pool shall speak. @throws ControlError no-space; what `compile` throws. Then nothing has changed.
   */
  stage(
    desired: DesiredPools,
    o: { readonly compile: Compile; readonly generation: number; kindOfPool(pool: string): PoolSpec['kind'] },
  ): Staged {
    const slots = new Map<string, Placed>()
    const claimed: Slot[] = []
    const returned: Departure[] = []
    try {
      for (const [pool, backends] of desired) {
        const kind = o.kindOfPool(pool)
        for (const { url } of backends) slots.set(keyOf(pool, url), this.#place({ pool, url, kind }, claimed, returned))
      }
      const slotOf = (pool: string, url: string): Slot => slots.get(keyOf(pool, url))!.slot
      const snapshot = o.compile(desired, { generation: o.generation, slotOf })
      return { desired, snapshot, slots, claimed, returned }
    } catch (error) {
      this.abandon({ claimed, returned })
      throw error
    }
  }

  /** It did not come about: everything goes on as it was. */
  abandon({ claimed, returned }: Pick<Staged, 'claimed' | 'returned'>): void {
    for (const departure of returned) this.departures.release(departure)
    for (const slot of claimed) this.#o.port.state.freeSlot(slot)
  }

  /** It is in force in every worker. Gives the backends that are not in it any more. */
  adopt(staged: Staged): BackendSpec[] {
    const before = this.#snapshot === null ? [] : this.members()
    const kept = new Set([...staged.slots.values()].map(({ slot }) => slot))
    const gone = before.filter(({ backend }) => !kept.has(backend.slot)).map(({ backend }) => backend)
    this.#desired = staged.desired
    this.#slots = staged.slots
    this.#snapshot = staged.snapshot
    for (const departure of staged.returned) this.#takeBack(departure)
    for (const [pool, backends] of staged.desired) for (const backend of backends) this.#setAdminFlags(pool, backend)
    // Only now: a worker that still had the old snapshot could be left without any backend. What it keeps this from
    // are retries of exchanges that began before.
    for (const { slot } of gone) {
      this.#o.port.state.setFlag(slot, Flag.REMOVED)
      this.#o.onFlags(slot)
    }
    return gone
  }

  /** The end of a drain: who is bound chooses anew. True if that was news. */
  release(slot: Slot): boolean {
    const isNews = this.#o.port.state.setFlag(slot, Flag.DISABLED)
    if (isNews) this.#o.onFlags(slot)
    return isNews
  }

  #place(
    { pool, url, kind }: { readonly pool: string; readonly url: string; readonly kind: PoolSpec['kind'] },
    claimed: Slot[],
    returned: Departure[],
  ): Placed {
    const known = this.#slots.get(keyOf(pool, url))
    if (known?.kind === kind) return known
    const leaving = this.departures.find(pool, url)
    if (leaving === undefined || kindOf(leaving.backend) !== kind) return { slot: this.#claim(claimed), kind }
    this.departures.hold(leaving)
    returned.push(leaving)
    return { slot: leaving.backend.slot, kind }
  }

  #claim(claimed: Slot[]): Slot {
    try {
      const slot = this.#o.port.state.claimSlot()
      claimed.push(slot)
      // Not usable before it is part of a snapshot, and unknown until its first check.
      this.#o.port.state.setFlag(slot, Flag.UNKNOWN)
      return slot
    } catch (error) {
      throw new ControlError('no-space', error instanceof Error ? error.message : String(error))
    }
  }

  #takeBack(departure: Departure): void {
    const { state } = this.#o.port
    this.departures.takeBack(departure)
    // Nobody has checked it since it left.
    state.setFlag(departure.backend.slot, Flag.UNKNOWN)
    state.clearFlag(departure.backend.slot, Flag.REMOVED | Flag.PROBE_DOWN | Flag.EJECTED)
  }

  #setAdminFlags(pool: string, backend: DesiredBackend): void {
    const { state } = this.#o.port
    const { slot } = this.#slots.get(keyOf(pool, backend.url))!
    const isOver = backend.drainEndsAt !== null && Date.parse(backend.drainEndsAt) <= Date.now()
    const wanted = flagOf[backend.state] | (isOver ? Flag.DISABLED : 0)
    const set = wanted !== 0 && state.setFlag(slot, wanted)
    const cleared = state.clearFlag(slot, adminFlags & ~wanted)
    if (set || cleared) this.#o.onFlags(slot)
  }
}
