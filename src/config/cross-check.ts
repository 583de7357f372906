// What no single value can tell: whether the parts of a configuration fit each other.
import { checkAddresses } from './cross-check/addresses.ts'
import { checkAdmin } from './cross-check/admin.ts'
import { checkCacheStore } from './cross-check/cache-store.ts'
import { type CheckOptions, checkInto } from './cross-check/check.ts'
import { checkPoolsOfListeners } from './cross-check/kinds.ts'
import { checkFiles, checkRoom } from './cross-check/limits.ts'
import { checkListeners } from './cross-check/listeners.ts'
import { checkLogging } from './cross-check/logging.ts'
import { checkPool } from './cross-check/pools.ts'
import { checkRoutes } from './cross-check/routes.ts'
import { decideKinds } from './pool-kind.ts'
import type { Problem } from './problem.ts'
import type { LongForm } from './schema/file.ts'
import type { SourceNode } from './source-tree.ts'

/** Every problem between the parts; `tree` is the expanded one, for places. */
export function crossCheck(config: LongForm, tree: SourceNode, options: CheckOptions): Problem[] {
  const problems: Problem[] = []
  const check = checkInto(problems, { config, tree, options, kinds: decideKinds(config) })
  checkAddresses(check)
  checkAdmin(check)
  checkListeners(check)
  checkPoolsOfListeners(check)
  checkRoutes(check)
  checkRoom(check)
  checkFiles(check)
  checkLogging(check)
  checkCacheStore(check)
  for (const [name, pool] of Object.entries(config.pools)) checkPool(check, name, pool)
  return problems
}
