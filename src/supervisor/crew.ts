// All data planes of the process: threads, or one plane in this thread. Rolls snapshots out and drains.
import type { BackendFailure, WorkerInfo } from '../control/port.ts'
import type { ErrorName } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Slot, Snapshot } from '../core/spec.ts'
import type { OwnerState } from '../state/owner-state.ts'
import { DataPlane } from '../worker/data-plane.ts'
import { handleMessage } from '../worker/handle-message.ts'
import type { FromWorker, ToWorker } from '../worker/protocol.ts'
import { ListenError } from './reserve-ports.ts'
import { TicketKeys } from './ticket-keys.ts'
import { WorkerSlot } from './worker-slot.ts'

export interface CrewOptions {
  /** 0 = one plane in this thread. */
  readonly workers: number
  readonly state: OwnerState
  readonly log: Log
  readonly maxClients: number
  readonly onFailure: (failure: BackendFailure) => void
  readonly onAccess: (lines: string) => void
}

interface RollOut {
  readonly waiting: Set<number>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly deadline: NodeJS.Timeout
}

/** A worker that has not swapped after so long hangs: the change is refused and the worker named. */
const ROLL_OUT_MS = 10_000
/** A worker that dies so often before it listens will not get better by itself. */
const MAX_FALSE_STARTS = 3

export class Crew {
  readonly #options: CrewOptions
  readonly #slots: WorkerSlot[] = []
  readonly #addresses = new Map<Slot, readonly string[]>()
  readonly #rollOuts = new Map<number, RollOut>()
  #ticketKeys: ReadonlyMap<string, Uint8Array> = new Map()
  readonly #tickets = new TicketKeys((keys) => this.#setTicketKeys(keys))
  #plane: DataPlane | null = null
  #planeState: WorkerInfo['state'] = 'starting'
  #snapshot: Snapshot | null = null
  #rollOutId = 0
  #draining = false
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
    const { workers, state, maxClients } = this.#options
    if (workers === 0) {
      this.#plane = new DataPlane({
        workerId: 0,
        buffer: state.buffer,
        maxClients,
        reusePort: false,
        post: (message) => this.#receive(0, message),
      })
      this.#plane.apply(snapshot)
      for (const [slot, addresses] of this.#addresses) this.#plane.setAddresses(slot, addresses)
      this.#plane.setTicketKeys(this.#ticketKeys)
      await this.#plane.listen().catch((error: NodeJS.ErrnoException & { address?: string; port?: number }) => {
        throw new ListenError(error.code ?? String(error), error.address ?? '', error.port ?? 0)
      })
      this.#planeState = 'running'
      return
    }
    for (let id = 0; id < workers; id++) this.#slots.push(this.#createSlot(id))
    await new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject, waiting: new Set(this.#slots.map((slot) => slot.id)) }
      for (const slot of this.#slots) slot.start()
    })
    this.#started = null
  }

  get size(): number {
    return Math.max(1, this.#slots.length)
  }

  workers(): WorkerInfo[] {
    if (this.#plane !== null) return [{ id: 0, state: this.#planeState, restarts: 0 }]
    return this.#slots.map(({ id, state, restarts }) => ({ id, state, restarts }))
  }

  /** Resolves when every live worker has swapped to the snapshot; one that dies meanwhile will start with it. */
  apply(snapshot: Snapshot): Promise<void> {
    this.#snapshot = snapshot
    this.#tickets.update(snapshot.listeners)
    const id = ++this.#rollOutId
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#tooLate(id), ROLL_OUT_MS)
      const rollOut: RollOut = { waiting: new Set(), resolve, reject, deadline }
      this.#rollOuts.set(id, rollOut)
      if (this.#plane !== null) {
        rollOut.waiting.add(0)
        handleMessage(this.#plane, { type: 'apply', id, snapshot }, (message) => this.#receive(0, message))
        return
      }
      for (const slot of this.#slots) {
        if (slot.post({ type: 'apply', id, snapshot })) rollOut.waiting.add(slot.id)
      }
      this.#settle(id, rollOut)
    })
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
  drain(): Promise<void> {
    this.#draining = true
    return new Promise((resolve) => {
      this.#resolveDrained = resolve
      const alive = this.#plane === null ? this.#slots.filter((slot) => slot.state !== 'dead') : [{ id: 0 }]
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
      }),
      onMessage: (slot, message) => this.#receive(slot.id, message),
      onDeath: (slot, reason) => this.#died(slot, reason),
    })
  }

  #died(slot: WorkerSlot, reason: string): void {
    this.#options.state.reclaimWorker(slot.id)
    const what = this.#draining ? 'died' : 'died and is started again'
    this.#options.log.event('error', 'worker_died', `worker ${slot.id} ${what}: ${reason}`, {
      worker: slot.id,
      reason,
    })
    if (this.#started?.waiting.has(slot.id) && slot.restarts >= MAX_FALSE_STARTS) {
      this.#started.reject(new Error(`worker ${slot.id} does not start: ${reason}`))
    }
    for (const [id, rollOut] of this.#rollOuts) {
      rollOut.waiting.delete(slot.id)
      this.#settle(id, rollOut)
    }
    this.#drained(slot.id)
  }

  #receive(worker: number, message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        if (this.#draining) this.#slots[worker]?.post({ type: 'drain' })
        this.#started?.waiting.delete(worker)
        if (this.#started?.waiting.size === 0) this.#started.resolve()
        return
      case 'listen-failed':
        this.#listenFailed(worker, message)
        return
      case 'applied': {
        const rollOut = this.#rollOuts.get(message.id)
        if (rollOut === undefined) return
        rollOut.waiting.delete(worker)
        if (message.error !== null) {
          this.#rollOuts.delete(message.id)
          clearTimeout(rollOut.deadline)
          rollOut.reject(new Error(`worker ${worker}: ${message.error}`))
        } else this.#settle(message.id, rollOut)
        return
      }
      case 'backend-failure':
        this.#options.onFailure({ ...message, error: message.error as ErrorName })
        return
      case 'turned-away': {
        const { listener, reason, count, detail, address } = message
        const what = count === 1 ? `a connection from ${address}` : `${count} connections, the last from ${address},`
        const why = detail === '' ? reason : `${reason}: ${detail}`
        const words = `listener ${listener} turned away ${what} (${why})`
        this.#options.log.event('info', 'turned_away', words, { listener, reason, count, detail, address })
        return
      }
      case 'access':
        this.#options.onAccess(message.lines)
        return
      case 'problem':
        this.#options.log.event('error', 'worker_problem', message.message, { worker })
        return
      case 'drained':
        this.#drained(worker)
    }
  }

  #listenFailed(worker: number, failure: { code: string; host: string; port: number }): void {
    const error = new ListenError(failure.code, failure.host, failure.port)
    if (this.#started !== null) this.#started.reject(error)
    else {
      this.#options.log.event('error', 'listen_failed', error.message, { worker })
      // A respawned worker that cannot listen is no worker: end it, and try again with the next back-off.
      this.#slots[worker]?.post({ type: 'close' })
    }
  }

  #drained(worker: number): void {
    if (!this.#draining) return
    this.#undrained.delete(worker)
    if (this.#undrained.size === 0) this.#resolveDrained()
  }

  #settle(id: number, rollOut: RollOut): void {
    if (rollOut.waiting.size > 0) return
    this.#rollOuts.delete(id)
    clearTimeout(rollOut.deadline)
    rollOut.resolve()
  }

  #tooLate(id: number): void {
    const rollOut = this.#rollOuts.get(id)
    if (rollOut === undefined) return
    this.#rollOuts.delete(id)
    const names = [...rollOut.waiting].map((worker) => `worker ${worker}`).join(', ')
    rollOut.reject(new Error(`${names} did not apply the change within ${ROLL_OUT_MS / 1000} s`))
  }

  #broadcast(message: ToWorker): void {
    if (this.#plane !== null) handleMessage(this.#plane, message, (answer) => this.#receive(0, answer))
    for (const slot of this.#slots) slot.post(message)
  }
}
