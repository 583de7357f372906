// The seam between a pool and its strategies: a balancer returns a choice, it never serves.
import type { BackendSpec, Cursor, Slot, StrategyName } from '../core/spec.ts'
import type { StateReader } from '../state/state-reader.ts'

/** What a choice depends on besides the backends. Kept and reused by the caller. */
export interface Selection {
  /** u32: of the client's address or of what the pool hashes; 0 for strategies that do not hash. */
  hash: number
  /** Backends that must not be chosen: they failed or refused in this exchange. */
  readonly tried: Slot[]
}

/** How a strategy sees its backends at one moment. */
export interface Standing {
  /** What the scores are: `requests in flight for its weight; the fewest first`. */
  readonly meaning: string
  /** By slot, of the backends that it would consider if they had room: available, with a weight. */
  readonly scores: ReadonlyMap<Slot, number>
  /** Who would be taken now: one, several of whom chance takes one, none. */
  readonly next: readonly BackendSpec[]
  /** Tickets that `pick` would draw. */
  readonly draws: number
}

/** A strategy built for the backends of one snapshot. */
export interface Picker {
  /**
   * A backend that is available, not full and not tried; undefined = there is none. Returns at once in any case.
   * It may still fill up before it is entered: `WorkerState.enter` decides, and the caller picks again.
   */
  pick(selection: Selection): BackendSpec | undefined
  /** What `pick` would do once `ahead` tickets (0) were drawn. Draws none and changes nothing; for people, not for speed. */
  explain(selection: Selection, ahead?: number): Standing
}

export interface PickerInput {
  readonly backends: readonly BackendSpec[]
  /** The counter of the pool, which all workers share. */
  readonly cursor: Cursor
  readonly state: StateReader
  /** In [0, 1); default Math.random. */
  readonly random?: () => number
}

export interface Strategy {
  readonly name: StrategyName
  /** What it has to be given as `hash`; checked when a configuration is loaded. */
  readonly needs: 'nothing' | 'client-address' | 'request'
  build(input: PickerInput): Picker
}
