// Small bodies that are there whole: compressed on the spot, which costs the event loop no more than handing them to a
// thread and back would.
import type { Coding } from './accept-encoding.ts'
import { compressSync } from './engines.ts'

/** Up to here: below 0.1 ms, whatever the coding (bench/micro/compression.ts). */
export const WHOLE_BODY_BYTES = 16 * 1024

/**
 * The body compressed, or null where it would not be smaller. `ranges`: pairs of start and end in `bytes`, as of a
 * BodyReader, `total` bytes in all.
 */
export function compressWhole(
  coding: Coding,
  bytes: Buffer,
  { ranges, total }: { readonly ranges: readonly number[]; readonly total: number },
): Buffer | null {
  const whole = ranges.length <= 2 ? bytes.subarray(ranges[0] ?? 0, ranges[1] ?? 0) : joined(bytes, ranges, total)
  const compressed = compressSync(coding, whole)
  return compressed.length < total ? compressed : null
}

/** The runs of `bytes` as one buffer of its own. */
export function joined(bytes: Buffer, ranges: readonly number[], total: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(total)
  let at = 0
  for (let index = 0; index < ranges.length; index += 2) at += bytes.copy(whole, at, ranges[index], ranges[index + 1])
  return whole
}
