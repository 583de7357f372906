// Copies of small reads, made before they are written on: they lie in one small buffer that serves again and again, and
// each length has its view made once. So a small message passes without anything being allocated for it.
import { sharedBuffer } from './read-buffers.ts'

/** Longer reads are copied otherwise; there is a pair of views for each length up to this. */
export const SMALL_BYTES = 1024

type Views = (Uint8Array | undefined)[]
const noViews = (): Views => new Array<Uint8Array | undefined>(SMALL_BYTES + 1).fill(undefined)

const sources: Views = noViews()
let copies: Views = noViews()
let buffer = Buffer.allocUnsafeSlow(SMALL_BYTES)

/** The first `size` bytes of the shared buffer, good until the next call, or for ever after `keepSmall`. */
export function copySmall(size: number): Uint8Array {
  const copy = copies[size] ?? addViews(size)
  copy.set(sources[size]!)
  return copy
}

/** A write still reads from the last copy: the next ones are made elsewhere. */
export function keepSmall(): void {
  buffer = Buffer.allocUnsafeSlow(SMALL_BYTES)
  copies = noViews()
}

function addViews(size: number): Uint8Array {
  const copy = buffer.subarray(0, size)
  copies[size] = copy
  sources[size] ??= sharedBuffer.subarray(0, size)
  return copy
}
