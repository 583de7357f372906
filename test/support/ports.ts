// Ports on the loopback address that behave in a known way.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'

/**
 * A port on which nothing listens: connecting is refused. It is not one that the system gives to whoever asks for any
 * port, such as the proxy of the same test.
 */
export async function refusingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    const socket = connect(port, '127.0.0.1')
    const refused = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(false))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
    })
    socket.destroy()
    if (refused) return port
  }
}

/** A port that answers nothing, not even to a SYN: connecting hangs, as with a host that is off. */
export async function silentPort(): Promise<{ readonly port: number; close(): Promise<unknown> }> {
  // A thread that listens and then stands still, and as many connections as its backlog takes.
  const worker = new Worker(
    `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:worker_threads').parentPort.postMessage(server.address().port)
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
    })`,
    { eval: true },
  )
  const [port] = (await once(worker, 'message')) as [number]
  const fillers = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  for (const filler of fillers) {
    await once(filler, 'connect')
    filler.on('error', () => {})
  }
  return {
    port,
    close: () => {
      for (const filler of fillers) filler.destroy()
      return worker.terminate()
    },
  }
}
