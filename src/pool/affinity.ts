// Affinity (sticky): which backend a client is bound to, by cookie, by address or by a header's value.
import { createHmac } from 'node:crypto'
import type { BackendSpec, PoolSpec, StickySpec } from '../core/spec.ts'
import { AffinityTable } from '../state/affinity-table.ts'
import type { WorkerState } from '../state/worker-state.ts'
import { hash64 } from '../util/hash32.ts'

/** What a request shows of its client. */
export interface AffinityKey {
  /** All Cookie values, '' for none. */
  readonly cookie: string
  readonly address: string
  /** Value of the configured header, '' for none. */
  readonly header: string
}

export interface Affinity {
  readonly spec: StickySpec
  /** The backend this client is bound to, or undefined. Forged and stale marks are ignored. */
  find(key: AffinityKey): BackendSpec | undefined
  /**
   * The exchange went to `backend`: binds the client to it. Returns the Set-Cookie line to send (with CRLF),
   * '' where nothing needs to be said. `secure`: the client came by TLS.
   */
  bind(key: AffinityKey, backend: BackendSpec, secure: boolean): string
}

/** Where clients are remembered. */
export type AffinityMemory = Pick<WorkerState, 'buffer' | 'workerId'>

export function buildAffinity(pool: PoolSpec, state: AffinityMemory): Affinity {
  return pool.sticky!.by === 'cookie' ? new CookieAffinity(pool) : new TableAffinity(pool, state)
}

/** 128 bits of HMAC-SHA256 over pool and URL: names a backend without telling its address, and cannot be made up. */
export function backendToken(secret: string, pool: string, url: string): string {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(`${pool}\n${url}`).digest('base64url').slice(0, 22)
}

class CookieAffinity implements Affinity {
  readonly spec: StickySpec
  readonly #byToken = new Map<string, BackendSpec>()
  readonly #tokenOf = new Map<string, string>()

  constructor(pool: PoolSpec) {
    this.spec = pool.sticky!
    for (const backend of pool.backends) {
      const token = backendToken(this.spec.secret, pool.name, backend.url)
      this.#byToken.set(token, backend)
      this.#tokenOf.set(backend.url, token)
    }
  }

  find(key: AffinityKey): BackendSpec | undefined {
    const value = cookieValue(key.cookie, this.spec.name)
    return value === '' ? undefined : this.#byToken.get(value.slice(0, 22))
  }

  bind(key: AffinityKey, backend: BackendSpec, secure: boolean): string {
    const token = this.#tokenOf.get(backend.url)
    if (token === undefined) return ''
    const value = cookieValue(key.cookie, this.spec.name)
    const ttlS = Math.round(this.spec.ttlMs / 1000)
    const nowS = Math.floor(Date.now() / 1000)
    // The moment of issue, behind the token, says only when to renew: an active client keeps its backend.
    if (value.startsWith(`${token}.`)) {
      const age = nowS - Number.parseInt(value.slice(23), 36)
      if (age >= 0 && age < ttlS / 2) return ''
    }
    const attributes = `Path=/; Max-Age=${ttlS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    return `Set-Cookie: ${this.spec.name}=${token}.${nowS.toString(36)}; ${attributes}\r\n`
  }
}

class TableAffinity implements Affinity {
  readonly spec: StickySpec
  readonly #table: AffinityTable
  readonly #bySlot: Map<number, BackendSpec>

  constructor(pool: PoolSpec, state: AffinityMemory) {
    this.spec = pool.sticky!
    this.#table = new AffinityTable(state.buffer, state.workerId)
    this.#bySlot = new Map(pool.backends.map((backend) => [backend.slot, backend]))
  }

  find(key: AffinityKey): BackendSpec | undefined {
    const text = this.#text(key)
    if (text === '') return undefined
    const [high, low] = hash64(text)
    const slot = this.#table.lookup(this.spec.table, high, low, Math.floor(Date.now() / 1000))
    return slot < 0 ? undefined : this.#bySlot.get(slot)
  }

  bind(key: AffinityKey, backend: BackendSpec): string {
    const text = this.#text(key)
    if (text !== '') {
      const [high, low] = hash64(text)
      const ttlS = Math.max(1, Math.round(this.spec.ttlMs / 1000))
      this.#table.bind(this.spec.table, high, low, backend.slot, ttlS, Math.floor(Date.now() / 1000))
    }
    return ''
  }

  #text(key: AffinityKey): string {
    return this.spec.by === 'ip' ? key.address : key.header
  }
}

/** The value of one cookie in a Cookie header (RFC 6265 §5.4), '' if it is not there. */
export function cookieValue(cookie: string, name: string): string {
  for (let start = 0; start < cookie.length; ) {
    const semicolon = cookie.indexOf(';', start)
    const end = semicolon < 0 ? cookie.length : semicolon
    while (cookie.charCodeAt(start) === 32) start++
    if (cookie.startsWith(name, start) && cookie.charCodeAt(start + name.length) === 61 /* = */) {
      return cookie.slice(start + name.length + 1, end).trim()
    }
    start = end + 1
  }
  return ''
}
