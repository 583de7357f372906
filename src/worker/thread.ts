// Entry of a worker thread: a data plane, and the supervisor's messages to it.
import { parentPort, workerData } from 'node:worker_threads'
import { canReusePort } from '../net/acceptor.ts'
import { DataPlane } from './data-plane.ts'
import { handleMessage } from './handle-message.ts'
import { listenFailed } from './open-error.ts'
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts'

const data = workerData as WorkerData
const port = parentPort!
const post = (message: FromWorker) => port.postMessage(message)

const plane = new DataPlane({
  workerId: data.workerId,
  buffer: data.buffer,
  maxClients: data.maxClients,
  reusePort: canReusePort,
  post,
})
plane.apply(data.snapshot)
plane.setTicketKeys(data.ticketKeys)
for (const [slot, addresses] of data.addresses) plane.setAddresses(slot, addresses)
port.on('message', (message: ToWorker) => {
  handleMessage(plane, message, post)
  if (message.type === 'close') setImmediate(() => setImmediate(() => port.close()))
})
try {
  await plane.listen(data.unixSockets)
  post({ type: 'listening' })
} catch (error) {
  post(listenFailed(error))
}
