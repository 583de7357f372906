// What the backends' host names stand for: resolved at start and again as the records age. getaddrinfo decides (so that
// /etc/hosts and localhost work), DNS only tells how long to believe it. A failure keeps the last good addresses.

import { Resolver as DnsResolver, lookup as dnsLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Log } from '../../core/log.ts'
import { Gate } from './gate.ts'

/** All addresses of a name, best first; rejects with a `code` such as ENOTFOUND. */
export type Lookup = (host: string) => Promise<readonly string[]>
/** How long the records of a name may be believed, in seconds; null = unknown. */
export type TtlOf = (host: string) => Promise<number | null>

export interface ResolverOptions {
  readonly log: Log
  /** Called when the set of addresses of a name changes, the first time included. */
  readonly onChange: (host: string, addresses: readonly string[]) => void
  readonly lookup?: Lookup
  readonly ttlOf?: TtlOf
}

export interface Resolution {
  /** Empty until the first success. */
  readonly addresses: readonly string[]
  /** Why the last attempt failed, or null. */
  readonly problem: string | null
}

interface Name {
  readonly host: string
  users: number
  addresses: readonly string[]
  problem: string | null
  failures: number
  resolvedAtMs: number
  timer: NodeJS.Timeout | null
  running: boolean
  /** Resolved with the first result. */
  readonly known: PromiseWithResolvers<void>
}

const unknownTtlMs = 30_000
const minTtlMs = 1_000
const maxTtlMs = 3_600_000
/** A check that failed asks again no sooner than this after the last attempt. */
const refreshGapMs = 1_000
/** getaddrinfo blocks a thread of libuv's pool of four, which the state file's fsync needs too. */
const parallelLookups = 2

const systemLookup: Lookup = async (host) => {
  const found = await dnsLookup(host, { all: true, order: 'verbatim' })
  return [...new Set(found.map((entry) => entry.address))]
}

const systemTtl: TtlOf = async (host) => {
  // Names without a dot come from /etc/hosts or a search list: DNS would be asked for something else.
  if (!host.includes('.') || host.endsWith('.localhost')) return null
  const resolver = new DnsResolver({ timeout: 1000, tries: 1 })
  const asked = await Promise.allSettled([
    resolver.resolve4(host, { ttl: true }),
    resolver.resolve6(host, { ttl: true }),
  ])
  const ttls = asked.flatMap((answer) =>
    answer.status === 'fulfilled' ? answer.value.map((record) => record.ttl) : [],
  )
  return ttls.length === 0 ? null : Math.min(...ttls)
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((address) => b.includes(address))

export class Resolver {
  readonly #names = new Map<string, Name>()
  readonly #options: Required<ResolverOptions>
  readonly #gate = new Gate(parallelLookups)

  constructor(options: ResolverOptions) {
    this.#options = { lookup: systemLookup, ttlOf: systemTtl, ...options }
  }

  /** Begins to resolve a name, once however many backends have it. IP literals and '' (Unix sockets) are passed over. */
  watch(host: string): void {
    if (host === '' || isIP(host) !== 0) return
    const known = this.#names.get(host)
    if (known !== undefined) {
      known.users += 1
      return
    }
    const name: Name = {
      host,
      users: 1,
      addresses: [],
      problem: null,
      failures: 0,
      resolvedAtMs: 0,
      timer: null,
      running: false,
      known: Promise.withResolvers(),
    }
    this.#names.set(host, name)
    this.#start(name)
  }

  unwatch(host: string): void {
    const name = this.#names.get(host)
    if (name === undefined || (name.users -= 1) > 0) return
    this.#names.delete(host)
    if (name.timer !== null) clearTimeout(name.timer)
  }

  /** What is known now; an IP literal stands for itself. */
  get(host: string): Resolution {
    const name = this.#names.get(host)
    if (name === undefined) return { addresses: isIP(host) === 0 ? [] : [host], problem: null }
    return { addresses: name.addresses, problem: name.problem }
  }

  /** As get, after the first attempt has ended. */
  async whenKnown(host: string): Promise<Resolution> {
    await this.#names.get(host)?.known.promise
    return this.get(host)
  }

  /** Resolves again soon, because connections to the addresses fail. */
  refresh(host: string): void {
    const name = this.#names.get(host)
    if (name === undefined || name.running) return
    if (performance.now() - name.resolvedAtMs >= refreshGapMs) this.#start(name)
  }

  close(): void {
    for (const name of this.#names.values()) if (name.timer !== null) clearTimeout(name.timer)
    this.#names.clear()
  }

  #start(name: Name): void {
    if (name.timer !== null) clearTimeout(name.timer)
    name.timer = null
    name.running = true
    void this.#resolve(name)
  }

  async #resolve(name: Name): Promise<void> {
    const { lookup, ttlOf } = this.#options
    let nextMs: number
    try {
      // Connections need not wait for the answer to how long the addresses hold.
      this.#succeeded(name, await this.#gate.run(() => lookup(name.host)))
      name.known.resolve()
      const ttl = await ttlOf(name.host).catch(() => null)
      nextMs = ttl === null ? unknownTtlMs : Math.min(maxTtlMs, Math.max(minTtlMs, ttl * 1000))
    } catch (error) {
      this.#failed(name, (error as NodeJS.ErrnoException).code ?? String(error))
      name.known.resolve()
      nextMs = Math.min(unknownTtlMs, minTtlMs * 2 ** Math.min(name.failures - 1, 5))
    }
    name.running = false
    name.resolvedAtMs = performance.now()
    if (this.#names.get(name.host) === name) name.timer = setTimeout(() => this.#start(name), nextMs).unref()
  }

  #succeeded(name: Name, addresses: readonly string[]): void {
    if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENODATA' })
    if (name.problem !== null) {
      this.#options.log.event('info', 'resolve_recovered', `${name.host} resolves again`, { host: name.host })
    }
    name.problem = null
    name.failures = 0
    // The order rotates from answer to answer; only a change of the set is a change.
    if (sameSet(addresses, name.addresses) || this.#names.get(name.host) !== name) return
    const before = name.addresses
    name.addresses = Object.freeze([...addresses])
    if (before.length > 0) {
      const message = `${name.host} is now ${addresses.join(', ')} (was ${before.join(', ')})`
      this.#options.log.event('info', 'addresses_changed', message, { host: name.host, addresses, before })
    }
    this.#options.onChange(name.host, name.addresses)
  }

  #failed(name: Name, code: string): void {
    name.failures += 1
    if (name.problem === null) {
      const kept =
        name.addresses.length === 0 ? '' : `; the last good addresses stay in use: ${name.addresses.join(', ')}`
      const message = `${name.host} cannot be resolved: ${code}${kept}`
      this.#options.log.event('warn', 'resolve_failed', message, { host: name.host, code })
    }
    name.problem = code
  }
}
