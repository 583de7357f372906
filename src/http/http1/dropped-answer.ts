// The rest of an answer that nobody wants: read to its end if that is near, so that the connection can serve again;
// closed otherwise.
import type { KeepaliveSpec } from '../../core/spec.ts'
import type { Lease } from '../../pool/lease.ts'
import type { SideJob, SideWork } from '../../pool/side-work.ts'
import type { AnswerEvents, BackendConnection } from './backend-side.ts'
import type { BodyReader } from './body.ts'

export interface DroppedParts {
  /** The head of its answer has been read. */
  readonly connection: BackendConnection
  /** Has been fed all that came so far. */
  readonly body: BodyReader
  /** The connection may serve again once the answer has been read. */
  readonly reusable: boolean
  readonly keepalive: KeepaliveSpec
  /** The place at the backend; given back when the answer is over. */
  readonly lease: Lease
  /** What it is counted with, see pool/side-work.ts. */
  readonly kind: string
}

/** More than this is not read: a new connection is cheaper. */
const MAX_BYTES = 256 * 1024
/** All of it must come within. */
const MAX_MS = 5000

/** Takes over a connection in the middle of an answer: from now on neither is the caller's. */
export function dropAnswer(parts: DroppedParts, sideWork: SideWork): void {
  const { connection, body, reusable, keepalive, lease } = parts
  // One that began with a PROXY header is its client's alone, and that client has gone on.
  const wanted = reusable && lease.backend.sendProxyProtocol === null
  if (wanted && !body.done && body.remaining <= MAX_BYTES) {
    new DroppedAnswer(parts, sideWork)
    return
  }
  if (wanted && body.done) connection.keep(keepalive, false)
  else connection.close()
  lease.release()
}

class DroppedAnswer implements AnswerEvents, SideJob {
  readonly kind: string
  readonly #parts: DroppedParts
  readonly #sideWork: SideWork

  constructor(parts: DroppedParts, sideWork: SideWork) {
    this.kind = parts.kind
    this.#parts = parts
    this.#sideWork = sideWork
    sideWork.add(this)
    parts.connection.handOver(this)
    parts.connection.expectWithin(MAX_MS)
    parts.connection.wire.resume()
  }

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    const { connection, body, keepalive } = this.#parts
    const used = body.feed(bytes, start, end)
    if (used === end && !body.done && body.received <= MAX_BYTES) return
    if (used === end && body.done) connection.keep(keepalive, false)
    else connection.close()
    this.#finish()
  }

  onAnswerEnd(): void {
    this.stop()
  }

  /** The connection has closed itself. What becomes of a body that nobody reads says nothing about its backend. */
  onBackendFailed(): void {
    this.#finish()
  }

  stop(): void {
    this.#parts.connection.close()
    this.#finish()
  }

  #finish(): void {
    this.#parts.lease.release()
    this.#sideWork.remove(this)
  }

  onAnswer(): void {}
  onInterim(): void {}
  onBackendDrain(): void {}
}
