// HUP: reads the configuration file again, applies what can be applied, and says what cannot. Never ends the program.
import type { LoadedConfig } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import type { Running } from '../supervisor/frontdesk.ts'

export interface ReloadOptions {
  /** undefined while it starts: what it starts with has just been read. */
  readonly running: () => Running | undefined
  readonly log: Log
  readonly load: () => LoadedConfig
}

/** Installs the handler; one reload at a time, and one more when HUP came meanwhile. */
export function reloadOnHangup(o: ReloadOptions): void {
  let busy = false
  let again = false
  const onHangup = async (): Promise<void> => {
    again = true
    if (busy) return
    busy = true
    while (again) {
      again = false
      const running = o.running()
      if (running !== undefined) await reload(running, o)
    }
    busy = false
  }
  process.on('SIGHUP', onHangup)
}

async function reload(running: Running, { log, load }: ReloadOptions): Promise<void> {
  try {
    const loaded = load()
    for (const warning of loaded.warnings) log.event('warn', 'configuration', warning)
    const result = await running.reload(loaded)
    if (!result.applied) {
      const keys = result.needsRestart
      log.event('warn', 'reload_refused', `nothing changed: ${keys.join(', ')} can only change with a restart`, {
        keys,
      })
    } else if (result.changes.length === 0) {
      log.event('info', 'reloaded', 'configuration read again: nothing in it has changed', {
        revision: result.revision,
      })
    } else {
      const { changes, revision } = result
      log.event('info', 'reloaded', `configuration applied as revision ${revision}: ${changes.join('; ')}`, {
        changes,
        revision,
      })
    }
  } catch (error) {
    running.reloadFailed()
    reportFailure(error, log)
  }
}

function reportFailure(error: unknown, log: Log): void {
  const consequence = 'nothing changed, the old configuration goes on'
  if (error instanceof ConfigError) {
    for (const problem of error.problems) {
      log.event('error', 'reload_failed', `${formatProblem(problem)} (${consequence})`, { problem })
    }
    return
  }
  log.event('error', 'reload_failed', `${(error as Error).message} (${consequence})`)
}
