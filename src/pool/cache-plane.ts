// The cache as the data plane of one worker reaches it.
import type { CacheStoreApi } from '../state/cache/types.ts'

export interface CachePlane {
  /** Shared by all workers. */
  readonly store: CacheStoreApi
}
