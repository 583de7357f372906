// The health of every backend: active checks, passive ejection and name resolution put together, each flip logged once
// and counted. Owns the flags PROBE_DOWN, EJECTED and UNKNOWN; the administrative ones are membership's.

import { errors } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { BackendSpec, PassiveHealthSpec, PoolSpec, Slot } from '../../core/spec.ts'
import { type BackendContext, BackendContexts, speaksTls } from '../../net/tls/backend-context.ts'
import { Flag } from '../../state/flags.ts'
import { type EventSink, noEvents } from '../events.ts'
import { formatDuration } from '../format-duration.ts'
import type { BackendFailure } from '../port.ts'
import { ActiveChecks, type CheckSummary, type Flip } from './active-checks.ts'
import { type BackendState, stateOfFlags } from './backend-state.ts'
import { type EjectionState, PassiveEjection } from './passive-ejection.ts'
import { type Probe, type ProbeResult, probe as realProbe } from './probe.ts'
import { type Lookup, Resolver, type TtlOf } from './resolver.ts'
import { unverifiedPools } from './unverified-pools.ts'

export interface HealthOptions {
  readonly state: EjectionState
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  readonly setAddresses: (slot: Slot, addresses: readonly string[]) => void
  readonly probe?: Probe
  readonly lookup?: Lookup
  readonly ttlOf?: TtlOf
  /** Active checks under way at once; default 256. */
  readonly concurrency?: number
}

/** Why a backend gets nothing, as far as health knows. */
export interface Outage {
  readonly downForMs: number | null
  readonly returnsAtMs: number | null
}

interface Entry {
  backend: BackendSpec
  /** How its connections begin. */
  tls: BackendContext | null
  sendProxyProtocol: PoolSpec['sendProxyProtocol']
  /** What live connections last said of TLS, and when: the same again is no news for a while. */
  tlsFailure: { readonly reason: string; readonly atMs: number } | null
  state: BackendState
  readonly transitions: Map<BackendState, number>
}

/** A failure of TLS that goes on is said again after so long. */
const sameFailureMs = 600_000

export class Health {
  readonly #contexts = new BackendContexts()
  /** Pools whose backends are not verified, and that this has been said of. */
  #unverified: ReadonlySet<string> = new Set()
  readonly #entries = new Map<Slot, Entry>()
  /** Backends by the host name they need resolved. */
  readonly #byHost = new Map<string, Set<Slot>>()
  readonly #options: HealthOptions
  readonly #events: EventSink
  readonly #active: ActiveChecks
  readonly #passive: PassiveEjection
  readonly #resolver: Resolver

  constructor(options: HealthOptions) {
    this.#options = options
    this.#events = options.events ?? noEvents
    const { state, log, lookup, ttlOf, concurrency } = options
    this.#resolver = new Resolver({
      log,
      onChange: (host, addresses) => this.#addressesChanged(host, addresses),
      ...(lookup === undefined ? {} : { lookup }),
      ...(ttlOf === undefined ? {} : { ttlOf }),
    })
    this.#active = new ActiveChecks({
      probe: (backend, check, signal) => this.#probe(backend, check, signal),
      onFlip: (flip) => this.#flipped(flip),
      onResult: (backend, result, scheduled) => this.#checked(backend, result, scheduled),
      ...(concurrency === undefined ? {} : { concurrency }),
    })
    this.#passive = new PassiveEjection({
      state,
      onEjected: (backend, fails, spec) => this.#ejected(backend, fails, spec),
      onReturned: (backend, why) => this.#returned(backend, why),
    })
  }

  /** Makes the set of watched backends that of these pools: new ones are checked at once, others keep what is known. */
  update(pools: readonly PoolSpec[]): void {
    const contexts = this.#contexts.update(pools)
    this.#warnOfUnverified(pools)
    const seen = new Set<Slot>()
    for (const pool of pools) {
      for (const backend of pool.backends) {
        seen.add(backend.slot)
        this.#set(pool, backend, speaksTls(backend) ? contexts.get(pool.name)! : null)
      }
    }
    for (const slot of [...this.#entries.keys()]) if (!seen.has(slot)) this.#remove(slot)
    // What left may have been the last available one.
    for (const pool of pools) this.#passive.relieve(pool.name)
  }

  /** What workers tell of live traffic: a failed connection counts against the backend and asks for a check at once. */
  failed(failure: BackendFailure): void {
    const entry = this.#entries.get(failure.slot)
    const { phase, blamesBackend } = errors[failure.error]
    if (entry === undefined || !blamesBackend || (phase !== 'connect' && phase !== 'tls')) return
    if (phase === 'tls') this.#tlsFailed(entry, failure.code)
    this.#passive.failed(failure.slot, failure.count)
    this.#active.trigger(failure.slot)
    this.#resolver.refresh(entry.backend.host)
  }

  /** After somebody else changed a backend's flags (an administrator): counts the transition, keeps the pool served. */
  noticed(slot: Slot): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    const state = stateOfFlags(this.#options.state.flags(slot))
    if (state === entry.state) return
    entry.state = state
    entry.transitions.set(state, (entry.transitions.get(state) ?? 0) + 1)
    if (state !== 'up' && state !== 'ejected') this.#passive.relieve(entry.backend.pool)
  }

  /** How long it has been down, and until when it is ejected; null = it is not. */
  outage(slot: Slot): Outage {
    return { downForMs: this.#active.downForMs(slot), returnsAtMs: this.#passive.returnsAtMs(slot) }
  }

  checks(slot: Slot): CheckSummary | null {
    return this.#active.summary(slot)
  }

  /** How often the backend entered each state. */
  transitions(slot: Slot): ReadonlyMap<BackendState, number> {
    return this.#entries.get(slot)?.transitions ?? new Map()
  }

  /** Addresses found so far, for a worker that starts later; names without any are left out. */
  addresses(): ReadonlyMap<Slot, readonly string[]> {
    const found = new Map<Slot, readonly string[]>()
    for (const [host, slots] of this.#byHost) {
      const { addresses } = this.#resolver.get(host)
      if (addresses.length > 0) for (const slot of slots) found.set(slot, addresses)
    }
    return found
  }

  close(): void {
    this.#active.close()
    this.#passive.close()
    this.#resolver.close()
    this.#entries.clear()
    this.#byHost.clear()
  }

  #set(pool: PoolSpec, backend: BackendSpec, tls: BackendContext | null): void {
    const known = this.#entries.get(backend.slot)
    const { sendProxyProtocol } = pool
    this.#passive.set(backend, pool.passiveHealth)
    if (known !== undefined) {
      Object.assign(known, { backend, tls, sendProxyProtocol })
      this.#setCheck(backend, pool.healthCheck)
      return
    }
    const state = stateOfFlags(this.#options.state.flags(backend.slot))
    const transitions = new Map<BackendState, number>()
    this.#entries.set(backend.slot, { backend, tls, sendProxyProtocol, tlsFailure: null, state, transitions })
    this.#watchName(backend)
    if (pool.healthCheck !== null) this.#active.add(backend, pool.healthCheck)
  }

  /** Of a backend that is known already. */
  #setCheck(backend: BackendSpec, check: PoolSpec['healthCheck']): void {
    const isChecked = this.#active.has(backend.slot)
    if (check !== null) {
      if (isChecked) this.#active.update(backend, check)
      else this.#active.add(backend, check)
      return
    }
    if (!isChecked) return
    this.#active.remove(backend.slot)
    // What the last check said is nothing to go by for ever.
    this.#options.state.setFlag(backend.slot, Flag.UNKNOWN)
    this.#options.state.clearFlag(backend.slot, Flag.PROBE_DOWN)
    this.noticed(backend.slot)
  }

  #watchName(backend: BackendSpec): void {
    const slots = this.#byHost.get(backend.host) ?? new Set()
    this.#byHost.set(backend.host, slots.add(backend.slot))
    this.#resolver.watch(backend.host)
    const { addresses } = this.#resolver.get(backend.host)
    if (addresses.length > 0 && addresses[0] !== backend.host) this.#options.setAddresses(backend.slot, addresses)
  }

  #remove(slot: Slot): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    this.#entries.delete(slot)
    this.#active.remove(slot)
    this.#passive.remove(slot)
    const slots = this.#byHost.get(entry.backend.host)
    if (slots?.delete(slot) && slots.size === 0) this.#byHost.delete(entry.backend.host)
    this.#resolver.unwatch(entry.backend.host)
  }

  async #probe(backend: BackendSpec, check: Parameters<Probe>[0]['check'], signal: AbortSignal): Promise<ProbeResult> {
    const run = this.#options.probe ?? realProbe
    const { addresses, problem } = await this.#resolver.whenKnown(backend.host)
    if (backend.socketPath === null && addresses.length === 0) {
      return { ok: false, reason: problem ?? 'no address' }
    }
    const entry = this.#entries.get(backend.slot)
    if (entry === undefined) return { ok: false, reason: 'cancelled' }
    const { tls, sendProxyProtocol } = entry
    const result = await run({ backend, check, addresses, signal, tls, sendProxyProtocol })
    if (!result.ok) this.#resolver.refresh(backend.host)
    if (problem === null) return result
    return { ok: result.ok, reason: `${result.reason}; name not resolved (${problem}), last good addresses in use` }
  }

  #addressesChanged(host: string, addresses: readonly string[]): void {
    for (const slot of this.#byHost.get(host) ?? []) this.#options.setAddresses(slot, addresses)
  }

  /** Said once for each pool, when it begins to be so. */
  #warnOfUnverified(pools: readonly PoolSpec[]): void {
    const unverified = unverifiedPools(pools)
    for (const { pool, message } of unverified) {
      if (this.#unverified.has(pool)) continue
      this.#options.log.event('warn', 'tls_not_verified', message, { pool })
    }
    this.#unverified = new Set(unverified.map(({ pool }) => pool))
  }

  /** A refused connection need not be a refused certificate: why it failed is said even where no check runs. */
  #tlsFailed(entry: Entry, reason: string): void {
    const { backend, tlsFailure: last } = entry
    const atMs = performance.now()
    if (last?.reason === reason && atMs - last.atMs < sameFailureMs) return
    entry.tlsFailure = { reason, atMs }
    const message = `TLS with backend ${backend.url} failed: ${reason}`
    this.#options.log.event('warn', 'backend_tls_failed', message, { pool: backend.pool, backend: backend.url, reason })
  }

  #checked(backend: BackendSpec, result: ProbeResult, scheduled: boolean): void {
    // A check that live failures asked for says nothing new: those failures are why the backend is out.
    if (result.ok && scheduled) this.#passive.passed(backend.slot)
  }

  #flipped(flip: Flip): void {
    const { state, log } = this.#options
    const { backend, to, from, reason } = flip
    if (to === 'up') state.clearFlag(backend.slot, Flag.PROBE_DOWN | Flag.UNKNOWN)
    else {
      state.setFlag(backend.slot, Flag.PROBE_DOWN)
      state.clearFlag(backend.slot, Flag.UNKNOWN)
    }
    const was = from === 'unknown' ? 'first check' : `was ${from} for ${formatDuration(flip.afterMs)}`
    const message = `backend ${backend.url} ${to.toUpperCase()}: ${reason} (${was})`
    const level = to === 'down' ? 'warn' : from === 'unknown' ? 'debug' : 'info'
    const fields = { pool: backend.pool, backend: backend.url, reason, from, after_ms: Math.round(flip.afterMs) }
    log.event(level, `backend_${to}`, message, fields)
    this.#tellFlip(flip)
    this.noticed(backend.slot)
  }

  #tellFlip({ backend: { pool, url }, from, to, reason: cause, afterMs }: Flip): void {
    const about = { pool, backend: url, cause, afterMs }
    if (to === 'up' && from !== 'up') this.#events.emit({ type: 'backend_up', ...about, was: from })
    if (to === 'down' && from !== 'down') this.#events.emit({ type: 'backend_down', ...about, was: from })
  }

  #ejected(backend: BackendSpec, fails: number, spec: PassiveHealthSpec): void {
    const window = formatDuration(spec.windowMs)
    const message = `backend ${backend.url} EJECTED for ${formatDuration(spec.ejectMs)}: ${fails} failed connections within ${window}`
    const fields = { pool: backend.pool, backend: backend.url, fails, window_ms: spec.windowMs, eject_ms: spec.ejectMs }
    this.#options.log.event('warn', 'backend_ejected', message, fields)
    const { windowMs, ejectMs } = spec
    const about = { pool: backend.pool, backend: backend.url, failures: fails }
    this.#events.emit({ type: 'backend_ejected', ...about, windowMs, ejectMs })
    this.noticed(backend.slot)
  }

  #returned(backend: BackendSpec, why: 'time' | 'check' | 'last'): void {
    const words = { time: 'its time is over', check: 'a health check passed', last: 'no other backend is left' }
    const message = `backend ${backend.url} is no longer ejected: ${words[why]}`
    this.#options.log.event('info', 'backend_returned', message, { pool: backend.pool, backend: backend.url, why })
    this.#events.emit({ type: 'backend_returned', pool: backend.pool, backend: backend.url, cause: why })
    this.noticed(backend.slot)
  }
}
