// Opens many keep-alive connections, asks once on each, and holds them idle.
import net from 'node:net'

export interface IdleConnections {
  /** How many the proxy has closed meanwhile. */
  closed(): number
  close(): Promise<void>
}

const atOnce = 50

/** Throws when a connection cannot be opened or its request is not answered 200 (within 10 s each). */
export async function openIdleConnections(port: number, path: string, count: number): Promise<IdleConnections> {
  const sockets: net.Socket[] = []
  let closed = 0
  const close = async () => {
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve).destroy())),
      ),
    )
  }
  const openSome = async () => {
    while (sockets.length < count) {
      const socket = net.connect(port, '127.0.0.1')
      sockets.push(socket)
      await askOnce(socket, port, path)
      socket.once('close', () => closed++)
    }
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, openSome))
  } catch (error) {
    await close()
    throw error
  }
  return { closed: () => closed, close }
}

function askOnce(socket: net.Socket, port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setNoDelay(true)
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer in 10 s')))
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('the proxy closed a connection')))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!isComplete(text)) return
      socket.setTimeout(0)
      if (text.startsWith('HTTP/1.1 200 ')) resolve()
      else reject(new Error(`answer: ${text.slice(0, 40)}`))
    })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  })
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text)?.[1]
  return end >= 0 && length !== undefined && text.length >= end + 4 + Number(length)
}
