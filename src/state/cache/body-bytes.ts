// Copying into the memory of bodies.
import type { BodyPlace } from './bodies.ts'
import type { BodyParts } from './types.ts'

const copyOf = Buffer.prototype.copy

/**
 * How many bytes they are.
 * @throws RangeError if their ranges are none of the buffer, or do not make up their total: what is stored would be others' bytes.
 */
export function lengthOf(body: BodyParts): number {
  if (typeof body === 'string') return body.length
  const { bytes, ranges, total } = body
  let length = 0
  for (let i = 0; i < ranges.length; i += 2) {
    checkRange(bytes, ranges[i]!, ranges[i + 1]!)
    length += ranges[i + 1]! - ranges[i]!
  }
  if (length !== total) throw new RangeError(`the ranges of a body are ${length} bytes, not ${total}`)
  return length
}

/** @throws RangeError if there are no such bytes. */
export function checkRange(bytes: Uint8Array, start: number, end: number): void {
  if (!(start >= 0 && end >= start && end <= bytes.length))
    throw new RangeError(`a buffer of ${bytes.length} bytes has no range from ${start} to ${end}`)
}

/** Writes all of it to one place. */
export function writeWhole(bytes: Buffer, to: number, body: BodyParts): void {
  if (typeof body === 'string') {
    bytes.latin1Write(body, to, body.length)
    return
  }
  const { bytes: from, ranges } = body
  let at = to
  for (let i = 0; i < ranges.length; i += 2) {
    copyOf.call(from, bytes, at, ranges[i]!, ranges[i + 1]!)
    at += ranges[i + 1]! - ranges[i]!
  }
}

/** Writes all of it to the pages of a body, and its tail. */
export function writeRuns(bytes: Buffer, place: BodyPlace, body: BodyParts): void {
  if (typeof body === 'string') {
    for (let at = 0; at < body.length; ) {
      const run = Math.min(place.run(at), body.length - at)
      bytes.latin1Write(body.slice(at, at + run), place.at(at), run)
      at += run
    }
    return
  }
  let position = 0
  for (let i = 0; i < body.ranges.length; i += 2) {
    writeAt(bytes, place, position, { from: body.bytes, start: body.ranges[i]!, end: body.ranges[i + 1]! })
    position += body.ranges[i + 1]! - body.ranges[i]!
  }
}

/** Writes a run of bytes from `position` of a body on, for which there is memory. */
export function writeAt(
  bytes: Buffer,
  place: BodyPlace,
  position: number,
  o: { from: Uint8Array; start: number; end: number },
): void {
  let at = position
  for (let start = o.start; start < o.end; ) {
    const run = Math.min(place.run(at), o.end - start)
    copyOf.call(o.from, bytes, place.at(at), start, start + run)
    at += run
    start += run
  }
}
