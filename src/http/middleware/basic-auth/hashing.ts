// The owner of the hashing thread: starts it when it is first needed, and lets it go when it was idle for long.
import { Worker } from 'node:worker_threads'
import type { HashingAnswer, HashingQuestion } from './hashing-thread.ts'

/** A thread holds some megabytes; whoever logs in rarely can wait for a new one. */
const IDLE_MS = 60_000

export class Hashing {
  #thread: Worker | null = null
  #idle: NodeJS.Timeout | null = null
  #current: PromiseWithResolvers<boolean> | null = null

  /** Whether a password has that hash. One question at a time. Rejects if the thread fails. */
  ask(question: HashingQuestion): Promise<boolean> {
    if (this.#current !== null) throw new Error('one question at a time')
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#current = Promise.withResolvers<boolean>()
    this.#thread ??= this.#start()
    // The program goes on for whoever waits, not for a thread that might be needed again.
    this.#thread.ref()
    this.#thread.postMessage(question)
    return this.#current.promise
  }

  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    const thread = this.#thread
    this.#thread = null
    void thread?.terminate()
    this.#settle()?.reject(new Error('the proxy is closing'))
  }

  #start(): Worker {
    // The sources run as they are, and the compiled package has .js files: the URL follows this file's own ending.
    const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
    const thread = new Worker(new URL(`./hashing-thread${ending}`, import.meta.url), { name: 'hashing' })
    thread.on('message', (answer: HashingAnswer) => this.#answered(answer))
    thread.on('error', (error) => this.#ended(thread, error))
    thread.on('exit', (code) => this.#ended(thread, new Error(`the hashing thread ended with code ${code}`)))
    return thread
  }

  #answered(answer: HashingAnswer): void {
    this.#idle = setTimeout(() => this.close(), IDLE_MS)
    this.#idle.unref()
    this.#thread?.unref()
    const asked = this.#settle()
    if ('matches' in answer) asked?.resolve(answer.matches)
    else asked?.reject(new Error(answer.problem))
  }

  #ended(thread: Worker, error: unknown): void {
    if (this.#thread !== thread) return
    this.#thread = null
    this.#settle()?.reject(error)
  }

  #settle(): PromiseWithResolvers<boolean> | null {
    const asked = this.#current
    this.#current = null
    return asked
  }
}
