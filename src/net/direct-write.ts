// Writing to a TCP handle without the machinery of stream.Writable, which costs about a microsecond a write.
// Everything here leans on Node's internals, is probed once at start, and is not used where the probe fails:
// then `directWriter()` is null and Wire writes through the public API. See docs/adr/0003.
import net from 'node:net'

/** The part of libuv's stream handle that is used. */
export interface Handle {
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  readonly writeQueueSize: number
}

/** Node's WriteWrap. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void
  handle?: unknown
  owner?: unknown
  /** Keeps the bytes alive while libuv holds a pointer to them. */
  bytes?: Uint8Array | null
}

type WriteRequestClass = new () => WriteRequest

/**
 * Finds the WriteWrap class by letting a socket with a pretended handle write one byte.
 * Returns null when anything looks different from what is expected.
 */
function findWriteRequest(): WriteRequestClass | null {
  let found: unknown = null
  const pretended = {
    getAsyncId: () => 0,
    readStart: () => 0,
    readStop: () => 0,
    close: (done?: () => void) => done?.(),
    writeLatin1String: (request: object) => {
      found = request.constructor
      return 0
    },
  }
  try {
    const socket = new net.Socket({ handle: pretended } as unknown as net.SocketConstructorOpts)
    socket.on('error', () => {})
    socket.write('x', 'latin1')
    socket.destroy()
  } catch {
    return null
  }
  return typeof found === 'function' && found.name === 'WriteWrap' ? (found as WriteRequestClass) : null
}

/** Node's WriteWrap, or null where direct writing is not possible. */
export const WriteRequest: WriteRequestClass | null =
  process.env.FRONTDESK_DIRECT_WRITE === '0' ? null : findWriteRequest()

/** Whether the handle of a connected socket has the methods that are needed. */
export function canWriteDirectly(handle: unknown): handle is Handle {
  const candidate = handle as Partial<Handle> | null
  return (
    WriteRequest !== null &&
    candidate !== null &&
    typeof candidate === 'object' &&
    candidate.constructor?.name === 'TCP' &&
    typeof candidate.writeLatin1String === 'function' &&
    typeof candidate.writeBuffer === 'function' &&
    typeof candidate.writeQueueSize === 'number'
  )
}
