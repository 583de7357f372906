// What a data plane does with the supervisor's messages, in a thread or in the main thread.
import { PluginError } from '../plugins/plugin-error.ts'
import type { PluginLoader } from '../plugins/plugin-loader.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import type { DataPlane } from './data-plane.ts'
import { listenFailed } from './open-error.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

type Apply = Extract<ToWorker, { type: 'apply' }>

export interface MessageHandlerOptions {
  readonly plane: DataPlane
  readonly plugins: PluginLoader
  readonly answer: (message: FromWorker) => void
}

export class MessageHandler {
  readonly #o: MessageHandlerOptions
  /** What came while plug-ins of a snapshot are being imported, and has to wait for it; null = none are. */
  #waiting: ToWorker[] | null = null
  #closed = false

  constructor(options: MessageHandlerOptions) {
    this.#o = options
  }

  /** Carries out one message, or does so in its turn; answers where the protocol asks for it. */
  handle(message: ToWorker): void {
    if (this.#waiting !== null && isOrdered(message)) this.#waiting.push(message)
    else this.#carryOut(message)
  }

  #carryOut(message: ToWorker): void {
    const { plane, answer } = this.#o
    switch (message.type) {
      case 'apply':
        this.#apply(message)
        return
      case 'addresses':
        plane.setAddresses(message.slot, message.addresses)
        return
      case 'ticket-keys':
        plane.setTicketKeys(message.keys)
        return
      case 'cut':
        plane.cutBackend(message.slot)
        return
      case 'keep':
        plane.openListener(message.listener).catch((error) => answer(listenFailed(error)))
        return
      case 'accepted':
        plane.takeConnection(message.listener, message.socket, 'tcp')
        return
      case 'drain':
        plane.drain()
        return
      case 'close':
        this.#closed = true
        plane.close()
    }
  }

  /** At once, unless modules have to be imported first. */
  #apply(message: Apply): void {
    const { plugins } = this.#o
    let registry: PluginRegistry | null
    try {
      registry = plugins.find(message.snapshot.plugins)
    } catch (error) {
      this.#answer(message, error)
      return
    }
    if (registry === null) void this.#applyLater(message)
    else this.#applyNow(message, registry)
  }

  async #applyLater(message: Apply): Promise<void> {
    this.#waiting = []
    try {
      const registry = await this.#o.plugins.load(message.snapshot.plugins)
      if (!this.#closed) this.#applyNow(message, registry)
    } catch (error) {
      this.#answer(message, error)
    }
    const waiting: ToWorker[] = this.#waiting
    this.#waiting = null
    if (!this.#closed) for (const next of waiting) this.handle(next)
  }

  #applyNow(message: Apply, registry: PluginRegistry): void {
    let failure: unknown = null
    try {
      this.#o.plane.apply(message.snapshot, registry)
    } catch (error) {
      failure = error
    }
    this.#answer(message, failure)
  }

  #answer({ id }: Apply, failure: unknown): void {
    this.#o.answer({ type: 'applied', id, error: failure === null ? null : wordsOf(failure) })
  }
}

function wordsOf(failure: unknown): string {
  if (failure instanceof PluginError && failure.label !== '') return `${failure.label}: ${failure.words}`
  return failure instanceof Error ? failure.message : String(failure)
}

/** Connections and the end of all wait for nothing. */
function isOrdered({ type }: ToWorker): boolean {
  return type === 'apply' || type === 'addresses' || type === 'ticket-keys' || type === 'cut'
}
