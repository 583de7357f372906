// Puts another configuration into force in a Frontdesk that runs inside a program, and leaves in the log what it changed.
import type { LoadedConfig } from '../config/load.ts'
import type { Log } from '../core/log.ts'
import type { Running } from '../supervisor/frontdesk.ts'
import type { ApplyOptions, ApplyResult } from './frontdesk.ts'
import { NeedsRestartError } from './needs-restart-error.ts'

/** Rejects with ConfigError, NeedsRestartError or ControlError, and then nothing has changed. */
export async function applyLoaded(
  running: Running,
  loaded: LoadedConfig,
  o: ApplyOptions & { readonly log: Log },
): Promise<ApplyResult> {
  const { dryRun = false, log } = o
  const result = await running.reload(loaded, { dryRun })
  if (!result.applied) throw new NeedsRestartError(result.needsRestart)
  const { revision, changes, refused, plan } = result
  if (dryRun) return { revision, changes, refused, plan }
  for (const warning of loaded.warnings) log.event('warn', 'configuration', warning)
  const words = changes.length === 0 ? 'nothing in it is new' : changes.join('; ')
  log.event('info', 'reloaded', `configuration applied (program, revision ${revision}): ${words}`, { revision })
  return { revision, changes, refused, plan }
}
