// The body of an answer, of a backend or from the cache, on its way to the client: as it comes, in chunks of ours, or compressed.
import type { ReadSide, Wire } from '../net/wire.ts'
import { type AnswerEdits, type ComposedAnswer, composeAnswerHead } from './compose-head.ts'
import type { Coding } from './compression/accept-encoding.ts'
import { BodyEncoder, type EncoderEvents } from './compression/body-encoder.ts'
import { codedTrailers } from './compression/coded-fields.ts'
import type { Verdict } from './compression/compression.ts'
import { compressWhole, WHOLE_BODY_BYTES } from './compression/whole-body.ts'
import type { BodyReader } from './http1/body.ts'
import { lastChunk, type Outgoing, relayBody } from './http1/relay-body.ts'
import type { RequestHead } from './http1/request-head.ts'
import type { ResponseHead } from './http1/response-head.ts'
import { nothingReserved } from './hygiene/reserved-fields.ts'

/** What the exchange is told. */
export interface RelayOwner {
  /** Nothing is of interest any more. */
  readonly ended: boolean
  /** All of the answer has been read: its connection is free. The client may still have some of it to get. */
  answerRead(): void
  /** All of it has been handed to the client's wire. `atOnce`: with its first part. */
  answerSent(atOnce: boolean): void
  /** It cannot be brought to its end: what went out must be cut. */
  answerBroken(error: unknown): void
  /** Somebody is waited for: who may have changed. */
  relayWaits(): void
}

/** The head of an answer with all that it is composed of. */
export interface AnswerHead {
  readonly request: RequestHead
  readonly answer: ResponseHead
  readonly edits: AnswerEdits
  /** The client may ask again on its connection. */
  readonly mayStay: boolean
  readonly date: string
  /** What the cache says of it, as a line; '' = nothing. */
  readonly cacheLine: string
}

export class AnswerRelay implements EncoderEvents {
  readonly body: BodyReader
  /** The client's connection can carry another exchange after this answer. */
  keepAlive = false
  readonly #owner: RelayOwner
  readonly #client: Wire
  readonly #source: ReadSide
  #outgoing: Outgoing = 'raw'
  #encoder: BodyEncoder | null = null
  #encodedBytes = -1

  constructor(owner: RelayOwner, client: Wire, source: ReadSide, body: BodyReader) {
    this.#owner = owner
    this.#client = client
    this.#source = source
    this.body = body
  }

  /** Bytes of the body as the client got it. */
  get sent(): number {
    return this.#encodedBytes < 0 ? this.body.received : this.#encodedBytes
  }

  /** Nothing but a reset tells the client that the rest is missing. */
  get endsWithConnection(): boolean {
    return this.#outgoing === 'raw' && (this.#encoder !== null || this.body.kind !== 'length')
  }

  /** The client still has to take something that no backend is needed for any more. */
  get isEncoding(): boolean {
    return this.#encoder !== null
  }

  /** Head and first part of the body, which `body` has just read from `bytes`: most answers are complete with it. */
  start(head: AnswerHead, verdict: Verdict, bytes: Buffer): void {
    if (verdict === null || verdict === 'identity' || this.body.kind === 'none') this.#startPlain(head, verdict, bytes)
    else if (this.body.done && this.body.total <= WHOLE_BODY_BYTES && this.body.trailers === '') {
      this.#sendWhole(head, verdict, bytes)
    } else this.#startEncoding(head, verdict, bytes)
  }

  #startPlain(head: AnswerHead, verdict: Verdict, bytes: Buffer): void {
    const { text } = this.#compose(head, verdict, -1)
    relayBody(this.#client, text, this.#source, bytes, this.body, this.#outgoing)
    if (this.#owner.ended) return
    if (this.body.done) this.#end(true)
    else {
      this.#client.setNoDelay()
      if (this.#outgoing === 'raw') this.#source.useOwnBuffer()
      this.#owner.relayWaits()
    }
  }

  /** A small body that is there whole is compressed on the spot, if that makes it smaller. */
  #sendWhole(head: AnswerHead, coding: Coding, bytes: Buffer): void {
    const whole = compressWhole(coding, bytes, this.body)
    if (whole === null) {
      this.#startPlain(head, 'identity', bytes)
      return
    }
    const { text } = this.#compose(head, coding, whole.length)
    this.#encodedBytes = whole.length
    this.#client.write(text + whole.latin1Slice())
    if (!this.#owner.ended) this.#end(true)
  }

  #startEncoding(head: AnswerHead, coding: Coding, bytes: Buffer): void {
    const { text } = this.#compose(head, coding, -1)
    this.#encodedBytes = 0
    this.#client.write(text)
    this.#client.setNoDelay()
    this.#encoder = new BodyEncoder(coding, this.#outgoing, this)
    this.#encode(this.#encoder, bytes)
  }

  #compose(
    { request, answer, edits, mayStay, date, cacheLine }: AnswerHead,
    verdict: Verdict,
    length: number,
  ): ComposedAnswer {
    const parts = {
      request,
      answer,
      body: this.body,
      keepAlive: mayStay,
      date,
      verdict,
      codedLength: length,
      cacheLine,
    }
    const composed = composeAnswerHead(parts, edits)
    this.keepAlive = composed.keepAlive
    this.#outgoing = composed.outgoing
    return composed
  }

  /** More of the body, which `body` has just read from `bytes`. */
  more(bytes: Buffer): void {
    if (this.#encoder !== null) {
      this.#encode(this.#encoder, bytes)
      return
    }
    relayBody(this.#client, '', this.#source, bytes, this.body, this.#outgoing)
    if (this.#owner.ended) return
    if (this.body.done) this.#end(false)
    else this.#owner.relayWaits()
  }

  /** Pieces that nobody changes go out as they are, several in one system call. Once it was started. */
  get takesRuns(): boolean {
    return this.#encoder === null && this.#outgoing === 'raw' && this.#client.takesRuns
  }

  /** Several pieces at once, none of which `body` has read, and nobody changes. Only where it takes them. */
  moreRuns(runs: readonly Buffer[]): void {
    for (const bytes of runs) this.body.feed(bytes, 0, bytes.length)
    this.#client.writeRuns('', runs)
    if (this.#client.pending) this.#source.pause()
    if (this.#owner.ended) return
    if (this.body.done) this.#end(false)
    else this.#owner.relayWaits()
  }

  /** The body ended with its connection, as it may. */
  endOfConnection(): void {
    if (this.#encoder !== null) {
      this.#encoder.end()
      this.#owner.answerRead()
      return
    }
    if (this.#outgoing === 'chunked') this.#client.write('0\r\n\r\n')
    this.#end(false)
  }

  /** The client has taken what had to wait. */
  clientDrained(): void {
    if (this.#encoder === null) this.#source.resume()
    else this.#encoder.release()
  }

  destroy(): void {
    this.#encoder?.destroy()
  }

  #end(atOnce: boolean): void {
    this.#owner.answerRead()
    this.#owner.answerSent(atOnce)
  }

  #encode(encoder: BodyEncoder, bytes: Buffer): void {
    if (!encoder.write(bytes, this.body)) this.#source.pause()
    if (!this.body.done) this.#owner.relayWaits()
    else {
      encoder.end(lastChunk(codedTrailers(this.body.trailers), nothingReserved))
      this.#owner.answerRead()
    }
  }

  onEncoded(bytes: Buffer): void {
    this.#encodedBytes += bytes.length
    this.#client.writeBytes(bytes)
    if (!this.#client.pending) return
    this.#encoder!.hold()
    this.#owner.relayWaits()
  }

  onEncodedEnd(): void {
    this.#owner.answerSent(false)
  }

  onEncoderDrain(): void {
    if (!this.body.done) this.#source.resume()
  }

  onEncoderFailed(error: unknown): void {
    this.#owner.answerBroken(error)
  }
}
