// What is to be purged, read as the cache writes it: URLs in their normal form, by every key that some route has.
import { domainToASCII } from 'node:url'
import type { CacheKeySpec } from '../../core/cache-spec.ts'
import type { Snapshot } from '../../core/spec.ts'
import { originKey, targetKey } from '../../http/cache/policy/key.ts'
import { canonicalTarget, decodeUnreserved } from '../../routing/canonical-target.ts'
import type { PurgeWhat } from '../../state/cache/types.ts'
import { ControlError } from '../control-error.ts'
import type { PurgeCache } from './cache.ts'

const kinds = ['url', 'prefix', 'tag', 'all'] as const

/** What the store is asked to purge, one after the other. @throws ControlError invalid. */
export function purgeTargets(asked: PurgeCache, snapshot: Pick<Snapshot, 'routes'>): PurgeWhat[] {
  const given = kinds.filter((kind) => asked[kind] !== undefined)
  if (given.length !== 1) {
    const message = 'say what to purge: exactly one of "url", "prefix", "tag" and "all"'
    throw new ControlError('invalid', message, [{ path: '', message }])
  }
  const { url, prefix, tag } = asked
  for (const text of [url, prefix, ...(typeof tag === 'object' ? tag : [tag])]) {
    if (text !== undefined && typeof text !== 'string') refuse(given[0]!, 'is a text')
  }
  if (url !== undefined) return urlsOf(url, keysOf(snapshot)).map((each) => ({ kind: 'url', url: each }))
  if (prefix !== undefined) return prefixesOf(prefix).map((each) => ({ kind: 'prefix', prefix: each }))
  if (tag !== undefined) return tagsOf(tag).map((each) => ({ kind: 'tag', tag: each }))
  return [{ kind: 'all' }]
}

interface Parts {
  readonly schemes: readonly ('http' | 'https')[]
  /** With its port. */
  readonly authority: string
  /** Path and query; may be empty. */
  readonly rest: string
}

const ABSOLUTE = /^\s*(\*|https?):\/\/([^/?#]*)([^#]*)/i

function partsOf(text: string, path: 'url' | 'prefix'): Parts {
  const [, scheme = '', authority = '', rest = ''] = ABSOLUTE.exec(text) ?? []
  if (scheme === '' || (authority === '' && (path === 'url' || rest !== ''))) {
    refuse(path, `"${text}" does not begin as http://HOST, https://HOST or *://HOST`)
  }
  if (authority.includes('@')) refuse(path, `"${text}" has a user in it, which no stored URL has`)
  const known = scheme.toLowerCase()
  const schemes = known === '*' ? (['http', 'https'] as const) : [known as 'http' | 'https']
  return { schemes, authority: authority.trim(), rest: percentEncoded(rest) }
}

/** As browsers send what people write: blanks and all beyond ASCII in the bytes of UTF-8. */
function percentEncoded(rest: string): string {
  return rest.trimEnd().replace(/[^\x21-\x7e]+/g, (unusual) => encodeURIComponent(unusual.toWellFormed()))
}

/** A host beyond ASCII in the form in which clients send it; null = there is none. */
function asciiHost(authority: string): string | null {
  if (/^[\x21-\x7e]+$/.test(authority)) return authority
  const [, host = '', port = ''] = /^(.*?)(:[0-9]*)?$/s.exec(authority) ?? []
  const ascii = domainToASCII(host)
  return ascii === '' ? null : ascii + port
}

/** By every key that some route has, and as it stands: an entry may be older than what routes say now. */
function urlsOf(text: string, keys: readonly CacheKeySpec[]): string[] {
  const { schemes, authority, rest } = partsOf(text, 'url')
  const host = asciiHost(authority) ?? refuse('url', `"${authority}" is no host`)
  const target = canonicalTarget(rest === '' || rest.startsWith('?') ? `/${rest}` : rest)
  if (target === null) refuse('url', `"${text}" is no URL that a client could send`)
  const whole = target.path + target.query
  const targets = new Set([whole, ...keys.map((key) => targetKey(whole, key))])
  return schemes.flatMap((scheme) => [...targets].map((each) => originKey(scheme, host) + each))
}

/** In normal form as far as it goes: in the middle of a host or a port nobody knows what is to come. */
function prefixesOf(text: string): string[] {
  const { schemes, authority, rest } = partsOf(text, 'prefix')
  if (rest === '') return schemes.flatMap((scheme) => beginningsOf(scheme, authority, text))
  const host = asciiHost(authority) ?? refuse('prefix', `"${authority}" is no host`)
  const target = canonicalPrefix(rest) ?? refuse('prefix', `"${text}" begins no URL that a client could send`)
  return schemes.map((scheme) => originKey(scheme, host) + target)
}

function beginningsOf(scheme: string, authority: string, text: string): string[] {
  if (/[^\x21-\x7e]/.test(authority)) refuse('prefix', `"${text}": write the host to its end, and a / after it`)
  const asItStands = `${scheme}://${authority.toLowerCase()}`
  if (authority === '') return [asItStands]
  const whole = originKey(scheme, authority)
  return whole === asItStands ? [asItStands] : [asItStands, `${whole}/`]
}

/** Dots stay: `/a/.` is where `/a/.well-known` begins. Null = no path begins so. */
function canonicalPrefix(rest: string): string | null {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(rest) ?? []
  // It may end in the middle of a character.
  const [cut = ''] = /%[0-9A-Fa-f]?$/.exec(query === '' ? path : '') ?? []
  const whole = decodeUnreserved(path.slice(0, path.length - cut.length))
  return whole === null ? null : whole + cut.toUpperCase() + query
}

function tagsOf(tag: string | readonly string[]): string[] {
  const tags = typeof tag === 'string' ? [tag] : [...new Set(tag)]
  if (tags.length === 0) refuse('tag', 'names no tag')
  for (const each of tags)
    if (!/^[\x21-\x7e\x80-\xff]+$/.test(each)) refuse('tag', `"${each}" is no tag: it has spaces or is empty`)
  return tags
}

/** How routes read URLs, each way once; without any, as it stands. */
function keysOf({ routes }: Pick<Snapshot, 'routes'>): CacheKeySpec[] {
  const keys = new Map<string, CacheKeySpec>()
  for (const { cache } of routes) {
    if (cache === null) continue
    const { query, sortQuery } = cache.key
    keys.set(JSON.stringify([query, sortQuery]), cache.key)
  }
  return [...keys.values()]
}

function refuse(path: string, message: string): never {
  throw new ControlError('invalid', message, [{ path, message }])
}
