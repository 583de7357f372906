// TLS towards backends: what the settings of a pool come to, made once and shared by all its connections.
import net from 'node:net'
import tls from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { BackendSpec, BackendTlsSpec, PoolSpec } from '../../core/spec.ts'
import { systemAuthorities } from '../../util/authorities.ts'
import { commonNames } from '../../util/common-names.ts'
import { BackendSessions } from './backend-sessions.ts'

/** The settings of a pool, ready for use. The same object means the same settings. */
export interface BackendContext {
  readonly spec: BackendTlsSpec
  readonly secure: tls.SecureContext
  /** Protocols in the form of the extension (RFC 7301 §3.1), or null = it is not sent. */
  readonly alpn: Buffer | null
}

/** The contexts of all pools in one thread. */
export class BackendContexts {
  #kept: readonly BackendContext[] = []

  /**
   * The contexts of these pools, by their names; only pools with a backend that speaks TLS have one. What was there for
   * the same settings before is used again.
   * @throws Error naming the pool whose certificates cannot be used.
   */
  prepare(pools: readonly PoolSpec[]): ReadonlyMap<string, BackendContext> {
    const byPool = new Map<string, BackendContext>()
    const used: BackendContext[] = []
    for (const pool of pools) {
      if (!pool.backends.some(speaksTls)) continue
      const same = ({ spec }: BackendContext): boolean => isDeepStrictEqual(spec, pool.tls)
      let context = used.find(same)
      if (context === undefined) used.push((context = this.#kept.find(same) ?? contextOf(pool)))
      byPool.set(pool.name, context)
    }
    return byPool
  }

  /** As `prepare`, in force at once. */
  update(pools: readonly PoolSpec[]): ReadonlyMap<string, BackendContext> {
    const contexts = this.prepare(pools)
    this.adopt(contexts)
    return contexts
  }

  /** These are in force: what else there was is forgotten. */
  adopt(byPool: ReadonlyMap<string, BackendContext>): void {
    this.#kept = [...new Set(byPool.values())]
  }
}

export function speaksTls({ protocol }: BackendSpec): boolean {
  return protocol === 'https' || protocol === 'tls'
}

/** TLS towards one backend, with the sessions that may be resumed there. */
export class BackendTls {
  readonly context: BackendContext
  /** The name or address that its certificate must be good for. */
  readonly name: string
  readonly sessions = new BackendSessions()

  constructor(context: BackendContext, backend: BackendSpec) {
    this.context = context
    this.name = context.spec.serverName ?? backend.host
  }

  /**
   * Begins the handshake on a connected socket. `secureConnect` says that it is done and verified; before that nothing
   * is read. A certificate that is not accepted is an `error`, as is every other failure.
   */
  start(socket: net.Socket): tls.TLSSocket {
    const { secure, alpn, spec } = this.context
    const session = this.sessions.take()
    const secured: tls.TLSSocket = tls.connect({
      socket,
      secureContext: secure,
      // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
      rejectUnauthorized: spec.verify,
      // An address is not sent as a server name (RFC 6066 §3), but it is verified.
      servername: net.isIP(this.name) === 0 ? this.name : '',
      checkServerIdentity: () => this.#identityError(secured),
      ...(alpn === null ? {} : { ALPNProtocols: alpn }),
      ...(session === null ? {} : { session }),
    })
    // What Node would ask for the check of the name, and cannot say of every certificate (see commonNames).
    secured.getPeerCertificate = () => ({}) as tls.DetailedPeerCertificate
    let anew = true
    secured.on('session', (given) => {
      this.sessions.put(given, anew && !secured.isSessionReused())
      anew = false
    })
    return secured
  }

  #identityError(secured: tls.TLSSocket): Error | undefined {
    const certificate = secured.getPeerX509Certificate()
    const subject = { CN: certificate === undefined ? [] : commonNames(certificate) }
    const shown = { subject, subjectaltname: certificate?.subjectAltName } as unknown as tls.PeerCertificate
    return tls.checkServerIdentity(this.name, shown)
  }
}

function contextOf({ name, tls: spec }: PoolSpec): BackendContext {
  try {
    const secure = tls.createSecureContext({
      minVersion: spec.minVersion,
      ...authorities(spec),
      ...(spec.identity === null ? {} : { cert: spec.identity.cert, key: spec.identity.key }),
    })
    return { spec, secure, alpn: spec.alpn.length === 0 ? null : encodeAlpn(spec.alpn) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`pool ${name}: the certificates for its backends cannot be used: ${why}`, { cause: error })
  }
}

function authorities(spec: BackendTlsSpec): { ca?: string | string[] } {
  if (!spec.verify) return { ca: [] }
  if (spec.ca !== null) return { ca: spec.ca }
  const trusted = systemAuthorities()
  // Where the system knows of no more than Node does, Node's store serves, which all contexts share.
  return trusted.length === new Set(tls.getCACertificates('default')).size ? {} : { ca: [...trusted] }
}

function encodeAlpn(protocols: readonly string[]): Buffer {
  const parts = protocols.map((protocol) => Buffer.from(protocol, 'latin1'))
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), part]))
}
