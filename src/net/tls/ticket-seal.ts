// How session tickets are sealed and opened (RFC 5077 §4): with the current key, and opened with the one before as well.
import { randomFillSync } from 'node:crypto'
import type { SecureContext } from 'node:tls'

/** One key: a name of 16 bytes, an HMAC key of 16, an AES key of 16. */
interface Parts {
  readonly name: Buffer
  readonly hmac: Buffer
  readonly aes: Buffer
}

/** Node's own context, as far as tickets go. */
interface InnerContext {
  enableTicketKeyCallback?(): void
  onticketkeycallback?: (name: Buffer, iv: Buffer, sealing: boolean) => readonly unknown[]
  setTicketKeys?(keys: Buffer): void
}

/** What OpenSSL is told of a ticket. */
const CANNOT_OPEN = 0
const SEALED = 1
/** It is good, and the client gets another: a ticket of TLS 1.3 is to be used once (RFC 8446 §C.4). */
const GOOD_AND_RENEWED = 2

export class TicketSeal {
  #current: Parts
  #previous: Parts | null = null

  /** `key`: 48 bytes. */
  constructor(key: Uint8Array) {
    this.#current = parts(key)
  }

  /** A new key; tickets of the one before are still opened, those of earlier ones cost a full handshake. */
  rotate(key: Uint8Array): void {
    const next = parts(key)
    if (next.name.equals(this.#current.name)) return
    this.#previous = this.#current
    this.#current = next
  }

  /** Tickets of this context are sealed here from now on. */
  attach(context: SecureContext): void {
    const { context: inner } = context as { context?: InnerContext }
    if (inner === undefined) return
    if (typeof inner.enableTicketKeyCallback === 'function') {
      inner.onticketkeycallback = (name, _iv, sealing) => (sealing ? this.#seal() : this.#open(name))
      inner.enableTicketKeyCallback()
    } else {
      const { name, hmac, aes } = this.#current
      inner.setTicketKeys?.(Buffer.concat([name, hmac, aes]))
    }
  }

  #seal(): readonly unknown[] {
    const { name, hmac, aes } = this.#current
    return [SEALED, hmac, aes, name, initializationVector()]
  }

  #open(name: Buffer): readonly unknown[] {
    const key = name.equals(this.#current.name) ? this.#current : this.#previous
    if (key === null || !name.equals(key.name)) return [CANNOT_OPEN, this.#current.hmac, this.#current.aes]
    return [GOOD_AND_RENEWED, key.hmac, key.aes]
  }
}

const IV_BYTES = 16
const ivs = Buffer.allocUnsafeSlow(IV_BYTES * 256)
let nextIv = ivs.length

/** Drawn many at a time: asking for random bytes costs more than sealing with them. */
function initializationVector(): Buffer {
  if (nextIv === ivs.length) {
    randomFillSync(ivs)
    nextIv = 0
  }
  nextIv += IV_BYTES
  return ivs.subarray(nextIv - IV_BYTES, nextIv)
}

function parts(key: Uint8Array): Parts {
  const bytes = Buffer.from(key)
  return { name: bytes.subarray(0, 16), hmac: bytes.subarray(16, 32), aes: bytes.subarray(32, 48) }
}
