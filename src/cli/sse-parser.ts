// Server-sent events out of a byte stream, piece by piece, as the HTML standard (section 9.2.6) has them parsed.

/** One event; `id` is the last one that the stream has named, '' before. */
export interface ServerSentEvent {
  readonly type: string
  readonly data: string
  readonly id: string
}

/** Longest event that is kept together, in characters: what is longer is no stream of ours. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024

export class SseParser {
  #decoder = new TextDecoder()
  #rest = ''
  #type = ''
  #data: string[] = []
  #id = ''

  /** The events that this piece completes. Throws where one grows without end. */
  push(piece: Uint8Array): ServerSentEvent[] {
    const text = this.#rest + this.#decoder.decode(piece, { stream: true })
    const events: ServerSentEvent[] = []
    let from = 0
    for (;;) {
      const end = lineEnd(text, from)
      // A CR at the very end may be the first half of CRLF.
      if (end === -1 || (text[end] === '\r' && end + 1 === text.length)) break
      this.#line(text.slice(from, end), events)
      from = end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1)
    }
    this.#rest = text.slice(from)
    if (this.#rest.length > MAX_EVENT_LENGTH) throw new Error('an event of the stream has no end')
    return events
  }

  #line(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) {
        events.push({ type: this.#type === '' ? 'message' : this.#type, data: this.#data.join('\n'), id: this.#id })
      }
      this.#type = ''
      this.#data = []
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#type = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
  }
}

function lineEnd(text: string, from: number): number {
  const lf = text.indexOf('\n', from)
  const cr = text.indexOf('\r', from)
  if (lf === -1) return cr
  return cr === -1 ? lf : Math.min(lf, cr)
}
