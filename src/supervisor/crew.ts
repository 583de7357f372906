// All data planes of the process: threads, and the main thread's own one. Rolls snapshots out and drains.
import type { AddressInfo, Socket } from 'node:net'
import { ConfigError } from '../config/problem.ts'
import type { BackendFailure, Prepared, WorkerInfo } from '../control/port.ts'
import type { ErrorName } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ListenerSpec, Slot, Snapshot } from '../core/spec.ts'
import type { SocketKind } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import type { SpanBatch } from '../observe/tracing/tracer.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import type { OwnerState } from '../state/owner-state.ts'
import { WorkerState } from '../state/worker-state.ts'
import { DataPlane } from '../worker/data-plane.ts'
import { MessageHandler } from '../worker/handle-message.ts'
import type { OpenError } from '../worker/open-error.ts'
import type { FromWorker, ToWorker } from '../worker/protocol.ts'
import { InheritedListeners } from './inherited-listeners.ts'
import type { InheritedSocket } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { RollOuts } from './roll-outs.ts'
import { SocketKeepers } from './socket-keepers.ts'
import { TicketKeys } from './ticket-keys.ts'
import { WorkerSlot } from './worker-slot.ts'

export interface CrewOptions {
  /** 0 = one plane in this thread. */
  readonly workers: number
  /** False = nothing is listened on: connections come by `serve`. Only without workers. Default true. */
  readonly bind?: boolean
  readonly state: OwnerState
  readonly log: Log
  /** Of each plane. */
  readonly maxClients: number
  readonly onFailure: (failure: BackendFailure) => void
  readonly onAccess: (lines: string) => void
  readonly onSpans: (batch: SpanBatch) => void
  /** Of the main thread's plane alone; see DataPlaneOptions. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
}

/** A worker that dies so often before it listens will not get better by itself. */
const MAX_FALSE_STARTS = 3

export class Crew {
  /** Of the main thread: what reading the configuration has imported already. */
  readonly plugins = new PluginLoader()
  readonly #options: CrewOptions
  readonly #slots: WorkerSlot[] = []
  readonly #addresses = new Map<Slot, readonly string[]>()
  readonly #rollOuts = new RollOuts()
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()
  readonly #tickets = new TicketKeys((keys) => this.#setTicketKeys(keys))
  readonly #keepers = new SocketKeepers({
    running: () => this.#slots.filter(({ state }) => state === 'running').map(({ id }) => id),
    takeOver: (worker, listener) => this.#slots[worker]!.post({ type: 'keep', listener }),
  })
  readonly #inherited = new InheritedListeners({
    deliver: (listener, socket, kind) => this.#deliver(listener, socket, kind),
    onFailure: (listener) => this.#acceptFailed(listener),
  })
  /** In the main thread: where there are no workers, and for connections that cannot be handed to one. */
  #plane: DataPlane | null = null
  #planeHandler: MessageHandler | null = null
  #planeState: WorkerInfo['state'] = 'starting'
  #snapshot: Snapshot | null = null
  /** Whose turn it is to get a connection. */
  #turn = 0
  #draining = false
  /** Why is known; the deaths of threads that follow from it are no news. */
  #startFailed = false
  #undrained = new Set<number>()
  #resolveDrained: () => void = () => {}
  #started: { resolve: () => void; reject: (error: Error) => void; waiting: Set<number> } | null = null

  constructor(options: CrewOptions) {
    this.#options = options
  }

  /** Starts every worker; resolves when all listen, rejects with ListenError when one cannot. */
  async start(snapshot: Snapshot): Promise<void> {
    this.#snapshot = snapshot
    this.#tickets.update(snapshot.listeners)
    const { workers, bind = true } = this.#options
    if (workers === 0) {
      const plane = this.#ownPlane()
      if (!bind) return
      await plane.listen().catch((error: OpenError) => {
        throw this.#listenError(error)
      })
      return
    }
    this.#keepers.assign(snapshot.listeners, workers)
    for (let id = 0; id < workers; id++) this.#slots.push(this.#createSlot(id))
    await new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject, waiting: new Set(this.#slots.map((slot) => slot.id)) }
      for (const slot of this.#slots) slot.start()
    })
    this.#started = null
  }

  /**
   * Accepts from sockets that were inherited, by listener. Call it when `start` has resolved. Returns what TCP sockets
   * are bound to, in the order of each listener's sockets. Rejects with ListenError.
   */
  async openInherited(
    sockets: ReadonlyMap<string, readonly InheritedSocket[]>,
  ): Promise<ReadonlyMap<string, readonly (AddressInfo | null)[]>> {
    const bound = new Map<string, (AddressInfo | null)[]>()
    for (const [name, passed] of sockets) {
      const addresses: (AddressInfo | null)[] = []
      for (const socket of passed) addresses.push(await this.#inherited.open(this.#listener(name), socket))
      // Made now, while its failure is a failure to start.
      if (addresses.includes(null)) this.#ownPlane()
      bound.set(name, addresses)
    }
    return bound
  }

  /** Serves a connection in the main thread. False = it is turned away, by a limit or because of a drain. */
  serve(listener: string, arrival: Arrival): boolean {
    return this.#ownPlane().serve(listener, arrival)
  }

  workers(): WorkerInfo[] {
    const threads = this.#slots.map(({ id, state, restarts }) => ({ id, state, restarts }))
    if (this.#plane === null) return threads
    return [...threads, { id: this.#slots.length, state: this.#planeState, restarts: 0, main: true }]
  }

  /** As `ControlPort.prepare`. */
  async prepare(snapshot: Snapshot): Promise<Prepared> {
    return { commit: () => this.apply(snapshot), abandon: async () => {} }
  }

  /** Resolves when every live worker has swapped to the snapshot; one that dies meanwhile will start with it. */
  async apply(snapshot: Snapshot): Promise<void> {
    this.#snapshot = snapshot
    this.#tickets.update(snapshot.listeners)
    await this.#rollOuts.begin((id, waiting) => {
      for (const slot of this.#slots) {
        if (slot.post({ type: 'apply', id, snapshot })) waiting.add(slot.id)
      }
      if (this.#plane === null) return
      waiting.add(this.#slots.length)
      this.#tellPlane({ type: 'apply', id, snapshot })
    })
    this.plugins.settle(snapshot.plugins)
  }

  setAddresses(slot: Slot, addresses: readonly string[]): void {
    this.#addresses.set(slot, addresses)
    this.#broadcast({ type: 'addresses', slot, addresses })
  }

  /** By listener: what session tickets are sealed with from now on, in every worker. */
  #setTicketKeys(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#ticketKeys = keys
    this.#broadcast({ type: 'ticket-keys', keys })
  }

  cutBackend(slot: Slot): void {
    this.#addresses.delete(slot)
    this.#broadcast({ type: 'cut', slot })
  }

  /** Resolves when the last connection of every worker has gone. */
  async drain(): Promise<void> {
    this.#keepers.stop()
    // Before the workers are told, so that they have got by then what has been accepted.
    await this.#inherited.drain()
    this.#draining = true
    return new Promise((resolve) => {
      this.#resolveDrained = resolve
      const alive = this.workers().filter(({ state }) => state !== 'dead')
      this.#undrained = new Set(alive.map(({ id }) => id))
      if (this.#undrained.size === 0) resolve()
      for (const slot of this.#slots) slot.retire()
      if (this.#plane !== null) this.#planeState = 'draining'
      this.#broadcast({ type: 'drain' })
    })
  }

  /** Ends all workers, closing what is still open. */
  async stop(): Promise<void> {
    this.#tickets.stop()
    this.#inherited.close()
    this.#keepers.stop()
    if (this.#plane !== null) {
      this.#plane.close()
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    }
    await Promise.all(
      this.#slots.map(async (slot) => {
        const force = setTimeout(() => void slot.stop(true), 1000)
        await slot.stop(false)
        clearTimeout(force)
      }),
    )
  }

  #createSlot(id: number): WorkerSlot {
    return new WorkerSlot({
      id,
      data: () => ({
        workerId: id,
        buffer: this.#options.state.buffer,
        snapshot: this.#snapshot!,
        maxClients: this.#options.maxClients,
        addresses: [...this.#addresses],
        ticketKeys: this.#ticketKeys,
        unixSockets: this.#keepers.of(id),
      }),
      onMessage: (slot, message) => this.#receive(slot.id, message),
      onDeath: (slot, reason) => this.#died(slot, reason),
    })
  }

  /** The main thread's plane, made when it is first asked for. Its number follows those of the workers. */
  #ownPlane(): DataPlane {
    if (this.#plane !== null) return this.#plane
    const { workers, state, maxClients } = this.#options
    const plane = new DataPlane({
      workerId: workers,
      buffer: state.buffer,
      maxClients,
      reusePort: false,
      post: (message) => this.#receive(workers, message),
      onExchange: this.#options.onExchange,
    })
    this.#plane = plane
    this.#planeHandler = new MessageHandler({
      plane,
      plugins: this.plugins,
      answer: (message) => this.#receive(workers, message),
    })
    this.#planeState = 'running'
    const { plugins } = this.#snapshot!
    plane.apply(this.#snapshot!, this.plugins.find(plugins) ?? notLoaded(plugins))
    for (const [slot, addresses] of this.#addresses) plane.setAddresses(slot, addresses)
    plane.setTicketKeys(this.#ticketKeys)
    return plane
  }

  /** Gives a connection to the next worker, or to the main thread's plane if it cannot be transferred. */
  #deliver(listener: string, socket: Socket, kind: SocketKind): boolean {
    let transferable = kind === 'tcp' && this.#slots.length > 0
    for (let tries = 0; transferable && tries < this.#slots.length; tries++) {
      const slot = this.#slots[this.#turn++ % this.#slots.length]!
      const outcome = slot.state === 'running' ? slot.hand(listener, socket) : 'gone'
      if (outcome === 'taken') return true
      transferable = outcome !== 'not-transferable'
    }
    if (transferable) return false
    this.#ownPlane().takeConnection(listener, socket, kind)
    return true
  }

  #acceptFailed({ row }: ListenerSpec): void {
    const { state, workers } = this.#options
    new WorkerState(state.buffer, workers).connectionRejected(row, 'fd')
  }

  #died(slot: WorkerSlot, reason: string): void {
    this.#options.state.reclaimWorker(slot.id)
    if (this.#startFailed) return
    if (!this.#draining) this.#keepers.died(slot.id)
    const what = this.#draining ? 'died' : 'died and is started again'
    this.#options.log.event('error', 'worker_died', `worker ${slot.id} ${what}: ${reason}`, {
      worker: slot.id,
      reason,
    })
    if (this.#started?.waiting.has(slot.id) && slot.restarts >= MAX_FALSE_STARTS) {
      this.#started.reject(new Error(`worker ${slot.id} does not start: ${reason}`))
    }
    this.#rollOuts.died(slot.id)
    this.#drained(slot.id)
  }

  #receive(worker: number, message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        if (this.#draining) this.#slots[worker]?.post({ type: 'drain' })
        this.#inherited.deliverWaiting()
        this.#started?.waiting.delete(worker)
        if (this.#started?.waiting.size === 0) this.#started.resolve()
        return
      case 'listen-failed':
        this.#listenFailed(worker, message)
        return
      case 'applied':
        this.#rollOuts.answered(message.id, worker, message.error)
        return
      case 'backend-failure':
        this.#options.onFailure({ ...message, error: message.error as ErrorName })
        return
      case 'turned-away': {
        const { listener, reason, count, detail, address } = message
        const what = count === 1 ? `a connection from ${address}` : `${count} connections, the last from ${address}`
        const why = detail === '' ? reason : `${reason}: ${detail}`
        const words = `listener ${listener}: ${what} did not come in (${why})`
        this.#options.log.event('info', 'turned_away', words, { listener, reason, count, detail, address })
        return
      }
      case 'access':
        this.#options.onAccess(message.lines)
        return
      case 'spans':
        this.#options.onSpans(message.batch)
        return
      case 'problem':
        this.#options.log.event('error', 'worker_problem', message.message, { worker })
        return
      case 'plugin-failure': {
        const { what, count, error } = message
        const times = count === 1 ? '' : ` ${count} times, the first`
        this.#options.log.event('error', 'plugin_failed', `${what} failed${times}: ${error}`, { worker, what, count })
        return
      }
      case 'load-failed':
        this.#loadFailed(message)
        return
      case 'drained':
        this.#drained(worker)
    }
  }

  #listenFailed(worker: number, failure: { listener: string; code: string }): void {
    const error = this.#listenError(failure)
    if (this.#started !== null) {
      this.#started.reject(error)
      return
    }
    this.#options.log.event('error', 'listen_failed', error.message, { worker })
    const slot = this.#slots[worker]
    // A respawned worker that cannot listen is no worker: end it, and try again with the next back-off.
    if (slot?.state === 'starting') slot.post({ type: 'close' })
    else if (!this.#draining) this.#keepers.failed(failure.listener)
  }

  /** Only that thread could find it out: the main thread has loaded the same. Later its death is told, with this as its reason. */
  #loadFailed({ label, message }: { label: string; message: string }): void {
    if (this.#started === null) return
    this.#startFailed = true
    const problem = { file: label, line: 0, column: 0, path: '', message, hint: null, value: undefined }
    this.#started.reject(new ConfigError([problem]))
  }

  #listenError({ listener, code }: { listener: string; code: string }): ListenError {
    return new ListenError(code, this.#listener(listener))
  }

  #listener(name: string): ListenerSpec {
    return this.#snapshot!.listeners.find((listener) => listener.name === name)!
  }

  #drained(worker: number): void {
    if (!this.#draining) return
    this.#undrained.delete(worker)
    if (this.#undrained.size === 0) this.#resolveDrained()
  }

  #broadcast(message: ToWorker): void {
    this.#tellPlane(message)
    for (const slot of this.#slots) slot.post(message)
  }

  #tellPlane(message: ToWorker): void {
    this.#planeHandler?.handle(message)
  }
}

function notLoaded(plugins: Snapshot['plugins']): never {
  throw new Error(`plug-ins are not loaded: ${plugins.map(({ label }) => label).join(', ')}`)
}
