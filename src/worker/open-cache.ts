// The memory for cached answers as one data plane has it open, in its own lane; and what is on disk.

import { attachDisk } from '../disk/attach-disk.ts'
import type { DiskTier } from '../disk/types.ts'
import type { CachePlane } from '../pool/cache-plane.ts'
import { CacheStore } from '../state/cache/cache-store.ts'
import type { SharedCache } from './protocol.ts'

export interface OpenCache extends CachePlane {
  memory: SharedCache
  disk: DiskTier | null
}

/** `before`: what the plane has, used again as far as it is the same. Throws what keeps it from being opened. */
export function openCache(memory: SharedCache | null, before: OpenCache | null, lane: number): OpenCache | null {
  if (memory === null) return null
  // Each thread has an object of its own for the same memory.
  const isSame = before?.memory.id === memory.id
  const isSameDisk = before?.memory.disk?.id === memory.disk?.id
  if (before !== null && isSame && isSameDisk) return before
  const store = before !== null && isSame ? before.store : new CacheStore(memory.buffer, lane)
  const disk = isSameDisk ? (before?.disk ?? null) : attach(memory, store.now.bind(store), lane)
  return { memory, store, disk }
}

/** A disk that was opened after the memory. */
export function setDisk(cache: OpenCache, memory: SharedCache, lane: number): void {
  if (cache.memory.disk?.id === memory.disk?.id) return
  cache.disk = attach(memory, cache.store.now.bind(cache.store), lane)
  cache.memory = memory
}

/**
 * Another has come in its place. Returns what closes the disk that nobody uses any more, and when what was to be written is;
 * null = there is none.
 */
export function leaveCache(cache: OpenCache, next: OpenCache | null): (() => Promise<void>) | null {
  const { disk } = cache
  // What is on its way into a memory that is left is not purged there, and must not get back from disk.
  if (cache.store !== next?.store) cache.disk = null
  return disk === null || disk === next?.disk ? null : () => disk.close()
}

/** Unless the other one has the same. Resolves when what was to be written is. */
export async function closeDisk(cache: OpenCache | null, other: OpenCache | null): Promise<void> {
  if (cache?.disk !== other?.disk) await cache?.disk?.close()
}

function attach({ disk }: SharedCache, now: () => number, lane: number): DiskTier | null {
  return disk === null ? null : attachDisk({ shared: disk.shared, lane, now })
}
