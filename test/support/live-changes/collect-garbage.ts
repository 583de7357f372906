// Loaded into a Frontdesk that is looked at from outside: on WINCH every thread collects its garbage, and says what is left.
import { writeSync } from 'node:fs'
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'

const channel = new BroadcastChannel('collect-garbage')
channel.unref()
const { gc } = globalThis as { gc?: () => void }

function collect(): void {
  gc?.()
  gc?.()
  const { heapUsed, heapTotal, external } = process.memoryUsage()
  writeSync(2, `${JSON.stringify({ collected: threadId, heapUsed, heapTotal, external })}\n`)
}

if (isMainThread) {
  process.on('SIGWINCH', () => {
    channel.postMessage(null)
    collect()
  })
} else channel.onmessage = collect
