// What was purged, for people.
import type { PurgeCache } from './cache.ts'

/** `http://example.com/a`, `everything that begins with …`. */
export function purgeWords({ url, prefix, tag }: PurgeCache): string {
  if (url !== undefined) return url
  if (prefix !== undefined) return `everything whose URL begins with ${prefix}`
  if (tag === undefined) return 'everything'
  if (typeof tag === 'string') return `everything with the tag ${tag}`
  const named = tag.slice(0, 5).join(', ')
  return `everything with a tag of ${tag.length > 5 ? `${named} and ${tag.length - 5} more` : named}`
}
