// Stored answers compressed once: when one is complete, each coding that its route offers is made of it in the thread pool and
// kept beside it. Until then, and where a form was evicted, answers are compressed on their way as those of backends are.
import type { CacheStoreApi, EntryFacts, StoredEntry } from '../../state/cache/types.ts'
import type { Coding } from '../compression/accept-encoding.ts'
import { codedFields } from '../compression/coded-fields.ts'
import type { Compression } from '../compression/compression.ts'
import { giveTurn, takeTurn } from '../compression/encoder-turns.ts'
import { compress } from '../compression/engines.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { flags } from './policy/flags.ts'
import { codedSelector } from './policy/vary.ts'
import { preparedOf } from './stored-answer.ts'

/** The form of `entry` that this client wants most, or `entry` itself: then it is compressed on its way, if at all. */
export function storedForm(
  entry: StoredEntry,
  store: CacheStoreApi,
  compression: Compression,
  request: RequestHead,
): StoredEntry {
  const verdict = compression.choose(request, answerOf(entry))
  if (verdict === null || verdict === 'identity') return entry
  return formIn(entry, store, verdict) ?? entry
}

function formIn(entry: StoredEntry, store: CacheStoreApi, coding: Coding): StoredEntry | null {
  const selector = codedSelector(entry.selector, coding)
  for (const other of store.variants(entry.url)) {
    if (other.selector === selector && other.responseTime === entry.responseTime && !other.isMarkedStale) return other
  }
  return null
}

const answerOf = ({ status, head, bodyLength }: StoredEntry) => ({ status, forward: head, contentLength: bodyLength })

/** Makes what is missing of a complete entry. Whatever fails is not kept, and nobody waits for it. */
export function keepCodedForms(
  entry: StoredEntry,
  store: CacheStoreApi,
  codings: readonly Coding[],
  compression: Compression,
): void {
  if (preparedOf(entry).selector.coding !== '') return
  const wanted = codings.filter((coding) => {
    const request = { fields: { lookup: `Accept-Encoding: ${coding}\r\n` } }
    return compression.choose(request, answerOf(entry)) === coding && formIn(entry, store, coding) === null
  })
  if (wanted.length === 0) return
  const body = wholeBody(entry)
  if (body === null) return
  for (const coding of wanted) takeTurn({ run: () => make(entry, store, coding, body) })
}

function make(entry: StoredEntry, store: CacheStoreApi, coding: Coding, body: Buffer): void {
  compress(coding, body, (error, bytes) => {
    giveTurn()
    if (error !== null || bytes.length >= body.length) return
    // It may have changed, or gone, meanwhile.
    const current = store.variants(entry.url).find(({ selector }) => selector === entry.selector)
    if (current?.responseTime !== entry.responseTime) return
    const { url, tags } = current
    const texts = {
      url,
      tags,
      selector: codedSelector(current.selector, coding),
      head: codedFields(current.head, coding, 200),
    }
    store.put({ ...factsOf(current), flags: current.flags | flags.codedHere }, texts, {
      bytes,
      ranges: [0, bytes.length],
      total: bytes.length,
    })
  })
}

const factsOf = (entry: StoredEntry): EntryFacts => ({
  status: entry.status,
  flags: entry.flags,
  responseTime: entry.responseTime,
  initialAge: entry.initialAge,
  lifetime: entry.lifetime,
  staleWhileRevalidate: entry.staleWhileRevalidate,
  staleIfError: entry.staleIfError,
})

/** A copy of its own: threads of the pool read it. */
function wholeBody(entry: StoredEntry): Buffer | null {
  const reading = entry.open()
  if (reading === null) return null
  const body = Buffer.allocUnsafeSlow(entry.bodyLength)
  let at = 0
  while (at < body.length) {
    const bytes = reading.read(at)
    if (bytes === null) break
    at += bytes.copy(body, at)
  }
  reading.release()
  return at === body.length ? body : null
}

/** Forms of an entry whose head was put right (RFC 9111 §3.2), by what it says now. `before`: its response time until then. */
export function refreshCodedForms(entry: StoredEntry, before: number, store: CacheStoreApi): void {
  for (const other of store.variants(entry.url)) {
    const { coding } = preparedOf(other).selector
    if (coding === '' || other.responseTime !== before || other.selector !== codedSelector(entry.selector, coding))
      continue
    store.refresh(
      other,
      { ...factsOf(entry), flags: entry.flags | flags.codedHere },
      codedFields(entry.head, coding as Coding, 200),
    )
  }
}
