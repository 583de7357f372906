// What a data plane does with the supervisor's messages, in a thread or in the main thread.
import { PluginError } from '../plugins/plugin-error.ts'
import type { PluginLoader } from '../plugins/plugin-loader.ts'
import type { DataPlane, Preparation } from './data-plane.ts'
import { listenFailed, OpenError } from './open-error.ts'
import type { FromWorker, PrepareFailure, Preparing, ToWorker } from './protocol.ts'
import { withDelta } from './snapshot-delta.ts'

export interface MessageHandlerOptions {
  readonly plane: DataPlane
  readonly plugins: PluginLoader
  readonly answer: (message: FromWorker) => void
}

/** A change that is being made ready, or is. */
interface Change {
  readonly id: number
  /** Null until it is ready. */
  preparation: Preparation | null
  abandoned: boolean
}

export class MessageHandler {
  readonly #o: MessageHandlerOptions
  #change: Change | null = null
  /** The last change that was given up, perhaps before it was begun. */
  #abandoned = 0
  /** What takes a while is done one after the other: sockets are opened once, and a module may have to be waited for. */
  #turns: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: MessageHandlerOptions) {
    this.#o = options
  }

  /** Carries out one message; answers where the protocol asks for it. */
  handle(message: ToWorker): void {
    const { plane } = this.#o
    switch (message.type) {
      case 'prepare':
        this.#inTurn(() => this.#prepare(message))
        return
      case 'commit':
        this.#commit(message.id)
        return
      case 'abandon':
        this.#abandon(message.id)
        return
      case 'listen':
        this.#inTurn(() => this.#listen(message.unixSockets))
        return
      case 'addresses':
        plane.setAddresses(message.slot, message.addresses)
        return
      case 'ticket-keys':
        plane.setTicketKeys(message.keys)
        return
      case 'cache-disk':
        plane.setCacheDisk(message.cache)
        return
      case 'cut':
        plane.cutBackend(message.slot)
        return
      case 'keep':
        this.#inTurn(() => this.#keep(message.listener, message.isLive))
        return
      case 'accepted':
        plane.takeConnection(message.listener, message.socket, 'tcp')
        return
      case 'drain':
        plane.drain()
        return
      case 'retire':
        plane.retire()
        return
      case 'follow':
        plane.follow(message.follow)
        this.#o.answer({ type: 'following', id: message.follow.id })
        return
      case 'unfollow':
        plane.unfollow(message.id)
        return
      case 'close':
        this.#close()
    }
  }

  #inTurn(call: () => Promise<void>): void {
    this.#turns = this.#turns.then(call).catch((error) => this.#o.plane.unexpected(error))
  }

  async #prepare({ id, ...asked }: { id: number } & Preparing): Promise<void> {
    if (this.#closed || this.#abandoned >= id) return
    const change: Change = { id, preparation: null, abandoned: false }
    this.#change = change
    try {
      const preparation = await this.#make(asked)
      if (change.abandoned || this.#closed) await this.#o.plane.abandon(preparation)
      else change.preparation = preparation
      this.#o.answer({ type: 'prepared', id, failure: null })
    } catch (error) {
      this.#o.answer({ type: 'prepared', id, failure: failureOf(error) })
    }
  }

  async #make({ delta, ...asked }: Preparing): Promise<Preparation> {
    const { plane, plugins } = this.#o
    const snapshot = withDelta(plane.snapshot, delta)
    const registry = plugins.find(snapshot.plugins) ?? (await plugins.load(snapshot.plugins))
    return plane.prepare(snapshot, { plugins: registry, ...asked })
  }

  /** Should what cannot fail fail all the same, it is said: the worker is replaced. */
  #commit(id: number): void {
    const { plane, plugins, answer } = this.#o
    const preparation = this.#change?.id === id ? this.#change.preparation : null
    this.#change = null
    try {
      if (preparation === null) throw new Error(`change ${id} was not made ready`)
      plane.commit(preparation)
      plugins.settle(plane.snapshot.plugins)
      answer({ type: 'committed', id, error: null })
    } catch (error) {
      answer({ type: 'committed', id, error: wordsOf(error) })
    }
  }

  #abandon(id: number): void {
    this.#abandoned = Math.max(this.#abandoned, id)
    let givenUp: Promise<void> | null = null
    if (this.#change?.id === id) {
      const { preparation } = this.#change
      this.#change.abandoned = true
      this.#change.preparation = null
      if (preparation !== null) givenUp = this.#o.plane.abandon(preparation)
    }
    // After what is still being made ready, which is given up then.
    this.#inTurn(async () => {
      await givenUp
      this.#o.answer({ type: 'abandoned', id })
    })
  }

  async #listen(unixSockets: readonly string[]): Promise<void> {
    try {
      await this.#o.plane.listen(unixSockets)
      this.#o.answer({ type: 'listening' })
    } catch (error) {
      this.#o.answer(listenFailed(error))
    }
  }

  async #keep(listener: string, isLive: boolean): Promise<void> {
    try {
      await this.#o.plane.keepSocket(listener, isLive)
      this.#o.answer({ type: 'kept', listener })
    } catch (error) {
      this.#o.answer(listenFailed(error))
    }
  }

  #close(): void {
    this.#closed = true
    if (this.#change !== null) this.#abandon(this.#change.id)
    this.#o.plane.close()
  }
}

function failureOf(error: unknown): PrepareFailure {
  if (!(error instanceof OpenError)) return { message: wordsOf(error), listener: '', code: '' }
  return { message: error.message, listener: error.listener, code: error.code }
}

function wordsOf(failure: unknown): string {
  if (failure instanceof PluginError && failure.label !== '') return `${failure.label}: ${failure.words}`
  return failure instanceof Error ? failure.message : String(failure)
}
