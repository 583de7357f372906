// What a listener needs to speak TLS: a context for each set of certificates, chosen by the name a client asks for.
import { constants, createHash } from 'node:crypto'
import tls from 'node:tls'
import type { IdentitySpec, ListenerTlsSpec } from '../../core/spec.ts'
import type { HandshakeOptions } from './server-handshake.ts'
import { TicketSeal } from './ticket-seal.ts'

/** Clients without AES hardware put ChaCha20 first, and are heard. */
const PRIORITIZE_CHACHA = 0x0020_0000

export class ServerTls {
  /** Equal for specs that need no new contexts. */
  readonly key: string
  readonly #exact = new Map<string, HandshakeOptions>()
  /** By the part of a name after its first label. */
  readonly #wildcard = new Map<string, HandshakeOptions>()
  readonly #first: HandshakeOptions
  readonly #contexts = new Map<string, HandshakeOptions>()
  readonly #spec: ListenerTlsSpec
  readonly #sessionIdContext: string
  #seal: TicketSeal | null

  /** `listener`: tickets of one listener are worth nothing at another. Throws what OpenSSL says of unusable material. */
  constructor(listener: string, spec: ListenerTlsSpec, ticketKey: Uint8Array | null) {
    this.#spec = spec
    this.#seal = ticketKey === null || !spec.sessionTickets ? null : new TicketSeal(ticketKey)
    this.key = keyOf(spec)
    // A session must not outlive the rules it was made by: who may connect, and by what proof (CVE-2025-23419).
    this.#sessionIdContext = createHash('sha256')
      .update(JSON.stringify([listener, spec.clientAuth]))
      .digest('base64')
      .slice(0, 32)
    for (const identity of spec.identities) {
      for (const name of identity.names) {
        const table = name.startsWith('*.') ? this.#wildcard : this.#exact
        const place = name.startsWith('*.') ? name.slice(2) : name
        if (!table.has(place)) table.set(place, this.#contextFor(name, identity))
      }
    }
    const first = spec.identities[0]!
    this.#first = this.#contextFor(first.names[0] ?? '', first)
  }

  /** Exact name, then wildcard, then the first certificate. `serverName` in lower case; '' = the client did not say. */
  choose(serverName: string): HandshakeOptions {
    const exact = this.#exact.get(serverName)
    if (exact !== undefined) return exact
    const dot = serverName.indexOf('.')
    return (dot > 0 ? this.#wildcard.get(serverName.slice(dot + 1)) : undefined) ?? this.#first
  }

  /** Tickets are sealed with this key from now on; those of the one before are still good. */
  setTicketKey(key: Uint8Array): void {
    if (!this.#spec.sessionTickets) return
    if (this.#seal !== null) {
      this.#seal.rotate(key)
      return
    }
    this.#seal = new TicketSeal(key)
    for (const { context } of this.#contexts.values()) this.#seal.attach(context)
  }

  /** The certificate, and one of each other key type that is good for the same name. */
  #contextFor(name: string, first: IdentitySpec): HandshakeOptions {
    const chosen = [first]
    for (const identity of this.#spec.identities) {
      if (chosen.some(({ keyType }) => keyType === identity.keyType)) continue
      if (name === '' ? identity.names.length === 0 : identity.names.includes(name)) chosen.push(identity)
    }
    const id = chosen.map((identity) => identity.id).join(' ')
    let options = this.#contexts.get(id)
    if (options === undefined) {
      options = {
        context: this.#createContext(chosen),
        alpn: this.#spec.alpn.length === 0 ? null : protocolList(this.#spec.alpn),
        clientAuth: this.#spec.clientAuth?.mode ?? 'none',
      }
      this.#contexts.set(id, options)
    }
    return options
  }

  #createContext(identities: readonly IdentitySpec[]): tls.SecureContext {
    const { minVersion, ciphers, clientAuth, sessionTickets } = this.#spec
    const context = tls.createSecureContext({
      cert: identities.map(({ cert }) => cert),
      key: identities.map(({ key }) => key),
      minVersion,
      ciphers: `${TLS13_SUITES}:${ciphers || TLS12_CIPHERS}`,
      ecdhCurve: GROUPS,
      honorCipherOrder: true,
      secureOptions: PRIORITIZE_CHACHA | (sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
      sessionIdContext: this.#sessionIdContext,
      ...(clientAuth !== null && { ca: clientAuth.ca }),
      ...(clientAuth?.crl && { crl: listsIn(clientAuth.crl) }),
    })
    this.#seal?.attach(context)
    return context
  }
}

/** Forward secrecy and authenticated encryption only: what every client since 2014 or so has (RFC 9325 §4.2). */
const TLS12_CIPHERS = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']
  .flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`])
  .join(':')

/**
 * Key exchange: the hybrid that outlives quantum computers first, then elliptic curves. Finite fields would let a client
 * have us compute much for nothing (CVE-2002-20001).
 */
const GROUPS = 'X25519MLKEM768:X25519:prime256v1:secp384r1:secp521r1'

/** Always offered: Node takes those of TLS 1.3 and of TLS 1.2 in one list. */
const TLS13_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/** What `ServerTls` depends on, as text. */
export function keyOf(spec: ListenerTlsSpec): string {
  return JSON.stringify({ ...spec, identities: spec.identities.map(({ id, names }) => [id, names]) })
}

/** Node reads the first list of a text only; a chain needs one of each authority in it. */
const listsIn = (pem: string): string[] => pem.match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g) ?? []

/** RFC 7301 §3.1: each name after its length. */
function protocolList(protocols: readonly string[]): Buffer {
  return Buffer.concat(protocols.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1')))
}
