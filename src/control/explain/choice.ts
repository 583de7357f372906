// Which backend of a pool a client would get now: the one it is bound to, else the choice of the strategy.
import type { Picker, Selection } from '../../balancer/strategy.ts'
import { buildPicker } from '../../balancer/table.ts'
import type { CustomStrategy } from '../../core/plugin.ts'
import type { BackendSpec, PoolSpec, StickySpec } from '../../core/spec.ts'
import { type AffinityKey, buildAffinity } from '../../pool/affinity.ts'
import type { OwnerState } from '../../state/owner-state.ts'
import type { Health } from '../health/health.ts'
import { backendRows, type ExplainedBackend, isFull, withTried } from './backend-rows.ts'

export interface ChoiceInput {
  readonly pool: PoolSpec
  /** Null = nobody is bound. */
  readonly sticky: StickySpec | null
  readonly key: AffinityKey
  /** Of the client's address or of what the pool hashes. */
  readonly hash: number
}

export interface Choice {
  readonly sticky: { readonly by: StickySpec['by']; readonly bound_to: string | null } | null
  readonly backends: ExplainedBackend[]
  /** Why nobody would take it; null = somebody would. */
  readonly failure: 'full' | 'none' | null
}

/** Code of a plug-in is not called to explain something: it may remember whom it gave. */
const notAsked: CustomStrategy = { build: () => () => undefined }

export class Choices {
  readonly #state: OwnerState
  readonly #health: Pick<Health, 'checks' | 'outage'>
  readonly #pickers = new WeakMap<PoolSpec, Picker>()

  constructor(o: { readonly state: OwnerState; readonly health: Pick<Health, 'checks' | 'outage'> }) {
    this.#state = o.state
    this.#health = o.health
  }

  explain({ pool, sticky, key, hash }: ChoiceInput): Choice {
    const found = sticky === null ? undefined : this.#boundOf({ ...pool, sticky }, key)
    const usable = found !== undefined && this.#state.isUsableWhenBound(found.slot)
    const bound = usable && !isFull(found, this.#state) ? found : undefined
    let selection: Selection = { hash, tried: [] }
    if (usable && bound === undefined) selection = withTried(selection, found.slot)
    const standing = this.#pickerOf(pool).explain(selection)
    const parts = { pool, state: this.#state, health: this.#health, standing, bound }
    const isNobody = bound === undefined && standing.next.length === 0
    const isAnyUp = pool.backends.some(({ slot }) => this.#state.isAvailable(slot))
    return {
      sticky: sticky === null ? null : { by: sticky.by, bound_to: found?.url ?? null },
      backends: backendRows(parts),
      failure: isNobody ? (isAnyUp ? 'full' : 'none') : null,
    }
  }

  #boundOf(pool: PoolSpec, key: AffinityKey): BackendSpec | undefined {
    // It is only asked: which lane it would write from does not matter.
    return buildAffinity(pool, { buffer: this.#state.buffer, workerId: 0 }).find(key)
  }

  /** Pools of a snapshot are the same objects as long as it is in force. */
  #pickerOf(pool: PoolSpec): Picker {
    const known = this.#pickers.get(pool)
    if (known !== undefined) return known
    const plugins = { strategy: () => notAsked }
    const picker = buildPicker(pool, this.#state, { plugins, onFault: () => undefined })
    this.#pickers.set(pool, picker)
    return picker
  }
}
