// The connections of the admin API: how many, who goes when there is no room, and TLS, which may change while they are
// open. Those who hold connections without saying who they are never keep out an operator.

import type { Socket } from 'node:net'
import tls from 'node:tls'
import { tlsDefaults } from '../../config/schema/listener-tls.ts'
import { commonNames } from '../../util/common-names.ts'
import type { Connections } from './guard.ts'

/** What TLS needs, as text in PEM. */
export interface AdminTlsSpec {
  readonly cert: string
  readonly key: string
  readonly clientAuth: { readonly mode: 'optional' | 'required'; readonly ca: string } | null
}

export interface DoorkeeperOptions {
  /** Connections at once, in their handshakes too; default 256. */
  readonly maxConnections?: number
  /** Default 5 s. */
  readonly handshakeTimeoutMs?: number
}

interface Open {
  readonly socket: Socket
  readonly serve: (socket: Socket) => void
  readonly address: string
}

interface Proof {
  readonly name: string
  /** Who had signed it: another authority means another decision. */
  readonly ca: string
}

export class Doorkeeper implements Connections {
  readonly #maxConnections: number
  readonly #handshakeTimeoutMs: number
  /** In the order they came, by the client's address and port: TLS has a socket of its own over the same. */
  readonly #strangers = new Map<string, Open>()
  readonly #guests = new Map<string, Open>()
  readonly #proofs = new WeakMap<Socket, Proof>()
  #spec: AdminTlsSpec | null = null
  #secure: tls.Server | null = null

  constructor({ maxConnections = 256, handshakeTimeoutMs = 5_000 }: DoorkeeperOptions = {}) {
    this.#maxConnections = maxConnections
    this.#handshakeTimeoutMs = handshakeTimeoutMs
  }

  /**
   * For connections from now on; open ones stay as they are, but a certificate that other authorities had signed proves
   * nothing any more. Throws what OpenSSL says of unusable material; then nothing has changed.
   */
  update(spec: AdminTlsSpec | null): void {
    if (isSame(spec, this.#spec)) return
    this.#secure = spec === null ? null : this.#secureServer(spec)
    this.#spec = spec
  }

  /** Who signs certificates of callers, in PEM. */
  get authorities(): string | undefined {
    return this.#spec?.clientAuth?.ca
  }

  /** `serve` is given what speaks HTTP: the socket itself, or TLS over it once it stands. */
  take(socket: Socket, serve: (socket: Socket) => void): void {
    const key = keyOf(socket)
    if (!this.#makeRoom()) {
      socket.destroy()
      return
    }
    this.#strangers.set(key, { socket, serve, address: socket.remoteAddress ?? '' })
    socket.on('close', () => {
      this.#strangers.delete(key)
      this.#guests.delete(key)
    })
    socket.unref()
    if (this.#secure === null) serve(socket)
    else {
      // A reset in the handshake.
      socket.on('error', () => socket.destroy())
      this.#secure.emit('connection', socket)
    }
  }

  certificateOf(socket: Socket): string | null {
    const proof = this.#proofs.get(socket)
    return proof !== undefined && proof.ca === this.#spec?.clientAuth?.ca ? proof.name : null
  }

  welcome(socket: Socket): void {
    const key = keyOf(socket)
    const known = this.#strangers.get(key)
    if (known === undefined) return
    this.#strangers.delete(key)
    this.#guests.set(key, known)
  }

  /** Open now. */
  get count(): number {
    return this.#strangers.size + this.#guests.size
  }

  /** Of the address with the most strangers the oldest one goes; false = all are guests. */
  #makeRoom(): boolean {
    if (this.count < this.#maxConnections) return true
    const counts = new Map<string, number>()
    for (const { address } of this.#strangers.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const first = [...this.#strangers].find(([, { address }]) => counts.get(address) === most)
    if (first === undefined) return false
    const [key, { socket }] = first
    this.#strangers.delete(key)
    socket.destroy()
    return true
  }

  #secureServer({ cert, key, clientAuth }: AdminTlsSpec): tls.Server {
    const server = tls.createServer({
      cert,
      key,
      minVersion: tlsDefaults.minVersion === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
      ciphers: tlsDefaults.ciphers,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#handshakeTimeoutMs,
      requestCert: clientAuth !== null,
      rejectUnauthorized: clientAuth?.mode === 'required',
      ...(clientAuth !== null && { ca: clientAuth.ca }),
    })
    server.on('secureConnection', (socket) => {
      if (clientAuth !== null && socket.authorized)
        this.#proofs.set(socket, { name: nameIn(socket), ca: clientAuth.ca })
      const open = this.#strangers.get(keyOf(socket))
      if (open === undefined) socket.destroy()
      else open.serve(socket)
    })
    server.on('tlsClientError', (_, socket) => socket.destroy())
    return server
  }
}

const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`

/** The common name, or the whole subject, in one line. */
function nameIn(socket: tls.TLSSocket): string {
  const certificate = socket.getPeerX509Certificate()
  const [name] = certificate === undefined ? [] : commonNames(certificate)
  const text = name === undefined ? (certificate?.subject ?? 'certificate') : `CN=${name}`
  return text.replace(/\p{C}+/gu, ' ').slice(0, 100)
}

function isSame(a: AdminTlsSpec | null, b: AdminTlsSpec | null): boolean {
  if (a === null || b === null) return a === b
  return (
    a.cert === b.cert &&
    a.key === b.key &&
    a.clientAuth?.mode === b.clientAuth?.mode &&
    a.clientAuth?.ca === b.clientAuth?.ca
  )
}
