// A WebSocket that says everything back (RFC 6455), small enough to need no package: enough to see a tunnel work.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const MAX_FRAME_BYTES = 1024 * 1024
/** RFC 6455 §1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const Opcode = { close: 8, ping: 9, pong: 10 } as const
const CloseCode = { protocolError: 1002, tooBig: 1009 } as const

interface Frame {
  /** First byte as it came: FIN, reserved bits, opcode. */
  readonly head: number
  readonly payload: Buffer
  /** Bytes of the buffer that the frame took. */
  readonly size: number
}

/** Answers the upgrade and echoes every data frame (fragments stay fragments) until either side closes. */
export function serveWebSocketEcho(o: { request: IncomingMessage; socket: Duplex; head: Buffer; name: string }): void {
  const { request, socket } = o
  const key = request.headers['sec-websocket-key']
  if (key === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    return
  }
  const accept = createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64')
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\nX-Backend: ${o.name}\r\n\r\n`,
  )
  let pending = o.head
  const consume = (chunk: Buffer): void => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    pending = pending.subarray(answerFrames(pending, socket))
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', consume)
  socket.on('end', () => socket.end())
  consume(Buffer.alloc(0))
}

/** Answers every complete frame; returns how many bytes they took. */
function answerFrames(buffer: Buffer, socket: Duplex): number {
  let offset = 0
  for (;;) {
    const frame = readFrame(buffer.subarray(offset))
    if (frame === undefined) return offset
    if (typeof frame === 'number') {
      close(socket, frame)
      return buffer.length
    }
    offset += frame.size
    const opcode = frame.head & 0x0f
    if (opcode === Opcode.close) {
      socket.end(encodeFrame(frame.head, frame.payload))
      return buffer.length
    }
    if (opcode === Opcode.ping) socket.write(encodeFrame(0x80 | Opcode.pong, frame.payload))
    else if (opcode !== Opcode.pong) socket.write(encodeFrame(frame.head, frame.payload))
  }
}

/** One client frame; undefined while it is incomplete, a close code when it breaks the protocol (RFC 6455 §5.2). */
function readFrame(buffer: Buffer): Frame | number | undefined {
  if (buffer.length < 2) return undefined
  const head = buffer.readUInt8(0)
  const second = buffer.readUInt8(1)
  if ((head & 0x70) !== 0 || (second & 0x80) === 0) return CloseCode.protocolError
  const short = second & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const payloadAt = 2 + lengthBytes + 4
  if (buffer.length < payloadAt) return undefined
  const length =
    lengthBytes === 0 ? short : lengthBytes === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2))
  if (length > MAX_FRAME_BYTES) return CloseCode.tooBig
  if (buffer.length < payloadAt + length) return undefined
  const mask = buffer.subarray(payloadAt - 4, payloadAt)
  const payload = Buffer.from(buffer.subarray(payloadAt, payloadAt + length))
  for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ mask[i & 3]!
  return { head, payload, size: payloadAt + length }
}

function encodeFrame(head: number, payload: Buffer): Buffer {
  const length = payload.length
  const prefix = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10)
  prefix.writeUInt8(head, 0)
  prefix.writeUInt8(length < 126 ? length : length < 65536 ? 126 : 127, 1)
  if (prefix.length === 4) prefix.writeUInt16BE(length, 2)
  if (prefix.length === 10) prefix.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([prefix, payload])
}

function close(socket: Duplex, code: number): void {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code, 0)
  socket.end(encodeFrame(0x80 | Opcode.close, payload))
}
