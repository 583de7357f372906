// Puts another configuration into force in a Frontdesk that runs inside a program, and leaves in the log what it changed.
import type { LoadedConfig } from '../config/load.ts'
import type { Log } from '../core/log.ts'
import type { Running } from '../supervisor/frontdesk.ts'
import type { ApplyResult } from './frontdesk.ts'
import { NeedsRestartError } from './needs-restart-error.ts'

/** Rejects with ConfigError, NeedsRestartError or ControlError, and then nothing has changed. */
export async function applyLoaded(running: Running, loaded: LoadedConfig, log: Log): Promise<ApplyResult> {
  const result = await running.reload(loaded).catch((error: unknown) => {
    throw loaded.locate(error)
  })
  if (!result.applied) throw new NeedsRestartError(result.needsRestart)
  for (const warning of loaded.warnings) log.event('warn', 'configuration', warning)
  const { revision, changes, refused } = result
  const words = changes.length === 0 ? 'nothing in it is new' : changes.join('; ')
  log.event('info', 'reloaded', `configuration applied (program, revision ${revision}): ${words}`, { revision })
  return { revision, changes, refused }
}
