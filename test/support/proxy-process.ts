// A proxy in a process of its own: to measure its memory, to give it an environment and sockets, to kill it or its workers.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Running } from '../../src/supervisor/frontdesk.ts'
import { type BackendEntry, type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'
import { Threads } from './threads.ts'

type Call =
  | { readonly start: { readonly backends: readonly BackendEntry[]; readonly options: ProxyOptions } }
  | { readonly kill: number }
  | { readonly stop: 'drain' }
  | 'measure'
type Return = Started | Memory | null

/** What a start came to. */
interface Started {
  readonly port: number
  readonly listeners: Running['listeners']
}

/** Resident set of the process in bytes: now, and the most it ever was. */
export interface Memory {
  readonly rss: number
  readonly maxRss: number
}

export class ProxyProcess {
  readonly child: ChildProcess

  constructor(child: ChildProcess) {
    this.child = child
  }

  /** Starts one more proxy in this process; its port. Options must be plain data. */
  async start(backends: readonly BackendEntry[], options: ProxyOptions = {}): Promise<number> {
    return (await this.startListeners(backends, options))[0]!.port
  }

  /** The same; where all its listeners are. */
  async startListeners(backends: readonly BackendEntry[], options: ProxyOptions = {}): Promise<Running['listeners']> {
    return ((await this.#call({ start: { backends, options } })) as Started).listeners
  }

  /** Ends the worker thread that was started as the nth (from 0). */
  async killWorker(nth: number): Promise<void> {
    await this.#call({ kill: nth })
  }

  /** Drains the last proxy; resolves when it has stopped. */
  async drain(): Promise<void> {
    await this.#call({ stop: 'drain' })
  }

  async memory(): Promise<Memory> {
    return (await this.#call('measure')) as Memory
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  async #call(call: Call): Promise<Return> {
    const answered = once(this.child, 'message')
    const gone = once(this.child, 'exit').then(() => {
      throw new Error('the process of the proxy has ended')
    })
    this.child.send(call)
    return ((await Promise.race([answered, gone])) as [Return])[0]
  }
}

/** Starts a process, with these variables in its environment, and these file descriptors as 3, 4, … */
export async function startProxyProcess(
  env: Readonly<Record<string, string>> = {},
  descriptors: readonly number[] = [],
): Promise<ProxyProcess> {
  const child = fork(import.meta.filename, ['serve'], {
    env: { ...process.env, ...env },
    execArgv: [],
    stdio: ['inherit', 'inherit', 'inherit', ...descriptors, 'ipc'],
  })
  const gone = once(child, 'exit').then(() => {
    throw new Error('the process of the proxy did not start')
  })
  await Promise.race([once(child, 'message'), gone])
  gone.catch(() => {})
  return new ProxyProcess(child)
}

let proxy: TestProxy | null = null

async function answer(call: Call, threads: Threads): Promise<Return> {
  if (call === 'measure') return { rss: process.memoryUsage.rss(), maxRss: process.resourceUsage().maxRSS * 1024 }
  if ('kill' in call) {
    await threads.kill(threads.started[call.kill]!)
    return null
  }
  if ('stop' in call) {
    proxy!.running.drain()
    await proxy!.running.stopped
    return null
  }
  proxy = await startProxy(call.start.backends, call.start.options)
  return { port: proxy.port, listeners: proxy.running.listeners }
}

if (process.argv[2] === 'serve' && process.argv[1] === import.meta.filename) {
  const threads = new Threads()
  process.on('message', (call: Call) => void answer(call, threads).then((result) => process.send!(result)))
  process.on('disconnect', () => process.exit())
  process.send!('ready')
}
