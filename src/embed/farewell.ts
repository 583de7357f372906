// The last words on a socket that the program's server has given up.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How long the client may still send what is dropped: closing at once would take its answer away (RFC 9112 §9.6). */
const LINGER_MS = 2000

/** Writes the text, if any, and ends the connection when the client has ended it, or has had time to. */
export function farewell(socket: Duplex, text = ''): void {
  if (socket.destroyed) return
  socket.on('error', () => {})
  if (!socket.writableEnded) socket.end(text, 'latin1')
  socket.on('end', () => socket.destroy())
  socket.resume()
  ;(socket as Partial<Socket>).setTimeout?.(LINGER_MS, () => socket.destroy())
}
