// What is thrown out of the cache: as the API takes it, and in words.

export type PurgeKind = 'url' | 'prefix' | 'tag' | 'all'

export interface Purge {
  readonly kind: PurgeKind
  /** URL, prefix or tags; '' for `all`. */
  readonly text: string
  /** Marked stale, not thrown away. */
  readonly soft: boolean
}

/** Body of `POST /cache/purge`. */
export interface PurgeBody {
  readonly url?: string
  readonly prefix?: string
  readonly tag?: string | readonly string[]
  readonly all?: true
  readonly soft?: true
}

export function bodyOf({ kind, text, soft }: Purge): PurgeBody {
  const more = soft ? { soft } : {}
  const given = text.trim()
  if (kind === 'all') return { all: true, ...more }
  if (kind !== 'tag') return { [kind]: given, ...more }
  const tags = given.split(/[\s,]+/).filter((tag) => tag !== '')
  return { tag: tags.length === 1 ? tags[0]! : tags, ...more }
}

/** It may be much more than somebody has in mind: asked a second time. */
export const isWide = ({ kind }: Purge): boolean => kind === 'all' || kind === 'prefix'

/** What is meant: `all entries whose URL begins with http://a/`. */
export function meantWords({ kind, text }: Purge): string {
  const given = text.trim()
  if (kind === 'all') return 'everything in the cache'
  if (kind === 'prefix') return `everything whose URL begins with ${given}`
  return kind === 'tag' ? `everything with the tag ${given.split(/[\s,]+/).join(' or ')}` : given
}

/** What was done. */
export function purgedWords(purge: Purge, count: number): string {
  const words = meantWords(purge)
  if (count === 0) return `Nothing was in the cache for: ${words}.`
  const entries = `${count.toLocaleString('en-US')} ${count === 1 ? 'entry' : 'entries'}`
  return `${entries} ${purge.soft ? 'marked stale' : 'purged'}: ${words}.`
}
