// The buffers that wires read into: one shared by all wires of this thread, and a few for long messages.

/** Size of one read, in bytes: 64 KiB, which many messages are long, and any head before them. */
export const READ_BUFFER_BYTES = 80 * 1024
/** A buffer of a wire alone also takes the head that is put before the first part of a body. */
export const OWN_BUFFER_BYTES = READ_BUFFER_BYTES + 32 * 1024
const KEPT = 64

/** What every wire reads into that is not in the middle of a long message. Nothing in it outlives the call. */
export const sharedBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

/** Wires that may have a buffer of their own at once; the others copy. Bounds what many slow transfers can hold. */
const MAX_OWN = 256

const free: Buffer[] = []
let own = 0

/** A buffer for one wire's reads alone, or null: too many have one. Give it back with `endOwn`. */
export function takeOwn(): Buffer | null {
  if (own >= MAX_OWN) return null
  own++
  return takeBuffer()
}

/** `reusable`: nobody reads into it and nothing of it is in flight. */
export function endOwn(buffer: Buffer, reusable: boolean): void {
  own--
  if (reusable) giveBuffer(buffer)
}

export function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(OWN_BUFFER_BYTES)
}

/** Only for a buffer that nobody reads into, and that no write is under way from. */
export function giveBuffer(buffer: Buffer): void {
  if (free.length < KEPT) free.push(buffer)
}
