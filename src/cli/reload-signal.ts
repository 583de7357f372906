// HUP: reads the configuration file and the certificates again, applies what can be applied, and says what cannot. Never
// ends the program.
import type { Running } from '../supervisor/frontdesk.ts'
import { type ServiceManager, servingWords } from './service-manager.ts'

/**
 * Installs the handler; one reload at a time, and one more when HUP came meanwhile. `running` gives undefined while it
 * starts: what it starts with has just been read.
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
      manager.reloading()
      // What became of it is in the log.
      await running()
        ?.reloadFile()
        .catch(() => undefined)
      const now = running()
      if (now !== undefined) manager.ready(servingWords(now))
    }
    busy = false
  }
  process.on('SIGHUP', onHangup)
}
