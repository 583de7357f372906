// The fields of an answer whose body is compressed on its way: what is not true of it any more is put right or taken out.
import { isName, trimmed } from '../../util/field-block.ts'
import { withoutReserved } from '../hygiene/reserved-fields.ts'
import type { Verdict } from './compression.ts'

/**
 * Digests of the bytes as the backend sent them (RFC 9530; RFC 3230 and Content-MD5 before it), and ranges, which
 * could not be cut out of what we make.
 */
const UNTRUE: ReadonlySet<string> = new Set(['accept-ranges', 'content-digest', 'content-md5', 'digest', 'repr-digest'])

/** The end-to-end fields of an answer of that verdict. `status`: a 304 has no body that could be encoded. */
export function codedFields(forward: string, verdict: Exclude<Verdict, null>, status: number): string {
  const told = withVary(forward)
  if (verdict === 'identity') return told
  const fields = withWeakTag(withoutReserved(told, UNTRUE))
  return status === 304 ? fields : `${fields}Content-Encoding: ${verdict}\r\n`
}

/** Trailer fields of an answer that is compressed. */
export function codedTrailers(trailers: string): string {
  return trailers === '' ? '' : withoutReserved(trailers, UNTRUE)
}

/** Without it a cache would give one client's coding to another (RFC 9110 §12.5.5). */
function withVary(block: string): string {
  let last = -1
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r\n', colon)
    if (colon - position === 4 && isName(block, position, 'vary')) {
      const value = trimmed(block, colon + 1, end)
      if (/(?:^|,)[\t ]*(?:\*|accept-encoding)[\t ]*(?:,|$)/i.test(value)) return block
      if (value !== '') last = end
    }
    position = end + 2
  }
  if (last < 0) return `${block}Vary: Accept-Encoding\r\n`
  return `${block.slice(0, last)}, Accept-Encoding${block.slice(last)}`
}

/** A strong tag names bytes, and these are others (RFC 9110 §8.8.1). */
function withWeakTag(block: string): string {
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r\n', colon)
    if (colon - position === 4 && isName(block, position, 'etag')) {
      const value = trimmed(block, colon + 1, end)
      if (!value.startsWith('"')) return block
      return `${block.slice(0, colon)}: W/${value}${block.slice(end)}`
    }
    position = end + 2
  }
  return block
}
