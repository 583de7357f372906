// The one way by which anything changes while it runs, whoever asks for it and however: whole and checked it comes here;
// difference → every worker prepares → on disk → every worker swaps → answer. One at a time. What goes wrong on the way
// leaves everything as it was.

import type { Config } from '../config/config.ts'
import { differencesBetween } from '../config/document/differences.ts'
import type { Json } from '../config/document/types.ts'
import type { LoadedConfig } from '../config/load.ts'
import { defaultDrainMs } from '../core/default-drain.ts'
import type { Log } from '../core/log.ts'
import type { Slot, Snapshot } from '../core/spec.ts'
import type { CertificateStore } from './certificates/certificate-store.ts'
import type { Material, MaterialRead } from './certificates/material.ts'
import { ControlError, type FieldProblem } from './control-error.ts'
import type { Departure } from './departures.ts'
import { formerStates, withEntry } from './history.ts'
import { conflictsOf, following, type InForce, type Proposal } from './in-force.ts'
import { type LiveCounts, type Plan, planOf, planWords } from './plan/plan.ts'
import type { ControlPort, Prepared } from './port.ts'
import { refusalOf, refusedOf } from './refusal.ts'
import type { Compile, Roster, Staged } from './roster.ts'
import { SerialQueue } from './serial-queue.ts'
import { digestOf } from './store/document-digest.ts'
import type { HistoryEntry, StateDocument } from './store/state-document.ts'
import { type StateStore, StoreError } from './store/state-store.ts'

/** Who asks for a change, and how. */
export interface Asked {
  /** `admin API (127.0.0.1)`, `HUP`, `program`. */
  readonly by: string
  /** `PATCH /config`, `POST /backends`, `file changed`. */
  readonly cause: string
  /** Only say what would change. */
  readonly dryRun?: boolean | undefined
  /** The revision that the change was made for; another one refuses it. */
  readonly ifMatch?: number | undefined
}

/** What became of a change. */
export interface Outcome {
  /** In force now; of a rehearsal what it would be. */
  readonly revision: number
  readonly dryRun: boolean
  /** Whether something but certificates is other than before. */
  readonly isChange: boolean
  readonly plan: Plan
  /** One line each, for people; empty = nothing has changed. */
  readonly words: readonly string[]
  /** Certificates that cannot be used as they are now: the old ones stay in force. */
  readonly refused: readonly FieldProblem[]
  /** Backends that are not in it any more, and may finish. */
  readonly departures: readonly Departure[]
}

/** Something else that has to follow a configuration, such as the address of the admin API. */
export interface Follower {
  /** Rejects when it cannot; then everything is as before. */
  prepare(next: InForce, material: Material): Promise<Followed>
}

interface Followed {
  commit(): void
  abandon(): Promise<void>
}

export interface ChangesOptions {
  readonly port: Pick<ControlPort, 'state' | 'prepare'>
  readonly log: Log
  /** null = changes live as long as the process. */
  readonly store: StateStore | null
  /** What the state file holds beside what changes. */
  readonly kept: Pick<StateDocument, 'stickySecret' | 'configuration'>
  readonly certificates: Pick<CertificateStore, 'material' | 'read' | 'adopt'>
  readonly compile: (config: Config, material: Material) => Compile
  readonly roster: Roster
  readonly follower: Follower
  readonly now: InForce
  /** Called when something else runs than before, after the workers know. */
  readonly onChange: (snapshot: Snapshot, now: InForce) => void
}

interface RollOut {
  readonly proposal: Proposal
  readonly read: MaterialRead | null
  readonly isChange: boolean
  readonly tellAgain: boolean
}

export { defaultDrainMs } from '../core/default-drain.ts'

const sameJson = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

export class Changes {
  readonly #o: ChangesOptions
  readonly #queue = new SerialQueue()
  #now: InForce
  #compile: Compile
  #generation = 0
  #digested: { readonly file: Json; readonly digest: string } | null = null

  /** Claims slots and builds the first snapshot. @throws ControlError when there are more backends than slots. */
  constructor(options: ChangesOptions) {
    this.#o = options
    this.#now = options.now
    this.#compile = options.compile(options.now.config, options.certificates.material)
    const staged = this.#stage(this.#now, this.#compile, this.#now.revision)
    options.roster.adopt(staged)
    this.#generation = staged.snapshot.generation
  }

  get now(): InForce {
    return this.#now
  }

  /**
   * Makes a change. `propose` is asked when those before it are done, and sees what runs then; what it rejects with is the
   * answer, and nothing has changed. `done` is called before the next change begins.
   * @throws ControlError stale, needs-restart, no-space, unavailable, failed.
   */
  make<T = Outcome>(
    asked: Asked,
    propose: (now: InForce, revision: number) => Proposal | Promise<Proposal>,
    done: (outcome: Outcome) => T = (outcome) => outcome as T,
  ): Promise<T> {
    return this.#queue.run(async () => {
      this.#checkMatch(asked)
      return done(await this.#carryOut(asked, await propose(this.#now, this.#now.revision + 1)))
    })
  }

  /** Something that must not meet a change under way. */
  exclusively<T>(job: () => Promise<T>): Promise<T> {
    return this.#queue.run(job)
  }

  /** Within `exclusively`: the same in effect, but the file says more of it now. */
  relayer({ documents, kept }: LoadedConfig, loaded: LoadedConfig): Promise<void> {
    this.#now = { ...this.#now, loaded, file: documents.file, whole: documents.whole, changes: kept }
    return this.#save(this.#now)
  }

  /** Writes what is to be remembered, as it is now. */
  persist(): Promise<void> {
    return this.#queue.run(() => this.#save(this.#now))
  }

  /** After those under way. */
  async close(): Promise<void> {
    await this.#queue.run(async () => undefined)
  }

  #checkMatch({ ifMatch }: Asked): void {
    const { revision } = this.#now
    if (ifMatch === undefined || ifMatch === revision) return
    const message = `the configuration was changed meanwhile: it is revision ${revision} now, not ${ifMatch}`
    throw new ControlError('stale', `${message}. Nothing was changed`, [{ path: 'If-Match', message }])
  }

  async #carryOut(asked: Asked, proposal: Proposal): Promise<Outcome> {
    const { certificates } = this.#o
    const next = following(this.#now, proposal)
    const read = proposal.onlyBackends ? null : await certificates.read(next.config)
    const files = read?.material.changedSince(certificates.material).map(({ wanted }) => wanted.files.cert) ?? []
    const conflicts = conflictsOf(proposal, next, this.#now.revision + 1)
    const plan = planOf(this.#now, next, { live: this.#live(), conflicts, certificates: files })
    const words = planWords(plan.steps)
    const isChange = this.#isChange(next, plan)
    const revision = this.#now.revision + (isChange ? 1 : 0)
    const refused = refusedOf(read, next.loaded)
    const outcome: Outcome = { revision, dryRun: asked.dryRun === true, isChange, plan, words, refused, departures: [] }
    if (outcome.dryRun) return outcome
    if (plan.needs_restart.length > 0) throw needsRestart(plan.needs_restart)
    const tellAgain = proposal.isRefresh !== true
    if (!isChange && files.length === 0) {
      await this.#takeOver(next, read, tellAgain)
      return outcome
    }
    const entry = isChange ? this.#entryOf(asked, next, words) : null
    const history = entry === null ? next.history : withEntry(next.history, entry)
    const departures = await this.#rollOut({ ...next, revision, history }, { proposal, read, isChange, tellAgain })
    return { ...outcome, departures }
  }

  /** The same in effect; the file may say it in another way. */
  async #takeOver(next: InForce, read: MaterialRead | null, tellAgain: boolean): Promise<void> {
    const isSame = sameJson(next.changes, this.#now.changes) && this.#saysTheSame(next)
    if (!isSame) await this.#save(next).catch((error) => this.#refuse(error))
    this.#now = next
    if (read !== null) this.#o.certificates.adopt(read, { tellAgain })
  }

  /** Else it would be taken for another one at the next start. */
  #saysTheSame({ file }: InForce): boolean {
    return this.#o.store === null || file === this.#now.file || digestOf(file) === digestOf(this.#now.file)
  }

  #isChange(next: InForce, { steps }: Plan): boolean {
    if (steps.some(({ kind }) => kind !== 'certificate')) return true
    return next.whole !== this.#now.whole && differencesBetween(this.#now.whole, next.whole).length > 0
  }

  #entryOf({ by, cause }: Asked, next: InForce, words: readonly string[]): HistoryEntry {
    const undo = {
      differences: differencesBetween(next.whole, this.#now.whole),
      states: formerStates(this.#now.states, next.states),
    }
    const changes = words.length > 0 ? words : ['written in another way, to the same effect']
    return { revision: this.#now.revision + 1, at: new Date().toISOString(), by, cause, changes, undo }
  }

  async #rollOut(next: InForce, { proposal, read, isChange, tellAgain }: RollOut): Promise<Departure[]> {
    const { port, follower, certificates } = this.#o
    const material = read?.material ?? certificates.material
    const compile = proposal.onlyBackends ? this.#compile : this.#o.compile(next.config, material)
    const staged = this.#stage(next, compile, next.revision)
    let prepared: Prepared | undefined
    let followed: Followed | undefined
    try {
      if (!proposal.onlyBackends) followed = await follower.prepare(next, material)
      prepared = await port.prepare(staged.snapshot)
      if (isChange) await this.#save(next)
    } catch (error) {
      await prepared?.abandon()
      await followed?.abandon()
      this.#o.roster.abandon(staged)
      return this.#refuse(error)
    }
    await prepared.commit()
    followed?.commit()
    this.#compile = compile
    return this.#adopt(next, staged, { read, tellAgain, drainMs: proposal.drainMs ?? defaultDrainMs })
  }

  #stage(next: InForce, compile: Compile, revision: number): Staged {
    // A snapshot may be compiled anew within a revision.
    const generation = Math.max(revision, this.#generation + 1)
    const kindOfPool = (pool: string) => next.config.pools[pool]!.kind
    try {
      return this.#o.roster.stage(next.desired, { compile, generation, kindOfPool })
    } catch (error) {
      return this.#refuse(error)
    }
  }

  #adopt(
    next: InForce,
    staged: Staged,
    o: { readonly read: MaterialRead | null; readonly tellAgain: boolean; readonly drainMs: number },
  ): Departure[] {
    const { roster, certificates, onChange } = this.#o
    this.#now = next
    this.#generation = staged.snapshot.generation
    const gone = roster.adopt(staged)
    if (o.read !== null) certificates.adopt(o.read, { tellAgain: o.tellAgain })
    onChange(staged.snapshot, next)
    return gone.map((backend) => roster.departures.begin(backend, o.drainMs))
  }

  #live(): LiveCounts {
    const { port, roster } = this.#o
    const rows = new Map(roster.snapshot.listeners.map(({ name, row }) => [name, row]))
    const active = (slot: Slot | undefined): number => (slot === undefined ? 0 : port.state.active(slot))
    return {
      backend: (pool, url) => active(roster.slotOf(pool, url)),
      listener: (name) => (rows.has(name) ? port.state.connectionTotals(rows.get(name)!).active : 0),
    }
  }

  async #save({ revision, changes, states, history, file }: InForce): Promise<void> {
    const { store, kept } = this.#o
    await store?.save({ ...kept, revision, changes, states, history, fileDigest: this.#digest(file) })
  }

  /** A change of backends leaves the file's document as it is, however large that is. */
  #digest(file: Json): string {
    if (this.#digested?.file !== file) this.#digested = { file, digest: digestOf(file) }
    return this.#digested.digest
  }

  #refuse(error: unknown): never {
    const refusal = refusalOf(error)
    if (error instanceof StoreError) {
      const { code, message } = error
      this.#o.log.event('error', 'state_not_saved', `${message}; the change is refused`, { code })
    } else if (refusal instanceof ControlError && refusal.kind === 'unavailable') {
      this.#o.log.event('error', 'change_not_applied', refusal.message, { reason: (error as Error).message })
    }
    throw refusal
  }
}

function needsRestart(keys: readonly string[]): ControlError {
  const errors = keys.map((path) => ({ path, message: 'can only change with a restart' }))
  return new ControlError(
    'needs-restart',
    `${keys.join(', ')} can only change with a restart. Nothing was changed`,
    errors,
  )
}
