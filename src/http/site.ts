// From a snapshot to what the HTTP handler of one listener works with.
import type { ListenerSpec, Snapshot } from '../core/spec.ts'
import type { Pool } from '../pool/pool.ts'
import type { Site } from './context.ts'

/** What a snapshot says for one listener, ready to use. */
export function buildSite(
  snapshot: Snapshot,
  listener: ListenerSpec,
  pool: Pool,
  isTrusted: (address: string) => boolean,
): Site {
  const { limits } = snapshot
  return {
    listener,
    pool,
    limits,
    headLimits: { instanceId: snapshot.instanceId, maxFields: limits.headerCount, targetSize: limits.targetSize },
    responseRules: { maxFields: Math.max(limits.headerCount, 256), hide: pool.spec.hideHeaders },
    isTrusted,
  }
}
