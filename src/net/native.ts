// Node's stream handles without the streams around them. The one place that leans on what Node does not promise:
// everything is probed at start, and where a probe fails `native` is null and SocketWire serves instead (ADR 3).

/** A libuv stream as Node wraps it (TCP or Pipe). Methods return 0 or a negative libuv error. */
export interface Handle {
  /** Called with the number of bytes in `streamState`; may return the buffer for the next read. */
  onread: (this: Handle) => Uint8Array | undefined
  reading?: boolean
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Uint8Array): void
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  /** Buffers, or with `false` pairs of a string and its encoding, or of a buffer and anything. */
  writev(request: WriteRequest, parts: readonly unknown[], areAllBuffers: boolean): number
  shutdown(request: ShutdownRequest): number
  close(done?: () => void): void
  reset?(done?: () => void): number
  setNoDelay?(on: boolean): number
  /** Bytes that wait for the kernel. */
  readonly writeQueueSize?: number
  getpeername?(into: PeerName): number
  getsockname?(into: PeerName): number
}

/** Filled by getpeername and getsockname. */
export interface PeerName {
  address?: string
  port?: number
}

/** Node's WriteWrap. */
export interface WriteRequest {
  /** Not called where it is missing. */
  oncomplete?: (this: WriteRequest, status: number) => void
  owner?: unknown
  /** Keeps the bytes alive while libuv holds a pointer to them. */
  bytes?: Uint8Array | readonly unknown[] | null
  /** Whether they go back to the pool of buffers afterwards. */
  pooled?: boolean
}

/** Node's ShutdownWrap. */
export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void
  owner?: unknown
}

export interface Native {
  readonly WriteRequest: new () => WriteRequest
  readonly ShutdownRequest: new () => ShutdownRequest
  /** What the last call into a handle said: see the indexes below. */
  readonly state: Int32Array
  /** Index: bytes read, or a negative error. */
  readonly readBytes: number
  /** Index: whether the last write has to wait for the kernel. */
  readonly writeWaits: number
}

function probe(): Native | null {
  if (process.env.FRONTDESK_PLAIN_SOCKETS === '1') return null
  try {
    const { binding } = process as unknown as { binding: (name: string) => Record<string, unknown> }
    const wrap = binding('stream_wrap')
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = wrap
    if (typeof WriteWrap !== 'function' || typeof ShutdownWrap !== 'function') return null
    if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return null
    if (!(streamBaseState instanceof Int32Array)) return null
    // Wires come with and without TLS: where one kind cannot be had, both are made of sockets.
    if (typeof binding('tls_wrap').wrap !== 'function') return null
    return {
      WriteRequest: WriteWrap as Native['WriteRequest'],
      ShutdownRequest: ShutdownWrap as Native['ShutdownRequest'],
      state: streamBaseState,
      readBytes: kReadBytesOrError,
      writeWaits: kLastWriteWasAsync,
    }
  } catch {
    return null
  }
}

/** Null where this Node does not show its stream handles. */
export const native: Native | null = probe()

const METHODS = [
  'readStart',
  'readStop',
  'useUserBuffer',
  'writeLatin1String',
  'writeBuffer',
  'writev',
  'shutdown',
  'close',
] as const

/** Whether a socket's handle can be used as it is. */
export function isHandle(candidate: unknown): candidate is Handle {
  if (native === null || candidate === null || typeof candidate !== 'object') return false
  const name = candidate.constructor?.name
  if (name !== 'TCP' && name !== 'Pipe') return false
  return METHODS.every((method) => typeof (candidate as Record<string, unknown>)[method] === 'function')
}
