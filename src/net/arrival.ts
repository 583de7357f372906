// A client connection that is ready for its handler: accepted, its PROXY header read, its TLS handshake done.
import type { Wire, WireEvents } from './wire.ts'

/** One end of a connection. A Unix socket has the address `unix:` and port 0. */
export interface Endpoint {
  /** IP literal without brackets, IPv4-mapped ones in IPv4 form. */
  readonly address: string
  readonly port: number
}

/** The address of whoever comes in by a Unix socket (nginx's word for it). */
export const unixAddress = 'unix:'

/** A client's certificate that passed the verification its listener asks for. */
export interface ClientCertificate {
  /** RFC 4514 distinguished name, `CN=alice,O=Example`. */
  readonly subject: string
  /** Subject alternative names, `DNS:alice.example.com, email:alice@example.com`; '' if none. */
  readonly san: string
  /** SHA-256 of the certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string
}

/** What TLS told of a client. */
export interface TlsFacts {
  readonly version: 'TLSv1.2' | 'TLSv1.3'
  /** What the client asked for (SNI), lower case; '' if it did not say. */
  readonly serverName: string
  /** The application protocol agreed on; '' if none. */
  readonly alpn: string
  readonly resumed: boolean
  readonly clientCertificate: ClientCertificate | null
}

export interface Arrival {
  /** The client's: of the socket, or as the PROXY header of a listed network says. */
  readonly address: string
  readonly port: number
  /** Null for a connection without TLS, and for one whose TLS is passed through. */
  readonly tls: TlsFacts | null
  /** Where the client connected to: of the socket, or as the PROXY header says. */
  destination(): Endpoint
  /** Takes the connection over; reading begins. Called once. */
  open(events: WireEvents): Wire
}
