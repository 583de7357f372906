// One change on its way through all workers: made ready by each beside what it runs, then swapped in by all, or given up.
import type { Snapshot } from '../core/spec.ts'
import type { PrepareFailure, SharedCache, ToWorker } from '../worker/protocol.ts'
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
  readonly cache: SharedCache | null
  /** Of each plane, once the change is in force. */
  readonly maxClients: number
  readonly limitMs: number
  /** Unix sockets that a member opens as soon as the change is made ready, by listener. */
  readonly unixSockets: (member: number) => readonly string[]
  /** What a member runs. */
  readonly runs: (member: Member) => Snapshot
  /** Why a member could not make it ready. */
  readonly errorOf: (member: number, failure: PrepareFailure) => Error
  /** Ends a member that has not swapped: whoever takes its place starts with the change. False = nobody can take it. */
  readonly giveUp: (member: number, reason: string) => boolean
}

/** How long a worker may take to give up what it made ready, before nobody waits for it any more. */
const ABANDON_MS = 1000

export class LiveChange {
  readonly next: Snapshot
  readonly #o: LiveChangeOptions
  readonly #ready = new Set<number>()
  readonly #deaths = new Set<number>()
  readonly #deltas = new Map<Snapshot, SnapshotDelta>()
  #members: readonly Member[] = []
  #answers: Answers
  #isCommitting = false
  #isGivenUp = false

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
    const { id, limitMs, runs, unixSockets } = this.#o
    this.#isCommitting = true
    this.#answers = new Answers({
      limitMs,
      onLate: (late) => {
        for (const worker of late) this.#giveUpOn(worker, `did not swap within ${limitMs / 1000} s`)
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

  /** Resolves when nobody has anything of it left; one that hangs is not waited for. */
  async abandon(members: readonly Member[]): Promise<void> {
    this.#answers.failed(new Error('given up'))
    this.#answers = new Answers({
      limitMs: Math.min(ABANDON_MS, this.#o.limitMs),
      onLate: (late) => {
        for (const worker of late) this.#answers.gone(worker)
      },
    })
    for (const member of members) {
      this.#answers.expect('abandoned', member.id)
      if (!member.post({ type: 'abandon', id: this.#o.id })) this.#answers.gone(member.id)
    }
    this.#isGivenUp = true
    await this.#answers.all()
  }

  abandoned(worker: number, id: number): void {
    if (id === this.#o.id) this.#answers.answered('abandoned', worker)
  }

  /** The process ends: nobody is waited for. */
  end(): void {
    if (this.#isCommitting || this.#isGivenUp) for (const { id } of this.#members) this.#answers.gone(id)
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
    } else if (this.#isCommitting) this.#giveUpOn(worker, failure.message)
    else this.#answers.failed(this.#o.errorOf(worker, failure))
  }

  committed(worker: number, id: number, error: string | null): void {
    if (id !== this.#o.id) return
    if (error === null) this.#answers.answered('committed', worker)
    else this.#giveUpOn(worker, error)
  }

  /**
   * Before the commit whoever takes its place starts with what ran until then, and is asked in its turn; after it with the
   * change. That it dies once may be chance: twice is taken for the change's doing.
   */
  died(worker: number, reason: string): void {
    const wasReady = this.#ready.delete(worker)
    if (this.#isCommitting || this.#isGivenUp) this.#answers.gone(worker)
    else if (wasReady || !this.#deaths.has(worker)) this.#deaths.add(worker)
    else this.refused(worker, `died while it made the change ready: ${reason}`)
  }

  /** It has done what it had to do, and need not know. */
  left(worker: number): void {
    this.#members = this.#members.filter(({ id }) => id !== worker)
    this.#ready.delete(worker)
    this.#answers.gone(worker)
  }

  /** A thread has taken the place of a dead one. */
  started(member: Member): void {
    if (!this.#isCommitting && this.#answers.owes('prepared', member.id)) this.#send(member)
  }

  /** It cannot be, in the words of one that was asked. */
  refused(worker: number, reason: string): void {
    this.#answers.failed(new Error(`worker ${worker}: ${reason}`))
  }

  /** It is waited for until it is dead: nobody may be served by what it has. */
  #giveUpOn(worker: number, reason: string): void {
    if (!this.#o.giveUp(worker, reason)) this.#answers.gone(worker)
  }

  #send(member: Member): void {
    const { id, cache, maxClients, runs, unixSockets } = this.#o
    const what = this.#isCommitting ? 'committed' : 'prepared'
    this.#answers.expect(what, member.id)
    const asked = { delta: this.#deltaFor(runs(member)), cache, unixSockets: unixSockets(member.id), maxClients }
    // One that is dead just now need not be waited for: it starts with what is in force by then.
    if (!member.post({ type: 'prepare', id, ...asked })) this.#answers.gone(member.id)
  }

  #deltaFor(running: Snapshot): SnapshotDelta {
    let delta = this.#deltas.get(running)
    if (delta === undefined) this.#deltas.set(running, (delta = deltaOf(running, this.next)))
    return delta
  }
}
