// A file put in the place of another so that whoever reads it, be it after a crash, reads all of the old or all of the new.

import { dirname } from 'node:path'
import type { FileSystem } from './file-system.ts'

export interface WriteSteps {
  /** Where it is written first; default `<path>.tmp`. */
  readonly temporary?: string
  /** What else the new file needs before it is one. */
  readonly beforeRename?: (temporary: string) => Promise<void>
  /** From now on the old file is gone, although that is not durable yet. */
  readonly onRenamed?: () => void
}

/** Returns when it is on the medium. What a failure leaves of the temporary file the next write takes away. */
export async function writeSynced(fs: FileSystem, path: string, text: string, steps: WriteSteps = {}): Promise<void> {
  const { temporary = `${path}.tmp` } = steps
  const file = await fs.open(temporary, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await steps.beforeRename?.(temporary)
  await fs.rename(temporary, path)
  steps.onRenamed?.()
  // The rename itself is only durable once the folder is.
  const folder = await fs.open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
