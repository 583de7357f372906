// The end of an answer that is not complete, so that no client can take it for a complete one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'

const NGHTTP2_INTERNAL_ERROR = 2

/** Ends the connection, or the stream of an HTTP/2 connection. */
export function cutVisibly(req: IncomingMessage, res: ServerResponse): void {
  if (req.httpVersionMajor >= 2) {
    ;(res as unknown as Http2ServerResponse).stream?.close(NGHTTP2_INTERNAL_ERROR)
    return
  }
  const isOld = req.httpVersionMajor === 1 && req.httpVersionMinor === 0
  // Without a length only a reset tells a cut message from a complete one.
  if (isOld && res.headersSent && !res.hasHeader('Content-Length')) {
    try {
      req.socket.resetAndDestroy()
    } catch {
      // No TCP socket: TLS has its own end of a stream, and Unix sockets have no reset.
    }
  }
  res.destroy()
}
