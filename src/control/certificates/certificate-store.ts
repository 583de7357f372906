// The certificates of the running configuration: what is in force, what became of the last reading, and when they end.
// It reads and tells; rolling out is the control plane's, between `read` and `adopt`.
import { setTimeout as pause } from 'node:timers/promises'
import { ConfigError, type Problem } from '../../config/problem.ts'
import type { Log } from '../../core/log.ts'
import { type EventSink, noEvents } from '../events.ts'
import { kindWords, type MaterialFailure, type MaterialStatus, materialStatus } from './certificate-status.ts'
import { type Expiring, ExpiryWatch, warnDays } from './expiry-watch.ts'
import { FileWatch } from './file-watch.ts'
import { type Entry, Material, type MaterialRead, type Refusal } from './material.ts'
import { shadowWarnings } from './shadowed-certificates.ts'
import { keyOf, type NamesMaterial, type Wanted, wantedMaterial } from './wanted-material.ts'

export interface CertificateStoreOptions {
  readonly config: NamesMaterial
  /** For messages; null without a file. */
  readonly configPath: string | null
  readonly log: Log
  /** Default: nobody is told. */
  readonly events?: EventSink
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Certificate and key are mostly replaced one after the other: what does not fit together is looked at again after these
 * times, and only then told.
 */
const PATIENCE_MS = [150, 300, 500, 700]

export class CertificateStore {
  readonly #log: Log
  readonly #events: EventSink
  readonly #configPath: string | null
  readonly #now: () => number
  readonly #watch: FileWatch
  readonly #expiry: ExpiryWatch
  readonly #failures = new Map<string, MaterialFailure>()
  readonly #stop = new AbortController()
  #shadows: ReadonlySet<string> = new Set()
  #onChange: () => void = () => {}
  #onAdopted: (material: Material) => void = () => {}
  #watching = false
  #material: Material

  /** @throws ConfigError with all that cannot be used. */
  static async load(options: CertificateStoreOptions): Promise<CertificateStore> {
    const read = await Material.read(wantedMaterial(options.config), new Material())
    if (read.refusals.length > 0) throw refused(read.refusals, options.configPath)
    return new CertificateStore(options, read.material)
  }

  private constructor(
    { log, configPath, events = noEvents, now = Date.now }: CertificateStoreOptions,
    material: Material,
  ) {
    this.#log = log
    this.#events = events
    this.#configPath = configPath
    this.#now = now
    this.#material = material
    this.#expiry = new ExpiryWatch({ log, events, now })
    this.#watch = new FileWatch({
      onChange: () => this.#onChange(),
      onProblem: (folder, code) => {
        const message = `changes of certificates in ${folder} are not seen at once (${code}), but within a minute`
        log.event('warn', 'certificates_not_watched', message, { folder, code })
      },
    })
  }

  /** What is in force. */
  get material(): Material {
    return this.#material
  }

  /** From now on changes of files are seen, and ends are told. `onChange` shall read. */
  async start(onChange: () => void): Promise<void> {
    this.#onChange = onChange
    this.#watching = true
    this.tell()
    await this.#watch.follow(this.#paths())
    // What changed while we started has had no event.
    if (this.#material.entries.size > 0) onChange()
  }

  /**
   * Reads what the configuration names. Nothing is in force before `adopt`. Where files change just now it waits for them
   * to fit together, up to two seconds. One call at a time.
   * @throws ConfigError when something cannot be used that is named for the first time: there is no old one to keep.
   */
  async read(config: NamesMaterial): Promise<MaterialRead> {
    const wanted = wantedMaterial(config)
    // Those in force too: they go on if what is wanted is refused.
    if (this.#watching) await this.#watch.follow([...pathsOf(wanted.values()), ...this.#paths()])
    let read = await Material.read(wanted, this.#material)
    for (const ms of PATIENCE_MS) {
      const hopeless = read.refusals.every((refusal) => !refusal.keepsOld || this.#isKnown(refusal))
      if (hopeless || this.#stop.signal.aborted) break
      await pause(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined)
      read = await Material.read(wanted, this.#material)
    }
    if (read.refusals.some(({ keepsOld }) => !keepsOld)) {
      throw refused(read.refusals, this.#configPath)
    }
    return read
  }

  /** What was read is in force: tells what has changed, and what had to be refused, unless that was told before. */
  adopt({ material, refusals }: MaterialRead, { tellAgain = false }: { readonly tellAgain?: boolean } = {}): void {
    const before = this.#material
    this.#material = material
    this.#onAdopted(material)
    const changed = material.changedSince(before)
    for (const entry of changed) this.#tellChange(entry)
    this.#tellMended(refusals, changed)
    if (tellAgain) this.#failures.clear()
    this.#tellWarnings(
      [...material.entries]
        .filter(([key, { loaded }]) => before.entries.get(key)?.loaded !== loaded)
        .map(([, entry]) => entry),
    )
    this.#tellShadows()
    this.#tellRefusals(refusals)
    this.#expiry.watch(expiringOf(material))
  }

  /** For the admin API. */
  list(): MaterialStatus[] {
    const now = this.#now()
    return [...this.#material.entries].map(([key, entry]) =>
      materialStatus(entry, this.#failures.get(key) ?? null, now),
    )
  }

  /** Everything that the log is told when these are first in use: doubts, and ends that are near or over. */
  tell(): void {
    this.#tellWarnings([...this.#material.entries.values()])
    this.#tellShadows()
    this.#expiry.watch(expiringOf(this.#material))
  }

  close(): void {
    this.#stop.abort()
    this.#watch.close()
    this.#expiry.close()
  }

  /** Called with what is in force from now on. */
  onAdopted(listener: (material: Material) => void): void {
    this.#onAdopted = listener
  }

  #paths(): string[] {
    return pathsOf([...this.#material.entries.values()].map(({ wanted }) => wanted))
  }

  #isKnown({ wanted, error }: Refusal): boolean {
    return this.#failures.get(keyOf(wanted.kind, wanted.files))?.message === error.message
  }

  /** Each once, until it is mended or another one. */
  #tellRefusals(refusals: readonly Refusal[]): void {
    const keys = new Set(refusals.map(({ wanted }) => keyOf(wanted.kind, wanted.files)))
    for (const key of this.#failures.keys()) if (!keys.has(key)) this.#failures.delete(key)
    for (const refusal of refusals) {
      if (this.#isKnown(refusal)) continue
      const { wanted, error } = refusal
      this.#failures.set(keyOf(wanted.kind, wanted.files), { atMs: this.#now(), message: error.message })
      const { file, reason } = error
      const fields = { name: wanted.files.cert, file, reason }
      this.#log.event('error', 'certificate_refused', `${error.message} (the old one stays in use)`, fields)
    }
  }

  /** Put back as it was: then nothing has changed that could be told. */
  #tellMended(refusals: readonly Refusal[], changed: readonly Entry[]): void {
    const refused = new Set(refusals.map(({ wanted }) => keyOf(wanted.kind, wanted.files)))
    for (const [key, entry] of this.#material.entries) {
      if (!this.#failures.has(key) || refused.has(key) || changed.includes(entry)) continue
      const name = entry.wanted.files.cert
      const message = `${kindWords[entry.wanted.kind]} ${name}: its files are in order again, and hold what is in use`
      this.#log.event('info', 'certificate_mended', message, { name })
    }
  }

  #tellChange({ wanted, loaded }: Entry): void {
    const name = wanted.files.cert
    const about = { type: 'certificate_renewed', name, kind: eventKinds[wanted.kind] } as const
    if ('spec' in loaded) {
      const { names, notAfterMs, fingerprint } = loaded.facts
      const until = new Date(notAfterMs).toISOString()
      this.#events.emit({ ...about, names, expiresAt: new Date(notAfterMs) })
      const good = names.length === 0 ? '' : ` for ${names.join(', ')}`
      const fields = { name, names, expires_at: until, fingerprint }
      this.#log.event(
        'info',
        'certificate_changed',
        `certificate ${name} has changed: good${good} until ${until}`,
        fields,
      )
      return
    }
    const expiresAt = loaded.expiresAtMs === null ? null : new Date(loaded.expiresAtMs)
    this.#events.emit({ ...about, names: [], expiresAt })
    this.#log.event('info', 'certificate_changed', `${kindWords[wanted.kind]} ${name} changed`, { name })
  }

  /** Each once, as long as it is so. */
  #tellShadows(): void {
    const shadows = shadowWarnings(this.#material, this.#now())
    for (const { message, name } of shadows) {
      if (!this.#shadows.has(message)) this.#log.event('warn', 'certificate_shadowed', message, { name })
    }
    this.#shadows = new Set(shadows.map(({ message }) => message))
  }

  #tellWarnings(entries: readonly Entry[]): void {
    for (const { wanted, loaded } of entries) {
      for (const warning of loaded.warnings) {
        this.#log.event('warn', 'certificate_doubtful', warning, { name: wanted.files.cert })
      }
    }
  }
}

/** What a start would say of the certificates in use, for who only looks. */
export interface Told {
  readonly level: 'warn' | 'error'
  readonly message: string
  /** Where the configuration names the file first. */
  readonly path: string
  readonly file: string
}

/** Loads as `CertificateStore.load`, and gathers what the log of a start would say. */
export async function inspectCertificates(
  o: Omit<CertificateStoreOptions, 'log'>,
): Promise<{ readonly material: Material; readonly list: MaterialStatus[]; readonly told: Told[] }> {
  const found: { level: 'warn' | 'error'; message: string; name: string }[] = []
  const event: Log['event'] = (level, _, message, { name = '' } = {}) => {
    if (level === 'warn' || level === 'error') found.push({ level, message, name: String(name) })
  }
  const store = await CertificateStore.load({ ...o, log: { event } })
  store.tell()
  store.close()
  const wanted = [...store.material.entries.values()].map((entry) => entry.wanted)
  const pathOf = (file: string): string => wanted.find(({ files }) => files.cert === file)?.places[0]?.path ?? ''
  const told = found.map(({ level, message, name }) => ({ level, message, path: pathOf(name), file: name }))
  return { material: store.material, list: store.list(), told }
}

const refused = (refusals: readonly Refusal[], configPath: string | null): ConfigError =>
  new ConfigError(problemsOf(refusals, configPath), { inFiles: true })

/** As problems of the configuration, each where it names the file first. */
export function problemsOf(refusals: readonly Refusal[], configPath: string | null): Problem[] {
  return refusals.map(({ wanted, error }) => {
    const { path } = wanted.places[0]!
    const { file, reason, hint } = error
    const place = { file: configPath ?? 'configuration', line: 0, column: 0, path }
    return { ...place, message: `${file} ${reason}`, hint, value: file }
  })
}

/** As events call them. */
const eventKinds = { identity: 'certificate', authorities: 'authorities', revocations: 'revocation_list' } as const

const pathsOf = (wanted: Iterable<Wanted>): string[] => [...wanted].flatMap(({ files }) => [files.cert, files.key])

function expiringOf(material: Material): Expiring[] {
  return [...material.entries.values()].flatMap(({ wanted, loaded }): Expiring[] => {
    const name = wanted.files.cert
    if ('spec' in loaded) {
      const { names, notAfterMs } = loaded.facts
      return [{ name, what: 'certificate', endsAtMs: notAfterMs, about: names.join(', '), warnDays }]
    }
    if (wanted.kind === 'authorities' || loaded.expiresAtMs === null) return []
    return [{ name, what: 'revocation list', endsAtMs: loaded.expiresAtMs, about: '', warnDays: [] }]
  })
}
