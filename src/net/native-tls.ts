// Node's TLS engine on a bare handle, without the streams around it. native.ts has seen to it that it is there (ADR 10).
import type { SecureContext } from 'node:tls'
import { type Handle, native } from './native.ts'

/** Node's TLSWrap: a stream of clear text over a handle of encrypted bytes. */
export interface TlsHandle extends Handle {
  onhandshakestart: (this: TlsHandle) => void
  onhandshakedone: (this: TlsHandle) => void
  onerror: (this: TlsHandle, error: NodeJS.ErrnoException) => void
  /** Encrypted bytes that were read before the handle was wrapped. */
  receive(bytes: Uint8Array): void
  setALPNProtocols(list: Uint8Array): void
  setVerifyMode(request: boolean, reject: boolean): void
  verifyError(): NodeJS.ErrnoException | null | undefined
  /** Not the older `getPeerCertificate`: some curves in a stranger's certificate end the process there (Node 24.21). */
  getPeerX509Certificate(): { raw(): Buffer } | undefined
  getProtocol(): string | null
  getALPNNegotiatedProtocol(): string | false
  isSessionReused(): boolean
  destroySSL(): void
}

type Wrap = (handle: Handle, context: unknown, isServer: boolean, hasActiveWrite: boolean) => TlsHandle

const { binding } = process as unknown as { binding: (name: string) => { readonly wrap: Wrap } }
const wrap = native === null ? null : binding('tls_wrap').wrap

/** The server side of TLS on a connected handle. Only where `native` is not null. */
export function wrapServer(handle: Handle, context: SecureContext): TlsHandle {
  return wrap!(handle, (context as { context?: unknown }).context, true, false)
}
