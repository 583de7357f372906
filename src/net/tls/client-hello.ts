// The first message of a TLS client, read without answering it: which name and which protocols it asks for.
// RFC 8446 §4.1.2 and §5.1 (records), RFC 6066 §3 (server_name), RFC 7301 §3.1 (ALPN). Nothing else is looked at.

export interface ClientHello {
  /** Lower case, without a closing dot; '' if the client names none. */
  readonly serverName: string
  /** In the client's order; bytes as latin1. */
  readonly alpn: readonly string[]
}

export type HelloProblem = 'not_tls' | 'bad_hello' | 'hello_too_large'

const HANDSHAKE_RECORD = 22
const RECORD_HEAD_BYTES = 5
/** Of a TLSPlaintext (RFC 8446 §5.1). */
const MAX_RECORD_BYTES = 16 * 1024
const CLIENT_HELLO = 1
const MESSAGE_HEAD_BYTES = 4
const SERVER_NAME = 0
const ALPN = 16
const HOST_NAME = 0
const MAX_NAME_LENGTH = 253
/** Letters, digits and hyphens, and the underscore that names in use have. */
const NAME = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/

/**
 * The ClientHello at the beginning of `bytes[0..length)`, whole or in several records; or how many bytes there must be
 * at least before it is worth asking again; or what is wrong with it. What is wrong stays wrong, whatever follows.
 *
 * @param maxBytes of all its records with their heads; more is `hello_too_large` as soon as it is announced.
 */
export function parseClientHello(bytes: Buffer, length: number, maxBytes: number): ClientHello | HelloProblem | number {
  // SSL 2 (0x80…) and every plain protocol end here. The second half of the version says nothing (RFC 8446 §5.1).
  if ((length > 0 && bytes[0] !== HANDSHAKE_RECORD) || (length > 1 && bytes[1] !== 3)) return 'not_tls'
  let at = 0
  /** The head of the message: how many of its bytes are known, and their value. It may lie across records too. */
  let known = 0
  let head = 0
  let carried = 0
  let missing = MESSAGE_HEAD_BYTES
  for (;;) {
    const needed = at + RECORD_HEAD_BYTES + missing
    if (needed > maxBytes) return 'hello_too_large'
    if (length > at && bytes[at] !== HANDSHAKE_RECORD) return 'bad_hello'
    if (length > at + 1 && bytes[at + 1] !== 3) return 'bad_hello'
    if (length < at + RECORD_HEAD_BYTES) return needed
    const size = bytes.readUInt16BE(at + 3)
    // Empty records of handshake messages are forbidden, and would be work for nothing.
    if (size === 0 || size > MAX_RECORD_BYTES) return 'bad_hello'
    at += RECORD_HEAD_BYTES
    const end = at + size
    for (; known < MESSAGE_HEAD_BYTES && at < end; at++) {
      if (at === length) return at + MESSAGE_HEAD_BYTES - known
      head = head * 256 + bytes[at]!
      if (known++ === 0 && head !== CLIENT_HELLO) return 'bad_hello'
    }
    carried += size
    missing = MESSAGE_HEAD_BYTES - known
    if (missing === 0) {
      missing = MESSAGE_HEAD_BYTES + (head & 0xffffff) - carried
      // Nothing may follow in its record: the client has to wait for our answer.
      if (missing < 0) return 'bad_hello'
      const whole = missing === 0 ? end : end + RECORD_HEAD_BYTES + missing
      if (whole > maxBytes) return 'hello_too_large'
      if (length < end) return whole
    }
    at = end
    if (missing === 0) break
  }
  const alone = at === RECORD_HEAD_BYTES + carried
  const message = alone ? bytes : joinRecords(bytes, at, carried)
  return readBody(message, (alone ? RECORD_HEAD_BYTES : 0) + MESSAGE_HEAD_BYTES, alone ? at : carried) ?? 'bad_hello'
}

/** A record with a fatal alert (RFC 8446 §6.2; 112 = unrecognized_name). */
export function tlsAlert(description: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, description])
}

/** The message without the heads of its records. */
function joinRecords(bytes: Buffer, length: number, size: number): Buffer {
  const message = Buffer.allocUnsafe(size)
  let filled = 0
  for (let at = 0; at < length; ) {
    const end = at + RECORD_HEAD_BYTES + bytes.readUInt16BE(at + 3)
    filled += bytes.copy(message, filled, at + RECORD_HEAD_BYTES, end)
    at = end
  }
  return message
}

/** Null = malformed. */
function readBody(bytes: Buffer, start: number, end: number): ClientHello | null {
  const version = start
  const session = version + 2 + 32
  const ciphers = afterVector(bytes, session, end, 1)
  const compression = afterVector(bytes, ciphers, end, 2)
  const extensions = afterVector(bytes, compression, end, 1)
  if (extensions < 0 || bytes[version] !== 3 || bytes[session]! > 32) return null
  const ciphersSize = compression - ciphers - 2
  if (ciphersSize < 2 || ciphersSize % 2 !== 0 || bytes[compression] === 0) return null
  // TLS 1.2 allows a hello that ends here.
  if (extensions === end) return { serverName: '', alpn: [] }
  return afterVector(bytes, extensions, end, 2) === end ? readExtensions(bytes, extensions + 2, end) : null
}

function readExtensions(bytes: Buffer, start: number, end: number): ClientHello | null {
  let serverName: string | null = null
  let alpn: readonly string[] | null = null
  for (let at = start; at < end; ) {
    const next = afterVector(bytes, at + 2, end, 2)
    if (next < 0) return null
    const type = bytes.readUInt16BE(at)
    // Twice the same would let us and a backend read different ones (RFC 8446 §4.2 forbids it).
    if (type === SERVER_NAME) {
      if (serverName !== null) return null
      serverName = readServerName(bytes, at + 4, next)
      if (serverName === null) return null
    } else if (type === ALPN) {
      if (alpn !== null) return null
      alpn = readAlpn(bytes, at + 4, next)
      if (alpn === null) return null
    }
    at = next
  }
  return { serverName: serverName ?? '', alpn: alpn ?? [] }
}

/** At most one name of each kind, at least one in all; names of unknown kinds are passed over. Null = malformed. */
function readServerName(bytes: Buffer, start: number, end: number): string | null {
  if (afterVector(bytes, start, end, 2) !== end || start + 2 === end) return null
  let name: string | null = null
  for (let at = start + 2; at < end; ) {
    const next = afterVector(bytes, at + 1, end, 2)
    if (next < 0) return null
    if (bytes[at] === HOST_NAME) {
      if (name !== null) return null
      const text = bytes.latin1Slice(at + 3, next).toLowerCase()
      name = text.endsWith('.') ? text.slice(0, -1) : text
      if (name.length > MAX_NAME_LENGTH || !NAME.test(name)) return null
    }
    at = next
  }
  return name ?? ''
}

function readAlpn(bytes: Buffer, start: number, end: number): readonly string[] | null {
  if (afterVector(bytes, start, end, 2) !== end || start + 2 === end) return null
  const protocols: string[] = []
  for (let at = start + 2; at < end; ) {
    const next = afterVector(bytes, at, end, 1)
    if (next < 0 || next === at + 1) return null
    protocols.push(bytes.latin1Slice(at + 1, next))
    at = next
  }
  return protocols
}

/** The position behind a vector whose length stands in `width` bytes at `at`; -1 if it does not fit, or `at` is -1. */
function afterVector(bytes: Buffer, at: number, end: number, width: 1 | 2): number {
  if (at < 0 || at + width > end) return -1
  const next = at + width + (width === 1 ? bytes[at]! : bytes.readUInt16BE(at))
  return next > end ? -1 : next
}
