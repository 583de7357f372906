// What is on disk of a proxy that caches, for tests that wait for it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CacheDiskStats } from '../../src/control/cache/cache.ts'
import type { CacheStand } from './cache-stand.ts'
import type { Scope } from './leaks.ts'
import { until } from './wait.ts'

/** An empty folder that is gone after the test. */
export function diskFolder(scope: Scope): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-cache-'))
  scope.defer(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Null = there is no disk. */
export const onDisk = async ({ proxy }: CacheStand): Promise<CacheDiskStats | null> =>
  (await proxy.running.cache.stats()).disk

/** What is written behind is there. */
export const untilOnDisk = (made: CacheStand, count: number): Promise<void> =>
  untilDisk(made, `${count} entries are on disk`, (disk) => disk?.entries === count)

export async function untilDisk(
  made: CacheStand,
  what: string,
  holds: (disk: CacheDiskStats | null) => boolean,
): Promise<void> {
  let isSo = false
  let isLooking = false
  const look = async (): Promise<void> => {
    isSo = holds(await onDisk(made))
    isLooking = false
  }
  await until(what, () => {
    if (!isLooking) void look()
    isLooking = true
    return isSo
  })
}
