// One listener of a worker and the connections that came in by it.
import type { ListenerSpec, Snapshot } from '../core/spec.ts'
import type { Site } from '../http/context.ts'
import { ClientConnection, type ClientHome } from '../http/http1/client-side.ts'
import { type Accepted, Acceptor } from '../net/acceptor.ts'
import type { Pool } from '../pool/pool.ts'
import { hash64 } from '../util/hash32.ts'
import type { DataPlane } from './data-plane.ts'

export class HttpListener implements ClientHome {
  site: Site
  lastClient: ClientHome['lastClient'] = null
  readonly plane: DataPlane
  readonly #acceptor: Acceptor
  readonly #connections = new Set<ClientConnection>()

  constructor(plane: DataPlane, site: Site) {
    this.plane = plane
    this.site = site
    this.#acceptor = new Acceptor(
      (accepted) => {
        try {
          this.#accept(accepted)
        } catch (error) {
          this.plane.unexpected(error)
          accepted.refuse()
        }
      },
      () => this.plane.state.connectionRejected(this.site.listener.row, 'fd'),
    )
  }

  async open(reusePort: boolean): Promise<void> {
    const { host, port } = this.site.listener
    await this.#acceptor.listen({ host, port, reusePort })
  }

  #accept(accepted: Accepted): void {
    const { address } = accepted
    const { state } = this.plane
    const { listener, limits } = this.site
    if (!this.plane.enter()) {
      state.connectionRejected(listener.row, 'fd')
      accepted.refuse()
      return
    }
    if (!state.connectionOpened(listener.row, limits.maxConnections)) {
      state.connectionRejected(listener.row, 'limit')
      this.plane.leave()
      accepted.refuse()
      return
    }
    if (limits.maxConnectionsPerIp !== 0) {
      const [high, low] = hash64(address)
      if (!state.ipConnectionOpened(high, low, limits.maxConnectionsPerIp)) {
        state.connectionRejected(listener.row, 'per_ip')
        state.connectionClosed(listener.row)
        this.plane.leave()
        accepted.refuse()
        return
      }
      this.#counted.add(address)
    }
    const connection = new ClientConnection(accepted, this.site.isTrusted(address), this)
    this.#connections.add(connection)
    if (this.plane.draining) connection.closeIfIdle()
  }
  /** Whether a per-address count must be given back: the limit may have changed meanwhile. */
  readonly #counted = new Multiset()

  connectionClosed(connection: ClientConnection): void {
    this.#connections.delete(connection)
    this.plane.state.connectionClosed(this.site.listener.row)
    if (this.#counted.remove(connection.address)) {
      const [high, low] = hash64(connection.address)
      this.plane.state.ipConnectionClosed(high, low)
    }
    this.plane.leave()
  }

  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIfIdle()
  }

  stopAccepting(): void {
    this.#acceptor.close()
  }

  destroy(): void {
    this.#acceptor.close()
    for (const connection of this.#connections) connection.destroy()
  }
}

/** Counts of strings; nothing is kept at zero. */
class Multiset {
  readonly #counts = new Map<string, number>()
  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }
  remove(key: string): boolean {
    const count = this.#counts.get(key)
    if (count === undefined) return false
    if (count === 1) this.#counts.delete(key)
    else this.#counts.set(key, count - 1)
    return true
  }
}

/** What a snapshot says for one listener, ready to use. */
export function buildSite(
  snapshot: Snapshot,
  listener: ListenerSpec,
  pool: Pool,
  isTrusted: (address: string) => boolean,
): Site {
  const { limits } = snapshot
  return {
    listener,
    pool,
    limits,
    headLimits: { instanceId: snapshot.instanceId, maxFields: limits.headerCount, targetSize: limits.targetSize },
    responseRules: { maxFields: Math.max(limits.headerCount, 256), hide: pool.spec.hideHeaders },
    isTrusted,
  }
}
