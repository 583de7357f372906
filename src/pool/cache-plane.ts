// What one thread keeps cached answers in, as its exchanges find it.
import type { DiskTier } from '../disk/types.ts'
import type { CacheStoreApi } from '../state/cache/types.ts'

/** An exchange that has begun with one keeps it: another configuration may bring another. */
export interface CachePlane {
  /** In memory, shared by all workers. */
  readonly store: CacheStoreApi
  /** What survives a restart; null = memory only, also once the memory is left: what ends up there is purged by nobody. */
  readonly disk: DiskTier | null
}
