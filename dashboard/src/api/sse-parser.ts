// Reads the text of a stream of server-sent events (WHATWG HTML, 9.2.6), piece by piece.

export interface SseFrame {
  readonly event: string
  readonly data: string
  /** The id in force after this frame; '' = none yet. */
  readonly id: string
}

/** Gives each whole frame of the pieces it is fed; what is not whole yet waits for the next piece. */
export class SseParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id = ''

  /** The last id seen, also of frames without data. */
  get lastId(): string {
    return this.#id
  }

  feed(piece: string): SseFrame[] {
    const frames: SseFrame[] = []
    // A CR at the end may be the first half of a CRLF.
    const text = this.#rest + piece
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop()!
    for (const line of lines) {
      const frame = this.#line(line)
      if (frame !== null) frames.push(frame)
    }
    return frames
  }

  #line(line: string): SseFrame | null {
    if (line === '') return this.#end()
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'event') this.#event = value
    else if (name === 'data') this.#data.push(value)
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    return null
  }

  #end(): SseFrame | null {
    const { length } = this.#data
    const frame = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }
    this.#event = ''
    this.#data = []
    return length === 0 ? null : frame
  }
}
