// A worker's way to the disk tier that the main thread has opened.
import { type DiskFiles, nodeFiles } from './files.ts'
import { LaneTier } from './lane-tier.ts'
import type { AttachDiskOptions, DiskTier } from './types.ts'

/** @throws Error if `shared` is of another version, RangeError if there is no such lane. `files`: for tests. */
export function attachDisk(options: AttachDiskOptions, files: DiskFiles = nodeFiles): DiskTier {
  return new LaneTier({ ...options, files })
}
