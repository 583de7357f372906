// Entry of a worker thread: a data plane, and the supervisor's messages to it.
import { parentPort, workerData } from 'node:worker_threads'
import { canReusePort } from '../net/acceptor.ts'
import { PluginError } from '../plugins/plugin-error.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import { DataPlane } from './data-plane.ts'
import { MessageHandler } from './handle-message.ts'
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts'

const data = workerData as WorkerData
const port = parentPort!
const post = (message: FromWorker) => port.postMessage(message)

const plugins = new PluginLoader()
const registry = await plugins.load(data.snapshot.plugins).catch((error: unknown) => {
  const { label, words } = error instanceof PluginError ? error : { label: 'a plug-in', words: String(error) }
  post({ type: 'load-failed', label, message: words })
  // Whatever a plug-in has left open, the thread ends.
  throw new Error(`${label}: ${words}`)
})
const plane = new DataPlane({
  workerId: data.workerId,
  buffer: data.buffer,
  maxClients: data.maxClients,
  reusePort: canReusePort,
  drainMs: data.drainMs,
  post,
})
plane.apply(data.snapshot, registry, data.cache)
plane.setTicketKeys(data.ticketKeys)
for (const [slot, addresses] of data.addresses) plane.setAddresses(slot, addresses)
const handler = new MessageHandler({ plane, plugins, answer: post })
port.on('message', (message: ToWorker) => {
  handler.handle(message)
  if (message.type === 'close') setImmediate(() => setImmediate(() => port.close()))
})
if (data.waits) post({ type: 'ready' })
else handler.handle({ type: 'listen', unixSockets: data.unixSockets })
