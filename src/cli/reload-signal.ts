// HUP: reads the configuration file and the certificates again, applies what can be applied, and says what cannot. Never
// ends the program.
import type { Running } from '../supervisor/frontdesk.ts'

/**
 * Installs the handler; one reload at a time, and one more when HUP came meanwhile. `running` gives undefined while it
 * starts: what it starts with has just been read.
 */
export function reloadOnHangup(running: () => Running | undefined): void {
  let busy = false
  let again = false
  const onHangup = async (): Promise<void> => {
    again = true
    if (busy) return
    busy = true
    while (again) {
      again = false
      // What became of it is in the log.
      await running()
        ?.reloadFile()
        .catch(() => undefined)
    }
    busy = false
  }
  process.on('SIGHUP', onHangup)
}
