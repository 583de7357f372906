// One body on its way to a client, compressed in the thread pool as it comes: whatever has arrived by the end of a turn
// of the loop is one batch, and each batch is flushed, so that events and streamed JSON go on at once.
import { giveBuffer, OWN_BUFFER_BYTES, READ_BUFFER_BYTES, takeBuffer } from '../../net/read-buffers.ts'
import type { Coding } from './accept-encoding.ts'
import { encoderClosed, encoderOpened, giveTurn, type Turn, takeTurn } from './encoder-turns.ts'
import { type Engine, newEngine } from './engines.ts'

/** What the owner of an encoder is told; never from within one of its methods. */
export interface EncoderEvents {
  /** To be written to the client; the bytes do not change any more. */
  onEncoded(bytes: Buffer): void
  /** All was handed out. Nothing more is called. */
  onEncodedEnd(): void
  /** After `write` returned false: there is room again. */
  onEncoderDrain(): void
  /** It cannot go on, or one of the calls above threw: the message must be cut. Nothing more is called. */
  onEncoderFailed(error: unknown): void
}

/** Bytes that may wait for the batch before theirs, besides those of one more read: a buffer has room for both. */
const MAX_WAITING_BYTES = OWN_BUFFER_BYTES - READ_BUFFER_BYTES

export class BodyEncoder implements Turn {
  /** Bytes of the compressed body handed out so far. */
  produced = 0
  readonly #events: EncoderEvents
  readonly #isChunked: boolean
  readonly #engine: Engine
  /** What has come since the last batch; null = nothing. */
  #waiting: Buffer | null = null
  #waitingBytes = 0
  /** What the batch at work is read from. */
  #input: Buffer | null = null
  /** What the batch at work has come to so far. */
  #output: Buffer[] = []
  /** `write` has said so. */
  #isFull = false
  #isHeld = false
  /** A batch waits for its turn, or is at work. */
  #isBusy = false
  #isScheduled = false
  #hasTurn = false
  /** The last chunk and trailers; null = more of the body may come. */
  #last: string | null = null
  #isOver = false

  /** `framing`: how the client is told where the body ends. */
  constructor(coding: Coding, framing: 'chunked' | 'raw', events: EncoderEvents) {
    this.#events = events
    this.#isChunked = framing === 'chunked'
    this.#engine = newEngine(coding)
    this.#engine.on('data', (bytes: Buffer) => this.#output.push(bytes))
    this.#engine.on('end', () => this.#batchDone(true))
    this.#engine.on('error', (error) => this.#fail(error))
    encoderOpened()
  }

  /** More input than it wants: whoever sends it should pause. */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Takes a copy of the runs of `bytes` that are data (pairs of start and end, `total` bytes in all). False = it has
   * enough until `onEncoderDrain`; what is written all the same is taken too.
   */
  write(bytes: Buffer, { ranges, total }: { readonly ranges: readonly number[]; readonly total: number }): boolean {
    if (this.#isOver) return true
    if (total > 0) {
      this.#copy(bytes, ranges, total)
      this.#isFull = this.#waitingBytes >= MAX_WAITING_BYTES
      this.#schedule()
    }
    return !this.#isFull
  }

  #copy(bytes: Buffer, ranges: readonly number[], total: number): void {
    this.#waiting ??= takeBuffer()
    const size = this.#waitingBytes + total
    // More than it asked for: somebody has not paused.
    if (size > this.#waiting.length) {
      const larger = Buffer.allocUnsafeSlow(2 * size)
      this.#waiting.copy(larger, 0, 0, this.#waitingBytes)
      give(this.#waiting)
      this.#waiting = larger
    }
    let at = this.#waitingBytes
    for (let index = 0; index < ranges.length; index += 2) {
      at += bytes.copy(this.#waiting, at, ranges[index], ranges[index + 1])
    }
    this.#waitingBytes = size
  }

  /** The body is complete. `last`: of chunked framing, the last chunk with the trailers. */
  end(last = '0\r\n\r\n'): void {
    if (this.#isOver) return
    this.#last = this.#isChunked ? last : ''
    this.#schedule()
  }

  /** The client does not take more: no further batch is begun. */
  hold(): void {
    this.#isHeld = true
  }

  /** The client takes more again. */
  release(): void {
    this.#isHeld = false
    this.#schedule()
  }

  /** Gives up; nothing more is called. May be called at any time, and again. */
  destroy(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#waiting !== null) give(this.#waiting)
    this.#waiting = null
    this.#output = []
    encoderClosed()
    // What a thread is working on is finished there and then dropped.
    this.#engine.destroy()
  }

  /** At the end of this turn of the loop, when all that is to be read now has been. */
  #schedule(): void {
    if (this.#isScheduled || this.#isBusy || this.#isHeld) return
    if (this.#waitingBytes === 0 && this.#last === null) return
    this.#isScheduled = true
    setImmediate(begin, this)
  }

  begin(): void {
    this.#isScheduled = false
    if (this.#isOver || this.#isBusy || this.#isHeld) return
    this.#isBusy = true
    takeTurn(this)
  }

  run(): void {
    this.#hasTurn = true
    if (this.#isOver) {
      this.#giveTurn()
      return
    }
    const batch = this.#waiting === null ? NOTHING : this.#waiting.subarray(0, this.#waitingBytes)
    this.#input = this.#waiting
    this.#waiting = null
    this.#waitingBytes = 0
    if (this.#last === null) this.#engine.write(batch, () => this.#batchDone(false))
    else this.#engine.end(batch, () => this.#giveTurn())
    if (this.#isFull) {
      this.#isFull = false
      this.#tell(() => this.#events.onEncoderDrain())
    }
  }

  /** The thread pool is done with a batch; called for one that was given up, too. */
  #batchDone(isLast: boolean): void {
    this.#giveTurn()
    // Of the last one this comes with `end`, which is not called for one that was given up.
    if (this.#input !== null) give(this.#input)
    this.#input = null
    if (this.#isOver) return
    this.#isBusy = false
    const bytes = this.#framed(isLast)
    if (isLast) {
      this.#isOver = true
      encoderClosed()
    }
    this.#tell(() => {
      if (bytes.length > 0) this.#events.onEncoded(bytes)
      if (isLast) this.#events.onEncodedEnd()
    })
    if (!this.#isOver) this.#schedule()
  }

  #framed(isLast: boolean): Buffer {
    const parts = this.#output
    this.#output = []
    let size = 0
    for (const part of parts) size += part.length
    this.produced += size
    if (!this.#isChunked) return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)
    if (size > 0) {
      parts.unshift(Buffer.from(`${size.toString(16)}\r\n`, 'latin1'))
      parts.push(Buffer.from(isLast ? `\r\n${this.#last}` : '\r\n', 'latin1'))
    } else if (isLast) parts.push(Buffer.from(this.#last!, 'latin1'))
    return Buffer.concat(parts)
  }

  #giveTurn(): void {
    if (!this.#hasTurn) return
    this.#hasTurn = false
    giveTurn()
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.destroy()
    this.#giveTurn()
    this.#events.onEncoderFailed(error)
  }

  /** These calls come straight from the loop: what throws there costs this body alone. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.destroy()
      this.#giveTurn()
      this.#events.onEncoderFailed(error)
    }
  }
}

const NOTHING = Buffer.alloc(0)

function give(buffer: Buffer): void {
  if (buffer.length === OWN_BUFFER_BYTES) giveBuffer(buffer)
}

function begin(encoder: BodyEncoder): void {
  encoder.begin()
}
