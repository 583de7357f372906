// Passing on a body as it arrives: bytes as they are, or in chunks of our own. One write per read.
import type { ReadSide, Wire } from '../../net/wire.ts'
import { nothingReserved } from '../hygiene/reserved-fields.ts'
import { forwardableTrailers } from '../hygiene/trailers.ts'
import type { BodyReader } from './body.ts'

/** How a body is framed towards the receiver. */
export type Outgoing = 'raw' | 'chunked'

/**
 * Writes what `body` read last from `bytes` to `to`, after `head` (or ''). Pauses `from` while the kernel is full.
 * With `chunked`, the last chunk goes out with the last data and never before the sender's own. `reserved`: trailer
 * fields that a client must not send.
 */
export function relayBody(
  to: Wire,
  head: string,
  from: ReadSide,
  bytes: Buffer,
  body: BodyReader,
  outgoing: Outgoing,
  reserved: ReadonlySet<string> = nothingReserved,
): void {
  const { ranges, total } = body
  if (outgoing === 'raw') {
    if (ranges.length <= 2) {
      if (head !== '') to.relayAfter(head, from, bytes, ranges[0] ?? 0, ranges[1] ?? 0)
      else if (total > 0) to.relay(from, bytes, ranges[0]!, ranges[1]!)
    } else to.relayParts(head, from, bytes, ranges, total, '')
    return
  }
  const before = total === 0 ? head : `${head}${total.toString(16)}\r\n`
  const after = (total === 0 ? '' : '\r\n') + (body.done ? lastChunk(body.trailers, reserved) : '')
  if (before !== '' || after !== '') to.relayParts(before, from, bytes, ranges, total, after)
}

/** As `relayBody`, as text: what is kept for a further attempt. The last chunk of a body with trailers is left out. */
export function bodyText(bytes: Buffer, body: BodyReader): string {
  const { ranges, total } = body
  let data = ''
  for (let at = 0; at < ranges.length; at += 2) data += bytes.latin1Slice(ranges[at], ranges[at + 1])
  if (body.kind !== 'chunked') return data
  const chunk = total === 0 ? '' : `${total.toString(16)}\r\n${data}\r\n`
  return body.done && body.trailers === '' ? chunk + lastChunk('', nothingReserved) : chunk
}

/** The last chunk with the trailers that may be passed on. */
export function lastChunk(trailers: string, reserved: ReadonlySet<string>): string {
  return trailers === '' ? '0\r\n\r\n' : `0\r\n${forwardableTrailers(trailers, reserved)}\r\n`
}
