// All certificates, keys, authorities and revocation lists that a configuration names, as they were read at one time.
import type { TlsMaterial } from '../../config/compile.ts'
import type { KeyPairFiles } from '../../config/config.ts'
import type { IdentitySpec } from '../../core/spec.ts'
import { type LoadedPem, loadAuthorities, loadRevocations } from './load-authorities.ts'
import { type LoadedIdentity, loadIdentity } from './load-identity.ts'
import { MaterialError } from './material-error.ts'
import { keyOf, type Wanted } from './wanted-material.ts'

export type Loaded = LoadedIdentity | LoadedPem

/** Something that a configuration names, and what was read last that could be used. */
export interface Entry {
  readonly wanted: Wanted
  readonly loaded: Loaded
}

/** Something that cannot be used as it is now. */
export interface Refusal {
  readonly wanted: Wanted
  readonly error: MaterialError
  /** What was read before is still in use. */
  readonly keepsOld: boolean
}

export interface MaterialRead {
  readonly material: Material
  readonly refusals: readonly Refusal[]
}

/** Immutable: another reading makes another one. */
export class Material implements TlsMaterial {
  readonly entries: ReadonlyMap<string, Entry>

  constructor(entries: ReadonlyMap<string, Entry> = new Map()) {
    this.entries = entries
  }

  /**
   * Reads what is wanted. What cannot be used is refused; what was there before in the same place then stays, as a whole:
   * never a new certificate with an old key.
   */
  static async read(wanted: ReadonlyMap<string, Wanted>, before: Material): Promise<MaterialRead> {
    const entries = new Map<string, Entry>()
    const refusals: Refusal[] = []
    for (const [key, one] of wanted) {
      const known = before.entries.get(key)
      try {
        entries.set(key, { wanted: one, loaded: await load(one, known?.loaded) })
      } catch (error) {
        if (!(error instanceof MaterialError)) throw error
        refusals.push({ wanted: one, error, keepsOld: known !== undefined })
        if (known !== undefined) entries.set(key, { wanted: one, loaded: known.loaded })
      }
    }
    return { material: new Material(entries), refusals }
  }

  identity(pair: KeyPairFiles): IdentitySpec {
    const loaded = this.entries.get(keyOf('identity', pair))?.loaded
    if (loaded === undefined || !('spec' in loaded)) throw new Error(`${pair.cert} was not loaded`)
    return loaded.spec
  }

  has(pair: KeyPairFiles): boolean {
    return this.entries.has(keyOf('identity', pair))
  }

  pem(path: string): string {
    // One file may hold authorities and their list: each reader of PEM takes what it looks for.
    const files = { cert: path, key: path }
    const found = (['authorities', 'revocations'] as const).flatMap((kind) => {
      const loaded = this.entries.get(keyOf(kind, files))?.loaded
      return loaded !== undefined && 'pem' in loaded ? [loaded.pem] : []
    })
    if (found.length === 0) throw new Error(`${path} was not loaded`)
    return found.join('')
  }

  identities(): { readonly wanted: Wanted; readonly loaded: LoadedIdentity }[] {
    return [...this.entries.values()].flatMap(({ wanted, loaded }) => ('spec' in loaded ? [{ wanted, loaded }] : []))
  }

  /** What is not the same as before; what was not there before is not counted. */
  changedSince(before: Material): Entry[] {
    return [...this.entries].flatMap(([key, entry]) => {
      const old = before.entries.get(key)
      return old === undefined || isSame(old.loaded, entry.loaded) ? [] : [entry]
    })
  }
}

/** Files may be written anew, with comments or line ends of another kind, and mean the same. */
function isSame(a: Loaded, b: Loaded): boolean {
  if ('spec' in a) return 'spec' in b && a.spec.id === b.spec.id
  return 'pem' in b && a.pem === b.pem
}

function load({ kind, files }: Wanted, known: Loaded | undefined): Promise<Loaded> {
  if (kind === 'identity') return loadIdentity(files, known !== undefined && 'spec' in known ? known : undefined)
  const pem = known !== undefined && 'pem' in known ? known : undefined
  return kind === 'authorities' ? loadAuthorities(files.cert, pem) : loadRevocations(files.cert, pem)
}
