// The strategies by name: the only place where a strategy's name is looked at.
import type { PoolSpec, StrategyName } from '../core/spec.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import type { StateReader } from '../state/state-reader.ts'
import { customStrategy } from './custom.ts'
import { first } from './strategies/first.ts'
import { hash } from './strategies/hash.ts'
import { ipHash } from './strategies/ip-hash.ts'
import { leastConn } from './strategies/least-conn.ts'
import { leastTime } from './strategies/least-time.ts'
import { powerOfTwo } from './strategies/power-of-two.ts'
import { random } from './strategies/random.ts'
import { roundRobin } from './strategies/round-robin.ts'
import type { Picker, Strategy } from './strategy.ts'
import { tiers } from './wrap/tiers.ts'

export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  'round-robin': roundRobin,
  'least-conn': leastConn,
  'power-of-two': powerOfTwo,
  'least-time': leastTime,
  random,
  first,
  'ip-hash': ipHash,
  hash,
}

/** Where own strategies come from, and who is told of what they do wrong. */
export interface CustomSource {
  readonly plugins: Pick<PluginRegistry, 'strategy'>
  readonly onFault: (error: unknown) => void
}

/**
 * The picker of a pool for one snapshot: its strategy over the primaries, then over the backups.
 * @throws Error an own strategy is not there, or what its `build` throws.
 */
export function buildPicker(
  pool: Pick<PoolSpec, 'strategy' | 'customStrategy' | 'backends' | 'cursor'>,
  state: StateReader,
  source: CustomSource,
): Picker {
  return tiers(strategyOf(pool, source), { backends: pool.backends, cursor: pool.cursor, state })
}

function strategyOf(
  { strategy, customStrategy: ref }: Pick<PoolSpec, 'strategy' | 'customStrategy'>,
  { plugins, onFault }: CustomSource,
): Pick<Strategy, 'build'> {
  if (ref === null) return strategies[strategy]
  const own = plugins.strategy(ref.name)
  if (own === undefined) throw new Error(`there is no strategy ${ref.name}`)
  return customStrategy({ strategy: own, options: ref.options, onFault })
}
