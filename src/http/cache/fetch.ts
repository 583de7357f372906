// The rest of an answer on its way into the store. It belongs to the worker, not to the client that asked first: that one reads
// from the store as everybody else, may be slow, and may leave.
import { type ErrorSpec, errors } from '../../core/errors.ts'
import type { KeepaliveSpec } from '../../core/spec.ts'
import type { Lease } from '../../pool/lease.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { SideJob } from '../../pool/side-work.ts'
import type { Writing } from '../../state/cache/types.ts'
import type { AnswerEvents, BackendConnection } from '../http1/backend-side.ts'
import type { BodyReader } from '../http1/body.ts'
import { writeRanges } from './keeper.ts'
import type { RouteCache } from './route-cache.ts'

export interface FetchParts {
  /** The head of its answer has been read. */
  readonly connection: BackendConnection
  /** Has been fed what came with the head, which is in the store already. */
  readonly body: BodyReader
  readonly writing: Writing
  /** The connection may serve again once the answer has been read. */
  readonly reusable: boolean
  readonly keepalive: KeepaliveSpec
  /** More of the answer must come within; 0 = no deadline. */
  readonly idleMs: number
  readonly lease: Lease
  readonly status: number
  readonly firstByteUs: number
  /** Of the route: told of the answer when it is in the store as a whole. */
  readonly cache: RouteCache
}

export class Fetch implements AnswerEvents, SideJob {
  readonly kind = 'cache'
  readonly #parts: FetchParts
  readonly #plane: PlaneContext
  #isOver = false

  /** Takes the connection over: it is nobody else's from now on. */
  constructor(parts: FetchParts, plane: PlaneContext) {
    this.#parts = parts
    this.#plane = plane
    plane.sideWork.add(this)
    parts.connection.handOver(this)
    this.#goOn()
  }

  get isAwaited(): boolean {
    return this.#parts.writing.isRead
  }

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    const { body, writing } = this.#parts
    const used = body.feed(bytes, start, end)
    if (used < 0) {
      this.#fail(errors.bad_response)
      return
    }
    if (!writeRanges(writing, bytes, body.ranges)) this.#stop()
    else if (body.done) this.#complete(used === end)
    else if (writing.isUseless) this.stop()
    else this.#goOn()
  }

  onAnswerEnd(): void {
    if (this.#parts.body.kind === 'close') this.#complete(false)
    else this.#fail(errors.reset_in_answer)
  }

  /** The connection has closed itself. */
  onBackendFailed(error: ErrorSpec): void {
    this.#fail(error)
  }

  stop(): void {
    this.#parts.writing.fail()
    this.#stop()
  }

  onAnswer(): void {}
  onInterim(): void {}
  onBackendDrain(): void {}

  #goOn(): void {
    const { connection, writing, idleMs } = this.#parts
    if (writing.hasRoom) {
      connection.expectWithin(idleMs)
      connection.wire.resume()
      return
    }
    connection.expectWithin(0)
    connection.wire.pause()
    writing.whenRoom(() => this.#roomAgain())
  }

  #roomAgain(): void {
    if (this.#isOver) return
    if (this.#parts.writing.isUseless) this.stop()
    else this.#goOn()
  }

  #complete(readAll: boolean): void {
    const { connection, body, reusable, keepalive, status, firstByteUs, writing, cache } = this.#parts
    this.#plane.state.backendFinished(connection.backend.spec.slot, status, firstByteUs)
    const isClean = reusable && readAll && body.done && connection.backend.sendProxyProtocol === null
    if (isClean) connection.keep(keepalive, false)
    else connection.close()
    const entry = writing.end()
    this.#end()
    if (entry !== null) cache.onStored(entry)
  }

  #fail(error: ErrorSpec): void {
    if (this.#isOver) return
    const { connection, writing } = this.#parts
    if (error.blamesBackend) this.#plane.state.backendFinished(connection.backend.spec.slot, 0, 0)
    writing.fail()
    this.#stop()
  }

  #stop(): void {
    this.#parts.connection.close()
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.lease.release()
    this.#plane.sideWork.remove(this)
  }
}
