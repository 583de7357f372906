// Reads the answer that the data plane writes to a memory wire: heads, the body in its framing, trailers.
import { answerBody } from '../http/http1/answer-body.ts'
import type { BodyReader } from '../http/http1/body.ts'
import { parseResponseHead, type ResponseHead, type ResponseRules } from '../http/http1/response-head.ts'

export interface AnswerSink {
  onInterim(head: ResponseHead): void
  /** Without a body `onEnd` follows at once. */
  onHead(head: ResponseHead, hasBody: boolean): void
  /** A part of the body that is not the last one. */
  onBody(bytes: Buffer): void
  /** The answer is complete. `last`: the last part of the body, if there is one; `trailers`: whole lines, or ''. */
  onEnd(last: Buffer | null, trailers: string): void
  /** What came is no answer: a bug of ours. */
  onBroken(): void
}

/** It comes from ourselves: nothing is hidden, and its size has been judged. */
const rules: ResponseRules = { maxFields: Number.MAX_SAFE_INTEGER, hide: [] }

const HEAD_END = '\r\n\r\n'

export class AnswerReader {
  /** Whether everything has been read, or nothing more will be. */
  done = false
  readonly #method: string
  readonly #sink: AnswerSink
  /** The beginning of a head. */
  #partial: Buffer | null = null
  #body: BodyReader | null = null

  constructor(method: string, sink: AnswerSink) {
    this.#method = method
    this.#sink = sink
  }

  feed(bytes: Buffer): void {
    if (this.done) return
    if (this.#body !== null) this.#feedBody(bytes, 0)
    else this.#feedHead(this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes]))
  }

  #feedHead(bytes: Buffer): void {
    this.#partial = null
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(HEAD_END, start, 'latin1')
      if (end < 0) {
        this.#partial = bytes.subarray(start)
        return
      }
      const head = parseResponseHead(bytes.latin1Slice(start, end + 4), 0, end - start, rules)
      start = end + 4
      if (head === null || head.status === 101) {
        this.#breakOff()
        return
      }
      if (head.status >= 200) {
        this.#begin(head, bytes, start)
        return
      }
      this.#sink.onInterim(head)
    }
  }

  #begin(head: ResponseHead, bytes: Buffer, start: number): void {
    const body = answerBody(this.#method, head)
    this.#body = body
    this.#sink.onHead(head, !body.done)
    if (body.done) this.#end(null)
    else if (start < bytes.length) this.#feedBody(bytes, start)
  }

  #feedBody(bytes: Buffer, start: number): void {
    const body = this.#body!
    if (body.feed(bytes, start, bytes.length) < 0) {
      this.#breakOff()
      return
    }
    const { ranges } = body
    const last = ranges.length - 2
    for (let at = 0; at < last; at += 2) this.#sink.onBody(bytes.subarray(ranges[at]!, ranges[at + 1]!))
    const rest = last < 0 ? null : bytes.subarray(ranges[last]!, ranges[last + 1]!)
    if (body.done) this.#end(rest)
    else if (rest !== null) this.#sink.onBody(rest)
  }

  #end(last: Buffer | null): void {
    this.done = true
    this.#sink.onEnd(last, this.#body!.trailers)
  }

  #breakOff(): void {
    this.done = true
    this.#sink.onBroken()
  }
}
