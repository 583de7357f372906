// Decoder of the chunked transfer coding (RFC 9112 §7.1), the same for both sides, strict, bounded in every part.
import { BROKEN_LINE, FIELD_BLOCK } from './grammar.ts'

/** Where the data of the last `feed` lies: pairs of start and end in the bytes given. */
export type Ranges = number[]

/** Digits of a chunk size: leading zeros included, value at most 2^53-1 by the check on the sum. */
const MAX_SIZE_DIGITS = 16
/** Extensions mean nothing to us; all of a message's together (CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 8 * 1024
const MAX_TRAILER_BYTES = 8 * 1024

/** Inside an extension: `;name`, `;name=token`, `;name="quoted"`. */
type ExtensionState = 'name' | 'in-name' | 'value' | 'in-value' | 'quoted' | 'escaped' | 'after-quoted'

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'done'

const CR = 13
const LF = 10
const QUOTE = 34
const BACKSLASH = 92
const SEMICOLON = 59
const EQUALS = 61
const TOKEN_BYTES = new Set(
  [..."!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"].map((c) => c.charCodeAt(0)),
)

function isTokenByte(byte: number): boolean {
  return TOKEN_BYTES.has(byte)
}

/** HTAB, SP, visible and obs-text: what a quoted string may hold. */
function isQuotable(byte: number): boolean {
  return byte === 9 || (byte >= 32 && byte !== 127)
}

export class ChunkedDecoder {
  done = false
  /** Trailer section, each line with CRLF; '' for none. Valid when done. */
  trailers = ''
  readonly ranges: Ranges = []
  /** Data bytes in `ranges`. */
  total = 0
  #state: State = 'size'
  #size = 0
  #digits = 0
  #extensionBytes = 0
  #extension: ExtensionState = 'name'
  #trailerText = '\r\n'

  /**
   * Reads `bytes[start..end)`. Returns the position after the last byte used (less than `end` only when done),
   * or -1 when the coding is broken; then the message must not be passed on as complete.
   */
  feed(bytes: Buffer, start: number, end: number): number {
    this.ranges.length = 0
    this.total = 0
    let position = start
    while (position < end) {
      switch (this.#state) {
        case 'size': {
          const digit = hexDigit(bytes[position]!)
          if (digit < 0) {
            if (this.#digits === 0 || !this.#endOfSize(bytes[position]!)) return -1
          } else {
            if (++this.#digits > MAX_SIZE_DIGITS) return -1
            this.#size = this.#size * 16 + digit
            if (this.#size > Number.MAX_SAFE_INTEGER) return -1
          }
          position++
          break
        }
        case 'extension':
          if (++this.#extensionBytes > MAX_EXTENSION_BYTES || !this.#extensionByte(bytes[position]!)) return -1
          position++
          break
        case 'size-lf':
          if (bytes[position]! !== LF) return -1
          position++
          this.#state = this.#size === 0 ? 'trailer' : 'data'
          break
        case 'data': {
          const to = Math.min(end, position + this.#size)
          this.ranges.push(position, to)
          this.total += to - position
          this.#size -= to - position
          position = to
          if (this.#size === 0) this.#state = 'data-cr'
          break
        }
        case 'data-cr':
          if (bytes[position]! !== CR) return -1
          position++
          this.#state = 'data-lf'
          break
        case 'data-lf':
          if (bytes[position]! !== LF) return -1
          position++
          this.#digits = 0
          this.#state = 'size'
          break
        case 'trailer':
          return this.#trailer(bytes, position, end)
        case 'done':
          return position
      }
    }
    return position
  }

  #endOfSize(byte: number): boolean {
    if (byte === SEMICOLON) {
      this.#state = 'extension'
      this.#extension = 'name'
    } else if (byte === CR) this.#state = 'size-lf'
    else return false
    return true
  }

  /** The grammar of RFC 9112 §7.1.1 without its optional white space, which nobody sends. */
  #extensionByte(byte: number): boolean {
    switch (this.#extension) {
      case 'name':
        this.#extension = 'in-name'
        return isTokenByte(byte)
      case 'in-name':
        if (byte === EQUALS) this.#extension = 'value'
        else return isTokenByte(byte) || this.#endOfExtension(byte)
        return true
      case 'value':
        this.#extension = byte === QUOTE ? 'quoted' : 'in-value'
        return byte === QUOTE || isTokenByte(byte)
      case 'in-value':
        return isTokenByte(byte) || this.#endOfExtension(byte)
      case 'quoted':
        if (byte === QUOTE) this.#extension = 'after-quoted'
        else if (byte === BACKSLASH) this.#extension = 'escaped'
        return isQuotable(byte)
      case 'escaped':
        this.#extension = 'quoted'
        return isQuotable(byte)
      case 'after-quoted':
        return this.#endOfExtension(byte)
    }
  }

  #endOfExtension(byte: number): boolean {
    if (byte === SEMICOLON) this.#extension = 'name'
    else if (byte === CR) this.#state = 'size-lf'
    else return false
    return true
  }

  #trailer(bytes: Buffer, start: number, end: number): number {
    const before = this.#trailerText.length
    // The text begins with the CRLF of the last-chunk line, so that no trailers at all also end in CRLF CRLF.
    const text = this.#trailerText + bytes.latin1Slice(start, Math.min(end, start + MAX_TRAILER_BYTES))
    const close = text.indexOf('\r\n\r\n')
    if (close < 0) {
      if (text.length > MAX_TRAILER_BYTES || BROKEN_LINE.test(text)) return -1
      this.#trailerText = text
      return end
    }
    const lines = text.slice(2, close + 2)
    if (!FIELD_BLOCK.test(lines)) return -1
    this.trailers = lines
    this.done = true
    this.#state = 'done'
    return start + (close + 4 - before)
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
