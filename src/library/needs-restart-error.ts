// A configuration that a running process cannot follow.
import { FrontdeskError } from '../core/frontdesk-error.ts'

/** Nothing was changed: these keys differ, and can only change with a new Frontdesk. */
export class NeedsRestartError extends FrontdeskError {
  override readonly name = 'NeedsRestartError'
  /** `pools.api.strategy`, `listeners.web.listen`. */
  readonly keys: readonly string[]

  constructor(keys: readonly string[]) {
    super('needs-restart', `${keys.join(', ')} can only change with a new Frontdesk; nothing was changed`)
    this.keys = keys
  }
}
