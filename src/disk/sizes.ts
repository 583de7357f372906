// From the size that the disk tier may have to the sizes of all that it is made of.
import type { DiskMemorySizes } from '../state/cache-disk/disk-memory.ts'
import { setBytes, ways } from '../state/cache-disk/disk-memory.ts'

const mebibyte = 1024 ** 2
/** A slot for each so many bytes of disk; where answers are much shorter than twice that, the oldest are forgotten sooner. */
const bytesOfSlot = 5 * 1024
const fewestSlots = 8 * 1024
/** More than some ten thousand URLs that were purged begin to take others along that are as old. */
const fewestBanCells = 32 * 1024
/** 96 MB of memory for finding them. */
const mostSlots = 4 * mebibyte
const smallestSegment = mebibyte
const largestSegment = 64 * mebibyte
/** In the file of what was purged a pair of numbers for each cell. */
const cellPairBytes = 12
/** No record is longer: it is checked in one go. */
const longestRecord = 32 * mebibyte

export interface DiskSizes extends DiskMemorySizes {
  /** The file of bans is begun anew at this length. */
  readonly banFileBytes: number
}

const powerOfTwoUpTo = (n: number): number => 2 ** Math.floor(Math.log2(n))
const within = (n: number, least: number, most: number): number => Math.min(most, Math.max(least, n))

/**
 * `segmentBytes`: what the folder has already, kept if it still goes with the size. All files together stay within `size`, those
 * that are replaced counted twice.
 */
export function diskSizes(size: number, lanes: number, segmentBytes: number | null = null): DiskSizes {
  const fitting = within(powerOfTwoUpTo(size / 16), smallestSegment, largestSegment)
  const isKept = segmentBytes !== null && segmentBytes <= fitting * 2 && segmentBytes >= fitting / 16
  const segment = isKept ? segmentBytes : fitting
  const slots = within(powerOfTwoUpTo(size / bytesOfSlot), fewestSlots, mostSlots)
  const banCells = Math.max(slots / 2, fewestBanCells)
  const softCells = banCells / 4
  const banFileBytes = within(powerOfTwoUpTo(size / 256), 64 * 1024, 4 * mebibyte)
  const beside = slots * (setBytes / ways) + (banCells + softCells) * cellPairBytes + banFileBytes + 64 * 1024
  return {
    lanes,
    sets: slots / ways,
    banCells,
    softCells,
    segmentBytes: segment,
    segments: Math.floor((size - 2 * beside) / segment),
    banFileBytes,
  }
}

/** Longer records are not kept. */
export function maxRecordOf(segmentBytes: number): number {
  return Math.min(longestRecord, segmentBytes / 2)
}
