// One change on its way through all workers: made ready by each beside what it runs, then swapped in by all, or given up.
import type { Snapshot } from '../core/spec.ts'
import type { PrepareFailure, ToWorker } from '../worker/protocol.ts'
import { deltaOf, type SnapshotDelta } from '../worker/snapshot-delta.ts'
import { Answers } from './answers.ts'
import type { WorkerSlot } from './worker-slot.ts'

/** Whoever runs a data plane. */
export interface Member {
  readonly id: number
  /** False = nobody is there to read it. */
  post(message: ToWorker): boolean
}

export interface LiveChangeOptions {
  readonly id: number
  readonly next: Snapshot
  /** Of each plane, once the change is in force. */
  readonly maxClients: number
  readonly limitMs: number
  /** Unix sockets that a member opens as soon as the change is made ready, by listener. */
  readonly unixSockets: (member: number) => readonly string[]
  /** What a member runs. */
  readonly runs: (member: Member) => Snapshot
  /** Why a member could not make it ready. */
  readonly errorOf: (member: number, failure: PrepareFailure) => Error
  /** A member that has not swapped and will not: whoever takes its place starts with the change. */
  readonly giveUp: (member: number, reason: string) => void
}

export class LiveChange {
  readonly next: Snapshot
  readonly #o: LiveChangeOptions
  readonly #ready = new Set<number>()
  readonly #deltas = new Map<Snapshot, SnapshotDelta>()
  #members: readonly Member[] = []
  #answers: Answers
  #isCommitting = false

  constructor(options: LiveChangeOptions) {
    this.#o = options
    this.next = options.next
    this.#answers = new Answers({
      limitMs: options.limitMs,
      onLate: (late) => {
        const names = late.map((worker) => `worker ${worker}`).join(', ')
        this.#answers.failed(new Error(`${names} did not make the change ready within ${options.limitMs / 1000} s`))
      },
    })
  }

  /** Resolves when all of them are ready, those that join too; rejects with what keeps one from it. */
  prepare(members: readonly Member[], joining: readonly WorkerSlot[]): Promise<void> {
    this.#members = members
    for (const member of members) this.#send(member)
    for (const slot of joining) {
      this.#answers.expect('ready', slot.id)
      slot.start()
    }
    return this.#answers.all()
  }

  /**
   * Everybody swaps; those that join begin to listen. Resolves when all have, or have been given up. `members` are there now:
   * one that was started meanwhile makes the change ready first.
   */
  commit(members: readonly Member[], joining: readonly Member[]): Promise<void> {
    const { id, giveUp, limitMs, runs, unixSockets } = this.#o
    this.#isCommitting = true
    this.#answers = new Answers({
      limitMs,
      onLate: (late) => {
        for (const worker of late) giveUp(worker, `did not swap within ${limitMs / 1000} s`)
      },
    })
    this.#members = members
    for (const member of members) {
      if (runs(member) === this.next) continue
      this.#answers.expect('committed', member.id)
      if (!this.#ready.has(member.id)) this.#send(member)
      else if (!member.post({ type: 'commit', id })) this.#answers.gone(member.id)
    }
    for (const member of joining) {
      this.#answers.expect('listening', member.id)
      // One that has just died listens by itself when it is started again.
      member.post({ type: 'listen', unixSockets: unixSockets(member.id) })
    }
    return this.#answers.all()
  }

  abandon(members: readonly Member[]): void {
    this.end()
    for (const member of members) member.post({ type: 'abandon', id: this.#o.id })
  }

  /** The process ends: nobody is waited for. */
  end(): void {
    if (this.#isCommitting) for (const { id } of this.#members) this.#answers.gone(id)
    else this.#answers.failed(new Error('the process ends'))
  }

  /** A thread that joins has loaded everything. */
  isReady(worker: number): void {
    this.#answers.answered('ready', worker)
  }

  listens(worker: number): void {
    this.#answers.answered('listening', worker)
  }

  prepared(worker: number, id: number, failure: PrepareFailure | null): void {
    if (id !== this.#o.id) return
    const member = this.#members.find((one) => one.id === worker)
    if (member === undefined) return
    if (failure === null) {
      this.#ready.add(worker)
      if (this.#isCommitting) member.post({ type: 'commit', id })
      else this.#answers.answered('prepared', worker)
    } else if (this.#isCommitting) this.#o.giveUp(worker, failure.message)
    else this.#answers.failed(this.#o.errorOf(worker, failure))
  }

  committed(worker: number, id: number, error: string | null): void {
    if (id !== this.#o.id) return
    if (error === null) this.#answers.answered('committed', worker)
    else this.#o.giveUp(worker, error)
  }

  /** Before the commit whoever takes its place starts with what ran until then, and is caught up with; after it with the change. */
  died(worker: number, reason: string): void {
    const wasReady = this.#ready.delete(worker)
    if (this.#isCommitting) this.#answers.gone(worker)
    else if (!wasReady)
      this.#answers.failed(new Error(`worker ${worker} died while it made the change ready: ${reason}`))
  }

  #send(member: Member): void {
    const { id, maxClients, runs, unixSockets } = this.#o
    const what = this.#isCommitting ? 'committed' : 'prepared'
    this.#answers.expect(what, member.id)
    const message = { id, delta: this.#deltaFor(runs(member)), unixSockets: unixSockets(member.id), maxClients }
    if (!member.post({ type: 'prepare', ...message })) this.#answers.gone(member.id)
  }

  #deltaFor(running: Snapshot): SnapshotDelta {
    let delta = this.#deltas.get(running)
    if (delta === undefined) this.#deltas.set(running, (delta = deltaOf(running, this.next)))
    return delta
  }
}
