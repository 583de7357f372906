// The admin API of a process, wherever the configuration puts it: opened, moved, closed, and given other tokens and
// certificates while it runs. What is prepared is in force with `commit`, or was never there.

import { isDeepStrictEqual } from 'node:util'
import type { AdminConfig } from '../../config/config.ts'
import type { Material } from '../certificates/material.ts'
import { type AdminDeps, createAdminApp } from './app.ts'
import { type AdminAccess, Gate, openAccess } from './caller.ts'
import { type AdminTlsSpec, Doorkeeper } from './doorkeeper.ts'
import { AdminServer } from './server.ts'
import type { Streams } from './streams.ts'

/** All that the app needs but what this brings. */
export type AdminPortDeps = Omit<AdminDeps, 'gate' | 'connections'>

export interface AdminPortOptions {
  /** How long calls that are open at an address that is left may go on; default 5 s. */
  readonly leaveMs?: number
  /** At once; default 256. */
  readonly maxConnections?: number
}

/** As it shall be next. */
export interface PreparedAdmin {
  /** Cannot fail; what is closed by it is so later. */
  commit(): void
  /** As it was. Rejects only if an address that had to be left is taken by somebody else meanwhile. */
  abandon(): Promise<void>
}

export class AdminPort {
  readonly #gate = new Gate(openAccess)
  readonly #door: Doorkeeper
  readonly #streams: Streams
  readonly #leaveMs: number
  readonly #app: ReturnType<typeof createAdminApp>
  #admin: AdminConfig | null = null
  #server: AdminServer | null = null
  #leaving: Promise<void> = Promise.resolve()

  constructor(deps: AdminPortDeps, { leaveMs = 5_000, maxConnections = 256 }: AdminPortOptions = {}) {
    this.#door = new Doorkeeper({ maxConnections })
    this.#leaveMs = leaveMs
    this.#streams = deps.streams
    this.#app = createAdminApp({ ...deps, gate: this.#gate, connections: this.#door })
  }

  /** Where it listens; null = it does not. */
  address(): { host: string; port: number } | null {
    return this.#server?.address() ?? null
  }

  /**
   * Opens what is new, so that nothing can fail later. Connections stay open unless the address changes. Rejects with
   * Node's error if it cannot listen there; then nothing has changed.
   */
  async prepare(admin: AdminConfig | null, material: Material): Promise<PreparedAdmin> {
    const tls = admin === null ? null : tlsSpec(admin, material)
    // Whether OpenSSL takes it.
    new Doorkeeper().update(tls)
    const { server, abandon } = await this.#serverFor(admin)
    const commit = (): void => {
      const before = this.#server
      this.#admin = admin
      this.#server = server
      if (admin !== null) this.#rule(accessOf(admin), tls)
      else this.#door.update(null)
      if (before !== server && before !== null) this.#leave(before)
    }
    return { commit, abandon }
  }

  /** Streams are read for hours: who reads one has to show what is needed now. */
  #rule(access: AdminAccess, tls: AdminTlsSpec | null): void {
    const isSame = isDeepStrictEqual(access, this.#gate.access) && tls?.clientAuth?.ca === this.#door.authorities
    this.#gate.update(access)
    this.#door.update(tls)
    if (!isSame) this.#streams.interrupt()
  }

  /** Certificates of the same names have been renewed. */
  renew(material: Material): void {
    const tls = this.#admin?.tls ?? null
    if (tls !== null && material.has(tls.identity)) this.#rule(accessOf(this.#admin!), tlsSpec(this.#admin!, material))
  }

  async close(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#leaving])
    this.#server = null
  }

  async #serverFor(admin: AdminConfig | null): Promise<{ server: AdminServer | null; abandon(): Promise<void> }> {
    const [now, before] = [this.#server, this.#admin]
    const stays = admin !== null && before !== null && admin.host === before.host && admin.port === before.port
    if (admin === null || (stays && now !== null)) {
      return { server: admin === null ? null : now, abandon: async () => undefined }
    }
    try {
      const server = await this.#listen(admin)
      return { server, abandon: () => server.close() }
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken || now === null || admin.port !== now.address().port) throw error
    }
    // The same port on another interface, which the system gives to one of the two only.
    const address = now.address()
    const goBack = async (): Promise<void> => {
      this.#server = await this.#listen(address)
    }
    this.#leave(now)
    try {
      const server = await this.#listen(admin)
      return {
        server,
        abandon: async () => {
          await server.close()
          await goBack()
        },
      }
    } catch (error) {
      await goBack()
      throw error
    }
  }

  #listen({ host, port }: { readonly host: string; readonly port: number }): Promise<AdminServer> {
    return AdminServer.listen(this.#app, { host, port, door: this.#door })
  }

  #leave(server: AdminServer): void {
    this.#leaving = Promise.all([this.#leaving, server.close(this.#leaveMs)]).then(() => undefined)
  }
}

/** What the guard goes by. */
export const accessOf = ({ host, token, readToken, anonymous, tls }: AdminConfig): AdminAccess => ({
  ...{ host, token, readToken, anonymous },
  clientAuth: tls?.clientAuth?.mode ?? null,
})

/** Throws where what it names has not been loaded. */
export function tlsSpec({ tls }: AdminConfig, material: Material): AdminTlsSpec | null {
  if (tls === null) return null
  const { cert, key } = material.identity(tls.identity)
  const { clientAuth } = tls
  return { cert, key, clientAuth: clientAuth && { mode: clientAuth.mode, ca: material.pem(clientAuth.ca) } }
}
