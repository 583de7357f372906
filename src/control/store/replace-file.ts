// The configuration file with another text: the file that a link leads to, with its owner and permissions, as editors do.

import { chmod, chown, realpath, stat } from 'node:fs/promises'
import { ControlError } from '../control-error.ts'
import { errorCode, nodeFileSystem } from './file-system.ts'
import { writeSynced } from './write-synced.ts'

/** Nobody else calls a file so. */
const besides = (file: string): string => `${file}.frontdesk-save.tmp`

/** @throws ControlError no-space, failed; then the file is as it was. */
export async function replaceFile(path: string, text: string): Promise<void> {
  let file = path
  try {
    file = await realpath(path)
    const before = await stat(file)
    const beforeRename = (written: string): Promise<void> => dress(written, before)
    await writeSynced(nodeFileSystem, file, text, { temporary: besides(file), beforeRename })
  } catch (error) {
    await nodeFileSystem.unlink(besides(file)).catch(() => undefined)
    const code = errorCode(error)
    throw new ControlError(
      code === 'ENOSPC' ? 'no-space' : 'failed',
      `${path} cannot be written (${code}). Nothing was changed`,
    )
  }
}

/** Where we may not say whose it is, it is ours from now on; another group gets nothing that it had not. */
async function dress(
  file: string,
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  const isGroupKept = await chown(file, uid, gid)
    .catch(() => chown(file, -1, gid))
    .then(
      () => true,
      () => false,
    )
  await chmod(file, mode & (isGroupKept ? 0o777 : 0o707))
}
