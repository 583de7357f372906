// One listener of a worker: counts connections, sees them through the door, and hands them to their handler. Its sockets
// are those of listening-sockets.ts: an address may change while connections go on.
import type { Socket } from 'node:net'
import type { LimitsSpec, ListenerSpec } from '../core/spec.ts'
import type { Site } from '../http/context.ts'
import { type Accepted, type AcceptTarget, acceptedFrom, type SocketKind } from '../net/acceptor.ts'
import { type Arrival, unixAddress } from '../net/arrival.ts'
import { type DoorKeeper, type DoorRules, type Rejection, Visitor } from '../net/door.ts'
import type { ClientHello } from '../net/tls/client-hello.ts'
import type { WireEvents } from '../net/wire.ts'
import type { Pool } from '../pool/pool.ts'
import type { RejectReason } from '../state/names.ts'
import { hash64 } from '../util/hash32.ts'
import { Deadline, type TimerWheel } from '../util/timer-wheel.ts'
import type { DataPlane } from './data-plane.ts'

/** A client connection, whatever it speaks. */
export interface Connection {
  /** Closes it if it carries nothing; else soon. */
  closeIfIdle(): void
  destroy(): void
}

/** What serves the connections of a listener. Each says `closed` once for every connection it made. */
export interface Handler {
  /** For connections that come from now on, and for the next requests of those that are there. */
  update(news: News): void
  serve(arrival: Arrival, early: Buffer | null, hello: ClientHello | null): Connection
  /** The listener has gone: what is under way is the last of its connection. */
  leave(): void
}

/** What a handler may need of a new snapshot. */
export interface News {
  readonly spec: ListenerSpec
  readonly pools: ReadonlyMap<string, Pool>
  /** Of a listener that speaks HTTP, else null. */
  readonly site: Site | null
}

/** What a snapshot says of a listener, ready to use. Swapped whole. */
export interface Setup {
  readonly spec: ListenerSpec
  readonly limits: LimitsSpec
  /** Null = a connection goes to its handler as it comes. */
  readonly door: DoorRules | null
}

/** The socket of a listener that has gone is closed by then, see `Acceptor.retire`. */
const SHUT_AFTER_MS = 2000

/** Listens to a connection that is given up. */
const nobody: WireEvents = { onData() {}, onEnd() {}, onDrain() {}, onClose() {}, onFault() {} }

export class Listener implements DoorKeeper, AcceptTarget {
  readonly wheel: TimerWheel
  readonly #plane: DataPlane
  readonly #handler: Handler
  /** Each with the address it is counted under in shared memory; '' = under none. */
  readonly #connections = new Map<Connection, string>()
  readonly #visitors = new Set<Visitor>()
  #setup: Setup
  #ended = false
  /** Called once nothing goes on here any more; null = it has not gone. */
  #onEmpty: (() => void) | null = null
  /** Nobody comes in any more. */
  #isShut = false

  /** `createHandler` gets what the handler's connections call when they have closed. */
  constructor(plane: DataPlane, setup: Setup, createHandler: (closed: (connection: Connection) => void) => Handler) {
    this.#plane = plane
    this.wheel = plane.wheel
    this.#setup = setup
    this.#handler = createHandler((connection) => this.#closed(connection))
  }

  /** For connections that come from now on. */
  update(setup: Setup): void {
    this.#setup = setup
  }

  get spec(): ListenerSpec {
    return this.#setup.spec
  }

  accept(accepted: Accepted): void {
    try {
      this.#accept(accepted)
    } catch (error) {
      this.#plane.unexpected(error)
      accepted.refuse()
    }
  }

  acceptFailed(): void {
    this.#reject('fd', 'accept failed', '')
  }

  /** Serves a connection that was accepted elsewhere. */
  take(socket: Socket, kind: SocketKind): void {
    const accepted = acceptedFrom(socket, kind)
    if (accepted.address === '' || this.#ended) accepted.refuse()
    else this.accept(accepted)
  }

  /**
   * The listener has gone from the configuration: idle connections are closed, the others end with what they carry. `done` is
   * called when none is left. Who was in the queue of its socket may still come.
   */
  leave(done: () => void): void {
    this.#onEmpty = done
    this.closeIdle()
    // Not before its socket has had its turns to be emptied.
    const shut = new Deadline(() => {
      this.#isShut = true
      this.#checkEmpty()
    })
    this.#plane.wheel.arm(shut, SHUT_AFTER_MS)
  }

  #checkEmpty(): void {
    if (this.#onEmpty === null || this.#connections.size > 0 || this.#visitors.size > 0) return
    const done = this.#onEmpty
    this.#onEmpty = null
    this.#ended = true
    done()
  }

  /** Serves a connection that came by no socket of ours, past the door. False = a limit turned it away. */
  serve(arrival: Arrival): boolean {
    const { address } = arrival
    if (!this.#mayEnter(address)) return false
    const admitted = this.#countAddress(address)
    if (admitted) this.#serve(arrival, this.#isCounted(address), null, null)
    else this.#left('')
    return admitted
  }

  #accept(accepted: Accepted): void {
    const { limits, door } = this.#setup
    if (!this.#mayEnter(accepted.address)) accepted.refuse()
    else if (door === null) this.#acceptPlain(accepted)
    else if (this.#visitors.size < Math.min(limits.maxHandshakes, this.#plane.maxHandshakes)) {
      const visitor = new Visitor(accepted, door, this)
      this.#visitors.add(visitor)
      visitor.start()
    } else {
      this.#reject('handshakes', 'limits.max_handshakes', accepted.address)
      accepted.refuse()
      this.#left('')
    }
  }

  #mayEnter(address: string): boolean {
    const { spec, limits } = this.#setup
    if (!this.#plane.enter()) {
      this.#reject('fd', 'out of file descriptors', address)
      return false
    }
    if (this.#plane.state.connectionOpened(spec.row, limits.maxConnections)) return true
    this.#reject('limit', 'limits.max_connections', address)
    this.#plane.leave()
    return false
  }

  #acceptPlain(accepted: Accepted): void {
    const { address } = accepted
    if (this.#countAddress(address)) this.#serve(accepted, this.#isCounted(address), null, null)
    else {
      accepted.refuse()
      this.#left('')
    }
  }

  // --- the door ---

  admit(visitor: Visitor, address: string): boolean {
    const admitted = this.#countAddress(address)
    visitor.counted = admitted && this.#isCounted(address)
    return admitted
  }

  arrived(visitor: Visitor, arrival: Arrival, early: Buffer | null, hello: ClientHello | null): void {
    this.#visitors.delete(visitor)
    if (arrival.tls !== null) {
      const { version, resumed } = arrival.tls
      this.#plane.state.tlsHandshake(this.#setup.spec.row, version === 'TLSv1.3' ? 1 : 0, resumed)
    }
    this.#serve(arrival, visitor.counted, early, hello)
  }

  turnedAway(visitor: Visitor, why: Rejection | null): void {
    this.#visitors.delete(visitor)
    if (why?.kind === 'handshake') {
      this.#plane.state.tlsHandshakeFailed(this.#setup.spec.row, why.reason)
      this.#plane.turnedAway(this.#setup.spec.name, why.reason, why.detail, visitor.address)
    } else if (why !== null) this.#reject(why.reason, why.detail, visitor.address)
    this.#left(visitor.counted ? visitor.address : '')
  }

  unexpected(error: unknown): void {
    this.#plane.unexpected(error)
  }

  #serve(arrival: Arrival, counted: boolean, early: Buffer | null, hello: ClientHello | null): void {
    let connection: Connection
    try {
      connection = this.#handler.serve(arrival, early, hello)
    } catch (error) {
      this.#plane.unexpected(error)
      arrival.open(nobody).destroy()
      this.#left(counted ? arrival.address : '')
      return
    }
    this.#connections.set(connection, counted ? arrival.address : '')
    if (this.#plane.draining || this.#onEmpty !== null) connection.closeIfIdle()
  }

  // --- counts ---

  /** Counts a client's address where there is a limit; false = it has too many connections already. */
  #countAddress(address: string): boolean {
    const { limits } = this.#setup
    if (!this.#isCounted(address)) return true
    const [high, low] = hash64(address)
    if (this.#plane.state.ipConnectionOpened(high, low, limits.maxConnectionsPerIp)) return true
    this.#reject('per_ip', 'limits.max_connections_per_ip', address)
    return false
  }

  /** A Unix socket has no address that could have too many. */
  #isCounted(address: string): boolean {
    return this.#setup.limits.maxConnectionsPerIp !== 0 && address !== unixAddress
  }

  #reject(reason: RejectReason, detail: string, address: string): void {
    this.#plane.state.connectionRejected(this.#setup.spec.row, reason)
    if (detail !== '') this.#plane.turnedAway(this.#setup.spec.name, reason, detail, address)
  }

  #closed(connection: Connection): void {
    const address = this.#connections.get(connection) ?? ''
    this.#connections.delete(connection)
    this.#left(address)
  }

  /** `address`: the one to give back, or ''. The limit may have changed since it was counted. */
  #left(address: string): void {
    this.#plane.state.connectionClosed(this.#setup.spec.row)
    if (address !== '') {
      const [high, low] = hash64(address)
      this.#plane.state.ipConnectionClosed(high, low)
    }
    this.#plane.leave()
    if (this.#isShut) this.#checkEmpty()
  }

  // --- the end ---

  closeIdle(): void {
    for (const connection of this.#connections.keys()) connection.closeIfIdle()
  }

  destroy(): void {
    this.#ended = true
    for (const visitor of this.#visitors) {
      visitor.destroy()
      this.#left(visitor.counted ? visitor.address : '')
    }
    this.#visitors.clear()
    for (const connection of this.#connections.keys()) connection.destroy()
    // Where nobody but visitors was left, nobody else says so.
    this.#isShut = true
    this.#checkEmpty()
  }
}
