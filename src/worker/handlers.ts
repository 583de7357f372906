// What serves the connections of a listener: HTTP/1.1, or TCP with or without a look at the name a client asks for.
import type { ListenerSpec } from '../core/spec.ts'
import type { Site } from '../http/context.ts'
import { ClientConnection, type ClientHome } from '../http/http1/client-side.ts'
import type { Arrival } from '../net/arrival.ts'
import type { ClientHello } from '../net/tls/client-hello.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import type { Pool } from '../pool/pool.ts'
import { routeHello } from '../tcp/sni-route.ts'
import { TcpConnection, type TcpHome } from '../tcp/tcp-connection.ts'
import type { Connection, Handler, News } from './listener.ts'

type Closed = (connection: Connection) => void

export class HttpHandler implements Handler, ClientHome {
  site!: Site
  lastClient: ClientHome['lastClient'] = null
  plane: PlaneContext
  readonly connectionClosed: Closed

  constructor(plane: PlaneContext, closed: Closed) {
    this.plane = plane
    this.connectionClosed = closed
  }

  leave(): void {
    this.plane = leavingView(this.plane)
  }

  update(news: News): void {
    this.site = news.site!
  }

  serve(arrival: Arrival, early: Buffer | null): Connection {
    const connection = new ClientConnection(arrival, this.site.isTrusted(arrival.address), this)
    if (early !== null) connection.onData(early, early.length)
    return connection
  }
}

export class TcpHandler implements Handler, TcpHome {
  readonly plane: PlaneContext
  readonly connectionClosed: Closed
  #spec!: ListenerSpec
  #pools!: ReadonlyMap<string, Pool>

  constructor(plane: PlaneContext, closed: Closed) {
    this.plane = plane
    this.connectionClosed = closed
  }

  /** Its connections live until their ends close them, or their time is over. */
  leave(): void {}

  update({ spec, pools }: News): void {
    this.#spec = spec
    this.#pools = pools
  }

  serve(arrival: Arrival, early: Buffer | null, hello: ClientHello | null): Connection {
    const listener = this.#spec
    // The door has asked the same routes: there is one.
    const name = hello === null ? listener.pool : (routeHello(hello, listener.sni) ?? '')
    const serverName = hello?.serverName ?? arrival.tls?.serverName ?? ''
    return new TcpConnection(
      arrival,
      { listener, pool: poolNamed(this.#pools, name, listener), serverName },
      this,
      early,
    )
  }
}

/** The same plane, as it looks during a drain. For the last requests of few connections: what it costs does not matter. */
function leavingView(plane: PlaneContext): PlaneContext {
  return new Proxy(plane, {
    get(target, key) {
      if (key === 'draining' || key === 'closesIdle') return true
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function poolNamed(pools: ReadonlyMap<string, Pool>, name: string, { name: listener }: ListenerSpec): Pool {
  const pool = pools.get(name)
  if (pool === undefined) throw new Error(`listener ${listener}: no pool ${name}`)
  return pool
}
