// The listeners of one worker, by name: what a snapshot says of them, and those that have gone but still have connections.
import type { LimitsSpec, ListenerSpec } from '../core/spec.ts'
import type { DoorRules } from '../net/door.ts'
import type { ServerTls } from '../net/tls/server-tls.ts'
import { routeHello } from '../tcp/sni-route.ts'
import { compileCidrs } from '../util/cidr.ts'
import { Deadline } from '../util/timer-wheel.ts'
import type { Built } from './build.ts'
import type { DataPlane } from './data-plane.ts'
import { HttpHandler, TcpHandler } from './handlers.ts'
import { type Handler, Listener, type Setup } from './listener.ts'

interface Entrance {
  readonly listener: Listener
  readonly handler: Handler
}

export class Entrances {
  readonly #plane: DataPlane
  readonly #drainMs: number
  readonly #byName = new Map<string, Entrance>()
  /** Gone from the configuration; connections that are open finish. */
  readonly #leaving = new Set<Listener>()

  /** `drainMs`: how long connections of a listener that has gone may finish. */
  constructor(plane: DataPlane, drainMs: number) {
    this.#plane = plane
    this.#drainMs = drainMs
  }

  get(name: string): Listener | undefined {
    return this.#byName.get(name)?.listener
  }

  /** Brings them in line with a snapshot. One of another protocol is another listener, whatever its name. */
  update({ snapshot, engines, pools, sites }: Built): void {
    const before = new Map(this.#byName)
    this.#byName.clear()
    for (const spec of snapshot.listeners) {
      const tls = engines.get(spec.name) ?? null
      const setup: Setup = { spec, limits: snapshot.limits, door: this.#doorOf(spec, snapshot.limits, tls) }
      const known = before.get(spec.name)
      const stays = known !== undefined && known.listener.spec.protocol === spec.protocol
      if (stays) before.delete(spec.name)
      const entrance = stays ? known : this.#create(setup)
      this.#byName.set(spec.name, entrance)
      entrance.listener.update(setup)
      entrance.handler.update({ spec, pools, site: sites.get(spec.name) ?? null })
    }
    for (const { listener, handler } of before.values()) this.#remove(listener, handler)
  }

  /** All of them, those that are gone too. */
  *all(): Generator<Listener> {
    for (const { listener } of this.#byName.values()) yield listener
    yield* this.#leaving
  }

  #create(setup: Setup): Entrance {
    let handler: Handler | null = null
    const listener = new Listener(this.#plane, setup, (closed) => {
      handler =
        setup.spec.protocol === 'http' ? new HttpHandler(this.#plane, closed) : new TcpHandler(this.#plane, closed)
      return handler
    })
    return { listener, handler: handler! }
  }

  /** What is idle is closed, the rest has its time to finish. */
  #remove(listener: Listener, handler: Handler): void {
    const deadline = new Deadline(() => listener.destroy())
    this.#leaving.add(listener)
    this.#plane.wheel.arm(deadline, this.#drainMs)
    handler.leave()
    listener.leave(() => {
      this.#plane.wheel.remove(deadline)
      this.#leaving.delete(listener)
    })
  }

  /** What connections of a listener must show first; null = nothing. */
  #doorOf(spec: ListenerSpec, limits: LimitsSpec, tls: ServerTls | null): DoorRules | null {
    const { name, acceptProxyProtocol, protocol } = spec
    if (tls === null && acceptProxyProtocol.length === 0 && protocol !== 'tls-passthrough') return null
    // Of the snapshot that the handler has by then: a hello may come later than the next one.
    const sniNow = () => this.#byName.get(name)?.listener.spec.sni ?? spec.sni
    return {
      believesProxy: acceptProxyProtocol.length === 0 ? null : compileCidrs(acceptProxyProtocol),
      tls,
      accepts: protocol === 'tls-passthrough' ? (hello) => routeHello(hello, sniNow()) !== null : null,
      speaksHttp: protocol === 'http',
      timeoutMs: limits.handshakeTimeoutMs,
      helloSize: limits.helloSize,
    }
  }
}
