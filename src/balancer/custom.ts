// A strategy that somebody else wrote, as a picker: it is shown backends that it can read and no more, and what it chooses
// is believed only as far as it is true.
import type { CustomStrategy, StrategyBackend, StrategyRequest } from '../core/plugin.ts'
import type { BackendSpec, Slot } from '../core/spec.ts'
import { isStrayPromise } from '../plugins/stray-promise.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from './strategy.ts'

export interface CustomInput {
  readonly strategy: CustomStrategy
  /** As the configuration gives them. */
  readonly options: unknown
  /** Told of what it does wrong without failing the request. */
  readonly onFault: (error: unknown) => void
}

/** A backend as a strategy sees it: configured values, and getters over shared memory. */
class View implements StrategyBackend {
  readonly url: string
  readonly weight: number
  readonly maxConnections: number
  readonly backup: boolean
  readonly #spec: BackendSpec
  readonly #owner: CustomPicker
  readonly #state: StateReader

  constructor(spec: BackendSpec, owner: CustomPicker, state: StateReader) {
    this.url = spec.url
    this.weight = spec.weight
    this.maxConnections = spec.maxConnections
    this.backup = spec.backup
    this.#spec = spec
    this.#owner = owner
    this.#state = state
    Object.freeze(this)
  }

  get available(): boolean {
    const { slot, weight, maxConnections } = this.#spec
    if (weight === 0 || !this.#state.isAvailable(slot)) return false
    return maxConnections === 0 || this.#state.active(slot) < maxConnections
  }

  get active(): number {
    return this.#state.active(this.#spec.slot)
  }

  get latencyMs(): number {
    return this.#state.fadedLatency(this.#spec.slot) / 1000
  }

  /** The backend behind a choice; undefined where it is none of this picker's views. */
  static specOf(choice: unknown, owner: CustomPicker): BackendSpec | undefined {
    if (typeof choice !== 'object' || choice === null || !(#spec in choice)) return undefined
    return choice.#owner === owner ? choice.#spec : undefined
  }
}

/** The request of the pick under way: one object for all of them. */
class Request implements StrategyRequest {
  hash = 0
  #tried: readonly Slot[] = []
  readonly #owner: CustomPicker

  constructor(owner: CustomPicker) {
    this.#owner = owner
  }

  set(selection: Selection): void {
    this.hash = selection.hash
    this.#tried = selection.tried
  }

  tried(backend: StrategyBackend): boolean {
    const spec = View.specOf(backend, this.#owner)
    return spec !== undefined && this.#tried.includes(spec.slot)
  }
}

class CustomPicker implements Picker {
  readonly #choose: (request: StrategyRequest) => unknown
  readonly #request = new Request(this)
  readonly #backends: readonly BackendSpec[]
  readonly #state: StateReader
  readonly #onFault: (error: unknown) => void

  constructor({ backends, cursor, state }: PickerInput, { strategy, options, onFault }: CustomInput) {
    this.#onFault = onFault
    this.#backends = backends
    this.#state = state
    const views = Object.freeze(backends.map((spec) => new View(spec, this, state)))
    const choose: unknown = strategy.build({ backends: views, options, state: { ticket: () => state.ticket(cursor) } })
    if (typeof choose !== 'function') throw new TypeError('build() gave no function that chooses a backend')
    this.#choose = choose as (request: StrategyRequest) => unknown
  }

  /** Throws what the strategy throws: that request fails, and no other. */
  pick(selection: Selection): BackendSpec | undefined {
    this.#request.set(selection)
    const choice = this.#choose(this.#request)
    if (choice === undefined || choice === null) return undefined
    const spec = View.specOf(choice, this)
    if (spec === undefined) {
      this.#onFault(new TypeError(foreign(choice)))
      return undefined
    }
    return (choice as View).available && !selection.tried.includes(spec.slot) ? spec : undefined
  }

  /** Asking it would be a pick: it may draw tickets, or remember whom it gave. Any that it may choose is told. */
  explain({ tried }: Selection): Standing {
    const next = this.#backends.filter(({ slot, weight, maxConnections }) => {
      if (weight === 0 || tried.includes(slot) || !this.#state.isAvailable(slot)) return false
      return maxConnections === 0 || this.#state.active(slot) < maxConnections
    })
    return { meaning: decidedByPlugin, scores: new Map(), next, draws: 0 }
  }
}

/** Of a strategy that somebody else wrote. */
export const decidedByPlugin = 'decided by plug-in code'

function foreign(choice: unknown): string {
  if (isStrayPromise(choice)) {
    return 'it gave a promise: a choice is made at once; what takes time belongs before it, into a timer'
  }
  return 'it gave something that is none of the backends it was built with; give one of these very objects'
}

/** The strategy in the form of our own. Building it throws what its `build` throws. */
export function customStrategy(custom: CustomInput): Pick<Strategy, 'needs' | 'build'> {
  return { needs: 'client-address', build: (input) => new CustomPicker(input, custom) }
}
