// The life of a TCP connection, in the order of its methods:
//   attempt → connect → onDialed → tunnelEnded → finish
// with giveUp as the way out while no backend has it.
import { performance } from 'node:perf_hooks'
import { type ErrorSpec, errors } from '../core/errors.ts'
import type { ListenerSpec } from '../core/spec.ts'
import type { Arrival } from '../net/arrival.ts'
import { Dial, type DialEvents } from '../net/dialer.ts'
import { proxyHeader } from '../net/proxy-protocol/compose.ts'
import { Tunnel, type TunnelOwner } from '../net/tunnel.ts'
import type { Wire, WireEvents } from '../net/wire.ts'
import type { AffinityKey } from '../pool/affinity.ts'
import { Attempts } from '../pool/attempts.ts'
import { Lease } from '../pool/lease.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import type { Pool } from '../pool/pool.ts'
import { hash32 } from '../util/hash32.ts'

/** What a snapshot says for a connection that comes in now. */
export interface TcpSite {
  readonly listener: ListenerSpec
  readonly pool: Pool
  /** What the client asked for by TLS, ended here or passed on; '' = nothing. */
  readonly serverName: string
}

/** Where a connection came in. */
export interface TcpHome {
  readonly plane: PlaneContext
  /** Called once, when both its sockets are gone; never before the constructor has returned. */
  connectionClosed(connection: TcpConnection): void
}

/** Nothing has reached a backend: whatever failed may be tried at another one. */
const untouched = { repeatable: true, idempotent: true }

/** For the moment between a wire and the tunnel that takes it over. */
const nobody: WireEvents = { onData() {}, onEnd() {}, onDrain() {}, onClose() {}, onFault() {} }

export class TcpConnection implements WireEvents, DialEvents, TunnelOwner {
  readonly wire: Wire
  readonly #arrival: Arrival
  readonly #site: TcpSite
  readonly #home: TcpHome
  readonly #attempts: Attempts
  readonly #startedAt = performance.now()
  /** What the client has sent while no backend had it: what came with its arrival, and one read at most. */
  #early: Buffer | null
  #clientEnded = false
  #dial: Dial | null = null
  #tunnel: Tunnel | null = null
  #backendUrl = ''
  #dialedAt = 0
  /** Spent on dials; -1 = none was begun. */
  #connectUs = -1
  #status = 200
  #error = ''

  /** Takes the arrival over. `early`: bytes of the client that have been read already. */
  constructor(arrival: Arrival, site: TcpSite, home: TcpHome, early: Buffer | null) {
    this.#arrival = arrival
    this.#site = site
    this.#home = home
    this.#early = early
    if (early !== null) home.plane.state.bytesReceived(site.listener.row, early.length)
    this.#attempts = new Attempts(site.pool, hash32(arrival.address))
    this.wire = arrival.open(this)
    this.#attempt()
  }

  /** A TCP connection does not show whether it is idle: it lives until its ends close it, or the drain is over. */
  closeIfIdle(): void {}

  destroy(): void {
    this.wire.destroy()
  }

  /** Takes a place at a backend. */
  #attempt(): void {
    const bound = this.#site.pool.affinity?.find(this.#affinityKey())
    const lease = this.#attempts.take(bound)
    if (lease instanceof Lease) this.#connect(lease)
    else this.#giveUp(this.#attempts.failure ?? lease)
  }

  #connect({ backend }: Lease): void {
    const { sendProxyProtocol } = backend
    const preface =
      sendProxyProtocol === null ? null : proxyHeader(sendProxyProtocol, this.#arrival, this.#arrival.destination())
    this.#backendUrl = backend.spec.url
    backend.sockets.makeRoom()
    this.#dialedAt = performance.now()
    this.#dial = new Dial(backend, this.#site.pool.spec.timeouts.connectMs, this.#home.plane.wheel, this, preface)
    this.#dial.start()
  }

  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void {
    this.#endDial()
    const { plane } = this.#home
    const { listener, pool } = this.#site
    const { backend } = this.#attempts.lease!
    plane.state.backendConnected(backend.spec.slot, durationUs)
    plane.state.observeLatency(backend.spec.slot, durationUs)
    try {
      this.#attempts.endRetry()
      pool.affinity?.bind(this.#affinityKey(), backend.spec, false)
      const wire = open(nobody)
      backend.opened(wire)
      this.wire.setNoDelay()
      this.#tunnel = new Tunnel({
        client: this.wire,
        backend: wire,
        owner: this,
        wheel: plane.wheel,
        idleMs: listener.idleTimeoutMs,
        state: plane.state,
        row: listener.row,
      })
      this.#tunnel.start(this.#early, this.#clientEnded, null)
      this.#early = null
    } catch (error) {
      // What a dial calls comes straight from the loop: a bug there costs this connection, not the worker.
      plane.unexpected(error)
      this.wire.destroy()
    }
  }

  onDialFailed(error: ErrorSpec, code: string): void {
    this.#endDial()
    const { plane } = this.#home
    const { slot } = this.#attempts.lease!.backend.spec
    plane.state.backendConnectFailed(slot)
    try {
      if (error.blamesBackend) plane.backendFailed(slot, error.name, code)
      this.#attempts.failed(error, code, false)
      if (this.#attempts.mayRetry(error, false, untouched)) this.#attempt()
      else this.#giveUp(this.#attempts.failure!)
    } catch (fault) {
      plane.unexpected(fault)
      this.wire.destroy()
    }
  }

  /** No backend could be reached: the client's connection ends as a server's would that has nothing to say. */
  #giveUp(error: ErrorSpec): void {
    this.#error = error.name
    this.#status = error.status
    this.#home.plane.state.connectionRejected(this.#site.listener.row, 'no_backend')
    this.wire.destroy()
  }

  /** Both sockets are gone. */
  tunnelEnded({ broken, error, timedOut }: Tunnel): void {
    if (timedOut) this.#error = 'idle_timeout'
    else if (broken !== null && error === null) this.#error = 'cut'
    else if (broken === 'client') this.#error = errors.client_gone.name
    else if (broken === 'backend') {
      this.#error = errors.reset_in_answer.name
      this.#home.plane.state.backendFinished(this.#attempts.lease!.backend.spec.slot, 0, 0)
    }
    this.#finish()
  }

  tunnelFault(error: unknown): void {
    this.#home.plane.unexpected(error)
  }

  /** The one way a connection ends: what it held is given back, what is known is recorded. */
  #finish(): void {
    const { plane } = this.#home
    this.#attempts.release()
    plane.state.bytesSent(this.#site.listener.row, this.wire.written)
    if (plane.accessLog?.wants('', '', this.#status, this.#error, true) === true) this.#log()
    this.#home.connectionClosed(this)
  }

  // --- the client, while no backend has it ---

  /** Kept for the backend; what comes after it stays in the kernel. Reading so far shows a client that goes away. */
  onData(bytes: Buffer, length: number): void {
    this.#home.plane.state.bytesReceived(this.#site.listener.row, length)
    const read = bytes.subarray(0, length)
    this.#early = this.#early === null ? Buffer.from(read) : Buffer.concat([this.#early, read])
    this.wire.pause()
  }

  onEnd(): void {
    this.#clientEnded = true
  }

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | null): void {
    this.#dial?.cancel()
    if (this.#dial !== null) this.#endDial()
    if (error !== null) this.#error = errors.client_gone.name
    this.#finish()
  }

  onFault(error: unknown): void {
    this.#home.plane.unexpected(error)
  }

  // --- details ---

  #endDial(): void {
    this.#dial = null
    this.#connectUs = Math.max(0, this.#connectUs) + Math.round((performance.now() - this.#dialedAt) * 1000)
  }

  #affinityKey(): AffinityKey {
    return { cookie: '', address: this.#arrival.address, header: '' }
  }

  #log(): void {
    const { tls } = this.#arrival
    this.#home.plane.accessLog!.addTcp({
      listener: this.#site.listener.name,
      client: this.#arrival.address,
      tls: tls?.version ?? '',
      clientCertificate: tls?.clientCertificate?.fingerprint ?? '',
      serverName: this.#site.serverName,
      status: this.#status,
      received: this.#tunnel?.client.count ?? this.#early?.length ?? 0,
      sent: this.#tunnel?.backend.count ?? 0,
      durationUs: Math.round((performance.now() - this.#startedAt) * 1000),
      connectUs: this.#connectUs,
      pool: this.#site.pool.spec.name,
      backend: this.#backendUrl,
      attempts: this.#attempts.count,
      failures: this.#attempts.failures,
      error: this.#error,
    })
  }
}
