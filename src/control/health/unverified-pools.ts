// Pools whose backends anybody could answer for.
import type { PoolSpec } from '../../core/spec.ts'
import { speaksTls } from '../../net/tls/backend-context.ts'

/** The pools that speak TLS without verifying anything, each with the warning. */
export function unverifiedPools(pools: readonly PoolSpec[]): { readonly pool: string; readonly message: string }[] {
  return pools
    .filter((pool) => !pool.tls.verify && pool.backends.some(speaksTls))
    .map(({ name: pool }) => ({
      pool,
      message: `pool ${pool}: the certificates of its backends are not verified (tls.verify is false): anybody between could answer for them`,
    }))
}
