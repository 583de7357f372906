// The strategies by name: the only place where a strategy's name is looked at.
import type { PoolSpec, StrategyName } from '../core/spec.ts'
import type { StateReader } from '../state/state-reader.ts'
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

/** The picker of a pool for one snapshot: its strategy over the primaries, then over the backups. */
export function buildPicker(pool: Pick<PoolSpec, 'strategy' | 'backends' | 'cursor'>, state: StateReader): Picker {
  return tiers(strategies[pool.strategy], { backends: pool.backends, cursor: pool.cursor, state })
}
