// Ports on the loopback address that behave in a known way.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'

/** A port on which nothing listens: connecting is refused. (It was free a moment ago.) */
export async function refusingPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
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
