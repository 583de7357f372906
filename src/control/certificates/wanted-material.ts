// Which files of certificates, keys, authorities and revocation lists a configuration names, and where.
import type { Config, KeyPairFiles } from '../../config/config.ts'

/** Where a configuration names a file. */
export interface Place {
  /** As messages about the configuration have it: `listeners[1].tls.certificates[0]`. */
  readonly path: string
  /** Neither listener nor pool: the admin API. */
  readonly listener: string | null
  readonly pool: string | null
  /** Which of several at that place. */
  readonly index: number
}

export type MaterialKind = 'identity' | 'authorities' | 'revocations'

export interface Wanted {
  readonly kind: MaterialKind
  /** Of an identity both names, of the others the same name twice. */
  readonly files: KeyPairFiles
  readonly places: readonly Place[]
}

/** The key that the same files have in every configuration. */
export const keyOf = (kind: MaterialKind, { cert, key }: KeyPairFiles): string => `${kind}\n${cert}\n${key}`

/** The parts of a configuration that name such files. */
export type NamesMaterial = Pick<Config, 'listeners' | 'pools'> & Partial<Pick<Config, 'admin'>>

/** Each once, in the order of the configuration; those of the admin API last. */
export function wantedMaterial(config: NamesMaterial): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  const want = (kind: MaterialKind, files: KeyPairFiles | null, place: Place): void => {
    if (files === null) return
    const key = keyOf(kind, files)
    const places = [...(wanted.get(key)?.places ?? []), place]
    wanted.set(key, { kind, files, places })
  }
  for (const [index, { name, tls }] of config.listeners.entries()) {
    const at = (path: string, i = 0): Place => ({
      path: `listeners[${index}].tls.${path}`,
      listener: name,
      pool: null,
      index: i,
    })
    for (const [i, pair] of (tls?.certificates ?? []).entries()) want('identity', pair, at(`certificates[${i}]`, i))
    want('authorities', twice(tls?.clientAuth?.ca), at('client_auth.ca'))
    want('revocations', twice(tls?.clientAuth?.crl), at('client_auth.crl'))
  }
  for (const [name, { tls }] of Object.entries(config.pools)) {
    const at = (path: string): Place => ({ path: `pools.${name}.tls.${path}`, listener: null, pool: name, index: 0 })
    want('identity', tls.identity, at('cert'))
    for (const file of tls.ca.files) want('authorities', twice(file), at('ca'))
  }
  const { tls: ofAdmin } = config.admin ?? { tls: null }
  const atAdmin = (path: string): Place => ({ path: `admin.tls.${path}`, listener: null, pool: null, index: 0 })
  want('identity', ofAdmin?.identity ?? null, atAdmin('cert'))
  want('authorities', twice(ofAdmin?.clientAuth?.ca), atAdmin('client_auth.ca'))
  return wanted
}

const twice = (file: string | null | undefined): KeyPairFiles | null =>
  file == null ? null : { cert: file, key: file }
