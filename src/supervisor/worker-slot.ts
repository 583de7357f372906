// One place for a worker: keeps a thread running in it, and gives back what a dead one held.
import type { Socket } from 'node:net'
import { type Transferable, Worker } from 'node:worker_threads'
import type { WorkerInfo } from '../control/port.ts'
import type { FromWorker, ToWorker, WorkerData } from '../worker/protocol.ts'

export interface WorkerSlotOptions {
  readonly id: number
  /** What a thread is started with: asked anew for each, so that a respawned one gets the current snapshot. */
  readonly data: () => WorkerData
  readonly onMessage: (slot: WorkerSlot, message: FromWorker) => void
  /** The thread died without having been asked to. Called before the next one is started. */
  readonly onDeath: (slot: WorkerSlot, reason: string) => void
}

const FIRST_BACKOFF_MS = 10
const MAX_BACKOFF_MS = 5000
/** A thread that has lived so long is taken for healthy: its death begins a new row. */
const STABLE_MS = 10_000

export class WorkerSlot {
  readonly id: number
  state: WorkerInfo['state'] = 'starting'
  /** `joining`: it is no worker yet. `leaving`: it has been told to retire, and is `ending` when its connections have gone. */
  phase: 'joining' | 'serving' | 'leaving' | 'ending' = 'serving'
  restarts = 0
  /** How the thread before has ended, unless it was asked to; null = there was none. */
  lastDeath: { readonly reason: string; readonly atMs: number } | null = null
  readonly #options: WorkerSlotOptions
  #thread: Worker | null = null
  #stopping = false
  #retired = false
  #startedAt = 0
  #endReason = ''
  #deathsInRow = 0
  #respawn: NodeJS.Timeout | null = null
  #resolveExit: () => void = () => {}
  /** Resolves when the thread has ended after `stop`. */
  readonly exited = new Promise<void>((resolve) => {
    this.#resolveExit = resolve
  })

  constructor(options: WorkerSlotOptions) {
    this.#options = options
    this.id = options.id
  }

  start(): void {
    this.state = 'starting'
    this.#startedAt = performance.now()
    // The sources run as they are, and the compiled package has .js files: the URL follows this file's own ending.
    const entry = new URL(`../worker/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    const thread = new Worker(entry, { workerData: this.#options.data(), name: `worker-${this.id}`, ...nodeOptions() })
    this.#thread = thread
    let reason = ''
    this.#endReason = ''
    thread.on('message', (message: FromWorker) => {
      if (message.type === 'listening') this.state = 'running'
      this.#options.onMessage(this, message)
    })
    thread.on('error', (error) => {
      reason = error.stack ?? error.message
    })
    thread.on('exit', (code) => this.#ended(thread, this.#endReason || reason || `exit code ${code}`))
  }

  post(message: ToWorker): boolean {
    if (this.#thread === null) return false
    this.#thread.postMessage(message)
    return true
  }

  /** Gives a TCP connection, not yet read from, to the thread. 'gone' = it has ended, and the connection is still here. */
  hand(listener: string, socket: Socket): 'taken' | 'gone' | 'not-transferable' {
    try {
      // The types do not know yet that sockets can be transferred.
      this.#thread?.postMessage({ type: 'accepted', listener, socket }, [socket as unknown as Transferable])
    } catch {
      // Node has learned it in the course of version 24.
      return 'not-transferable'
    }
    // What was handed over is destroyed on this side.
    return socket.destroyed ? 'taken' : 'gone'
  }

  /** A drain has begun: the thread that runs here is the last one. */
  retire(): void {
    this.#retired = true
    if (this.#respawn !== null) clearTimeout(this.#respawn)
    if (this.state === 'running') this.state = 'draining'
  }

  /** Ends the thread that runs here; another takes its place. */
  replace(reason: string): void {
    this.#endReason = reason
    void this.#thread?.terminate()
  }

  /** No thread is started here any more. Ends the one that runs, in peace or at once. */
  async stop(atOnce: boolean): Promise<void> {
    this.#stopping = true
    if (this.#respawn !== null) clearTimeout(this.#respawn)
    if (this.#thread === null) this.#resolveExit()
    else if (atOnce) await this.#thread.terminate()
    else this.post({ type: 'close' })
    await this.exited
  }

  #ended(thread: Worker, reason: string): void {
    if (this.#thread !== thread) return
    this.#thread = null
    this.state = 'dead'
    if (this.#stopping) {
      this.#resolveExit()
      return
    }
    this.lastDeath = { reason, atMs: performance.now() }
    this.#options.onDeath(this, reason)
    if (this.#retired) return
    const stable = performance.now() - this.#startedAt > STABLE_MS
    this.#deathsInRow = stable ? 1 : this.#deathsInRow + 1
    const delayMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#deathsInRow - 1))
    this.#respawn = setTimeout(() => {
      this.restarts++
      this.start()
    }, delayMs)
  }
}

/** Threads inherit the options that Node was started with; with this one, of a program given as text, they cannot start. */
const nodeOptions = (): { execArgv?: string[] } =>
  process.execArgv.some((option) => option.startsWith('--input-type')) ? { execArgv: [] } : {}
