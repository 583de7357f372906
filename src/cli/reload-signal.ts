// HUP: reads the configuration file and the certificates again, applies what can be applied, and says what cannot. Never
// ends the program.
import { setTimeout as pause } from 'node:timers/promises'
import type { Running } from '../supervisor/frontdesk.ts'
import { type ServiceManager, servingWords } from './service-manager.ts'

/** How often it is looked whether the start is over. */
const START_POLL_MS = 20

/**
 * Installs the handler; one reload at a time, and one more when HUP came meanwhile. `running` gives undefined while it
 * starts: what it starts with was read before the signal, so that it is read again when it runs.
 */
export function reloadOnHangup(running: () => Running | undefined, manager: ServiceManager): void {
  let busy = false
  let again = false
  const onHangup = async (): Promise<void> => {
    again = true
    if (busy) return
    busy = true
    while (again) {
      again = false
      const now = await begun(running)
      manager.reloading()
      // What became of it is in the log.
      await now.reloadFile().catch(() => undefined)
      manager.ready(servingWords(now))
    }
    busy = false
  }
  process.on('SIGHUP', onHangup)
}

/** A start that fails ends the process. */
async function begun(running: () => Running | undefined): Promise<Running> {
  let now = running()
  while (now === undefined) {
    await pause(START_POLL_MS, undefined, { ref: false })
    now = running()
  }
  return now
}
