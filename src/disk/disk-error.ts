// Why the disk tier cannot be used, or has not done what it was asked for.
import { FrontdeskError } from '../core/frontdesk-error.ts'

/**
 * `code`: the system's (`EACCES`, `ENOSPC`), or `EBUSY` for a folder that another process uses, `ENOTEMPTY` for one with files
 * that are not of a cache, `EPERM` for one that others may write to. `message` says how to mend it.
 */
export class DiskError extends FrontdeskError {
  override readonly name = 'DiskError'
}
