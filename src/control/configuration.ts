// The configuration of a running process as a document: looked at, replaced, patched, taken back, written into its file.

import { differencesBetween } from '../config/document/differences.ts'
import { formatDocumentPath } from '../config/document/format-path.ts'
import { mergePatch } from '../config/document/merge-patch.ts'
import { saveChanges } from '../config/document/save-changes.ts'
import { redactDocument, withSecrets, writtenSecrets } from '../config/document/secrets.ts'
import type { Json, ValueOrigin } from '../config/document/types.ts'
import type { InUse, LoadedConfig } from '../config/load.ts'
import { longFormOf } from '../config/long-form.ts'
import { notInUse } from '../config/named-files.ts'
import { ConfigError } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import { wantedMaterial } from './certificates/wanted-material.ts'
import type { Asked, Changes, Outcome } from './changes.ts'
import { ControlError } from './control-error.ts'
import { type EventSink, noEvents } from './events.ts'
import { formerOf } from './history.ts'
import { type InForce, type Proposal, proposalOf } from './in-force.ts'
import { changesTowards } from './overlay.ts'
import type { LoadConfig } from './reloads.ts'
import { replaceFile } from './store/replace-file.ts'
import type { HistoryEntry } from './store/state-document.ts'

/** Why nothing can be saved where a command or a program has put the configuration together. */
const noFile = 'There is no configuration file to write into: "frontdesk config show" prints what a file would say'

export interface ConfigurationOptions {
  readonly changes: Changes
  readonly log: Log
  readonly events?: EventSink
  /** Reads the file again; null without one. */
  readonly load: LoadConfig | null
}

/** A change of the document. */
export interface AskedForDocument extends Asked {
  /** Who asks may not have read, called or compared what is not in use: for rehearsals by those who may only look. */
  readonly onlyLooks?: boolean
}

export interface Saved {
  readonly file: string
  /** What was written into it, one line each, for people. */
  readonly changes: readonly string[]
  readonly revision: number
}

export class Configuration {
  readonly #o: ConfigurationOptions

  constructor(options: ConfigurationOptions) {
    this.#o = options
  }

  get revision(): number {
    return this.#o.changes.now.revision
  }

  /** As it was written, flat keys at their places, with what was changed since. Secrets are `***`. */
  document(): Json {
    return redactDocument(this.#o.changes.now.whole)
  }

  /** The same, every default written out. */
  expanded(): Json {
    return longFormOf(this.#o.changes.now.config) as Json
  }

  /** Where each value comes from. */
  async origins(): Promise<{ readonly revision: number; readonly values: readonly ValueOrigin[] }> {
    const { loaded, changes, revision } = this.#o.changes.now
    const laid = changes.length === 0 ? loaded : await loaded.withChanges(changes)
    return { revision, values: laid.origins() }
  }

  /** Newest first. */
  history(): readonly HistoryEntry[] {
    return this.#o.changes.now.history.toReversed()
  }

  /** Another document in place of the whole one. @throws ConfigError, ControlError; then nothing has changed. */
  async put(document: Json, asked: AskedForDocument): Promise<Outcome> {
    if (asked.onlyLooks === true) refuseSecrets(document)
    return this.#make(asked, (now, revision) => this.#towards(now, document, { ...asked, revision }))
  }

  /** RFC 7396: what is named takes the place of what was there, null takes it away. @throws as `put`. */
  async patch(patch: Json, asked: AskedForDocument): Promise<Outcome> {
    if (asked.onlyLooks === true) refuseSecrets(patch)
    return this.#make(asked, (now, revision) =>
      this.#towards(now, mergePatch(now.whole, patch), { ...asked, revision }),
    )
  }

  /** Back to an earlier revision; without a number, to the one before this. @throws as `put`, and not-found. */
  rollback(wanted: number | undefined, asked: Omit<Asked, 'cause'>): Promise<Outcome> {
    const named: { -readonly [K in keyof Asked]: Asked[K] } = { ...asked, cause: 'rollback' }
    return this.#make(named, async (now, revision) => {
      const former = formerOf(now.history, { document: now.whole, states: now.states }, wanted)
      named.cause = `rollback to ${former.revision}`
      const proposal = await this.#towards(now, former.document, { ...named, revision }, { isNormal: true })
      return { ...proposal, states: former.states }
    })
  }

  /** Writes what was changed into the file, with its comments. @throws ControlError conflict: there is no such file. */
  save(asked: Asked): Promise<Saved> {
    return this.#o.changes.exclusively(async () => {
      const { now } = this.#o.changes
      const { loaded, changes, revision } = now
      const { path, text } = loaded
      if (path === null) throw new ControlError('conflict', noFile)
      if (text === null)
        throw new ControlError('conflict', `${path} is a program: what was changed has to be written into it by hand`)
      if (changes.length === 0) return { file: path, changes: [], revision }
      const fresh = await this.#unchanged(now)
      const written = saveChanges({ path, text: fresh.text ?? text, changes }).text
      return this.#write(now, { path, text: written, asked })
    })
  }

  /** What the file says now; it has to be what was read. */
  async #unchanged(now: InForce): Promise<InForce['loaded']> {
    const fresh = (await this.#o.load?.()) ?? now.loaded
    if (differencesBetween(now.file, fresh.documents.file).length === 0) return fresh
    const message = `${now.loaded.path} has changed since it was read; apply it first (frontdesk reload)`
    throw new ControlError('conflict', `${message}. Nothing was changed`)
  }

  async #write(now: InForce, o: { path: string; text: string; asked: Asked }): Promise<Saved> {
    const { path, text, asked } = o
    const { changes, revision } = now
    const words = changes.map(
      ({ path: place, value }) => `${formatDocumentPath(place)} ${value === undefined ? 'removed' : 'written'}`,
    )
    await replaceFile(path, text)
    const loaded = (await this.#o.load?.()) ?? now.loaded
    const { log } = this.#o
    await this.#o.changes.relayer(await loaded.withChanges(changes), loaded).catch((error: Error) => {
      // What stands in the file too is no change at the next start.
      log.event('warn', 'state_not_saved', `${error.message}; ${path} is written all the same`)
    })
    const message = `what was changed is in ${path} now (${asked.by}, revision ${revision}): ${words.join('; ')}`
    log.event('info', 'config_saved', message, { path, by: asked.by, revision, changes: words })
    return { file: path, changes: words, revision }
  }

  /** `isNormal`: the wanted document is in normal form, so that what is in it can be told without reading it first. */
  async #towards(
    now: InForce,
    wanted: Json,
    stamp: AskedForDocument & { readonly revision: number },
    { isNormal = false }: { readonly isNormal?: boolean } = {},
  ): Promise<Proposal> {
    const { document, problems } = withSecrets(wanted, now.whole)
    if (problems.length > 0) throw refusedAt(problems)
    const made = { at: new Date().toISOString(), by: stamp.by, revision: stamp.revision }
    const inUse = stamp.onlyLooks === true ? inUseOf(now) : undefined
    const laidOver = async (normal: Json): Promise<Proposal> => {
      const proposal = proposalOf(
        await now.loaded.withChanges(changesTowards(now.file, normal, now.changes, made), inUse),
      )
      if (inUse !== undefined) refuseMaterial(now, proposal)
      return proposal
    }
    const checked = (): Promise<LoadedConfig> =>
      now.loaded.withDocument(document as object, inUse).catch((error: unknown) => {
        throw notOfFile(error, now.loaded.path)
      })
    if (!isNormal) return laidOver((await checked()).documents.file)
    return laidOver(document).catch(async (error: unknown) => {
      // What is wrong is told with the places of the document, not with those of changes that nobody has made yet.
      await checked()
      throw error
    })
  }

  #make(asked: Asked, propose: Parameters<Changes['make']>[1]): Promise<Outcome> {
    return this.#o.changes.make(asked, propose, (outcome) => {
      if (!outcome.dryRun) this.#tell(asked, outcome)
      return outcome
    })
  }

  #tell({ by, cause }: Asked, { words, revision, isChange, refused }: Outcome): void {
    if (!isChange) return
    const { log, events = noEvents } = this.#o
    const what = words.length === 0 ? 'written in another way, to the same effect' : words.join('; ')
    const message = `configuration changed (${by}, ${cause}, revision ${revision}): ${what}`
    log.event('info', 'config_changed', message, { by, cause, revision, changes: words })
    events.emit({ type: 'config_applied', revision, changes: words, refused })
  }
}

const inUseOf = ({ files, config }: InForce): InUse => ({
  files: new Set(files),
  modules: new Set(config.plugins.map(({ label }) => label)),
})

/** Else the plan would tell whether they are those in use, as often as somebody guesses. */
function refuseSecrets(document: Json): void {
  const paths = writtenSecrets(document)
  if (paths.length === 0) return
  const message = 'is a secret: it takes the full token to write it; *** leaves it as it is'
  throw refusedAt(paths.map((path) => ({ path, message })))
}

/** Files of certificates that nothing has in use yet. */
function refuseMaterial({ config }: InForce, proposal: Proposal): void {
  const known = wantedMaterial(config)
  const added = [...wantedMaterial(proposal.config)].filter(([key]) => !known.has(key))
  if (added.length === 0) return
  throw refusedAt(
    added.map(([, { files, places }]) => ({ path: places[0]!.path, message: `${files.cert} ${notInUse}` })),
  )
}

/** What is wrong with a document is not wrong with the file that names are relative to. */
function notOfFile(error: unknown, path: string | null): unknown {
  if (!(error instanceof ConfigError)) return error
  const problems = error.problems.map((one) => (one.file === path ? { ...one, file: 'configuration' } : one))
  return new ConfigError(problems, error)
}

function refusedAt(problems: readonly { readonly path: string; readonly message: string }[]): ConfigError {
  const place = { file: 'configuration', line: 0, column: 0, hint: null, value: undefined }
  return new ConfigError(problems.map((problem) => ({ ...place, ...problem })))
}
