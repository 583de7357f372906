// Entries of a cache for tests of the disk tier, with bodies that show whether they are whole and whose they are.

import type { DiskTier } from '../../src/disk/types.ts'
import type { BodyReading, EntryFacts, EntryTexts, StoredEntry } from '../../src/state/cache/types.ts'
import { SMALL_BODY } from '../../src/state/cache/types.ts'
import { deferred } from './wait.ts'

export interface PatternedEntry extends Partial<EntryFacts>, Partial<EntryTexts> {
  readonly url: string
  readonly bodyLength?: number
  /** Tells bodies of the same URL apart. */
  readonly version?: number
}

/** A body that only this URL, version and length have. */
export function patternedBody(url: string, version: number, length: number): Buffer {
  const unit = Buffer.from(`${url} v${version} ${length} bytes;`)
  return Buffer.alloc(length, unit)
}

/** An entry as the memory of the cache has them. `hasGone`: it is no longer there when its body is asked for. */
export function storedEntry(o: PatternedEntry, hasGone: () => boolean = () => false): StoredEntry {
  const { url, version = 0, bodyLength = 100, ...rest } = o
  const body = patternedBody(url, version, bodyLength)
  return {
    status: 200,
    flags: 1,
    responseTime: Date.now(),
    initialAge: 0,
    lifetime: 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    selector: 'route a',
    tags: '',
    head: `Content-Type: text/plain\r\nX-Version: ${version}\r\n`,
    ...rest,
    url,
    bodyLength,
    isMarkedStale: false,
    derived: null,
    text() {
      if (bodyLength > SMALL_BODY) throw new RangeError('too long')
      return hasGone() ? null : body.latin1Slice()
    },
    open: () => (hasGone() ? null : readingOf(body)),
  }
}

function readingOf(body: Buffer): BodyReading {
  return {
    length: body.length,
    state: 'complete',
    read: (at) => (at < body.length ? body.subarray(at, at + 65_536) : null),
    whenMore() {},
    release() {},
  }
}

export interface Fetched {
  readonly facts: EntryFacts
  readonly texts: EntryTexts
  readonly body: Buffer
}

/** What the disk has of a URL. */
export async function fetched(tier: DiskTier, url: string): Promise<Fetched[]> {
  const found: Fetched[] = []
  const done = deferred()
  const take = (facts: EntryFacts, texts: EntryTexts, body: Uint8Array): null => {
    found.push({ facts, texts, body: Buffer.from(body) })
    return null
  }
  tier.fetch(url, take, done.resolve, () => undefined)
  await done.promise
  return found
}

/** Fails unless it is whole, and what its URL and the version in its head say. Returns the version. */
export function versionOf({ texts, body }: Fetched): number {
  const version = Number(/^X-Version: (\d+)\r$/m.exec(texts.head)?.[1])
  if (!patternedBody(texts.url, version, body.length).equals(body)) throw new Error(`the body of ${texts.url} is torn`)
  return version
}
