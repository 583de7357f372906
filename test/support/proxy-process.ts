// A proxy in a process of its own: to measure its memory, to give it an environment, to kill it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type BackendEntry, type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'

type Call =
  | { readonly start: { readonly backends: readonly BackendEntry[]; readonly options: ProxyOptions } }
  | 'measure'
type Return = { readonly port: number } | Memory

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
    return ((await this.#call({ start: { backends, options } })) as { port: number }).port
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

/** Starts a process, with these variables in its environment. */
export async function startProxyProcess(env: Readonly<Record<string, string>> = {}): Promise<ProxyProcess> {
  const child = fork(import.meta.filename, ['serve'], { env: { ...process.env, ...env }, execArgv: [] })
  const gone = once(child, 'exit').then(() => {
    throw new Error('the process of the proxy did not start')
  })
  await Promise.race([once(child, 'message'), gone])
  gone.catch(() => {})
  return new ProxyProcess(child)
}

async function answer(call: Call): Promise<Return> {
  if (call === 'measure') return { rss: process.memoryUsage.rss(), maxRss: process.resourceUsage().maxRSS * 1024 }
  const proxy: TestProxy = await startProxy(call.start.backends, call.start.options)
  return { port: proxy.port }
}

if (process.argv[2] === 'serve' && process.argv[1] === import.meta.filename) {
  process.on('message', (call: Call) => void answer(call).then((result) => process.send!(result)))
  process.on('disconnect', () => process.exit())
  process.send!('ready')
}
