// Stored answers compressed once: when one is complete, each coding that its route offers is made of it in the thread pool and
// kept beside it. Until then answers are compressed on their way as those of backends are; and a form that is missed when an
// answer is served (it was evicted, or too many waited) is made then.
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
  const form = formIn(entry, store, verdict)
  if (form === null) want(entry, store, verdict)
  return form ?? entry
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
  for (const coding of codings) {
    const request = { fields: { lookup: `Accept-Encoding: ${coding}\r\n` } }
    const isWanted = compression.choose(request, answerOf(entry)) === coding && formIn(entry, store, coding) === null
    if (isWanted) want(entry, store, coding)
  }
}

interface Form {
  readonly entry: StoredEntry
  readonly store: CacheStoreApi
  readonly coding: Coding
}

/** In this thread. Of what comes beyond, the next client that takes it asks again. */
const MAX_WAITING = 64
const waiting: Form[] = []
/** One at a time: each holds a copy of a body, and clients wait for the same places in the thread pool. */
let isMaking = false

function want(entry: StoredEntry, store: CacheStoreApi, coding: Coding): void {
  const { codings } = preparedOf(entry)
  if (codings.includes(coding) || waiting.length === MAX_WAITING) return
  codings.push(coding)
  waiting.push({ entry, store, coding })
  makeNext()
}

function makeNext(): void {
  const form = isMaking ? undefined : waiting.shift()
  if (form === undefined) return
  isMaking = true
  takeTurn({ run: () => make(form) })
}

function make(form: Form): void {
  const { entry, coding } = form
  const body = wholeBody(entry)
  if (body === null) {
    isMade()
    return
  }
  compress(coding, body, (error, bytes) => {
    isMade()
    if (error === null && bytes.length < body.length) keep(form, bytes)
  })
}

function isMade(): void {
  isMaking = false
  giveTurn()
  makeNext()
}

function keep({ entry, store, coding }: Form, bytes: Buffer): void {
  // It may have changed, or gone, meanwhile.
  const current = store.variants(entry.url).find(({ selector }) => selector === entry.selector)
  if (current?.responseTime !== entry.responseTime) return
  const texts = {
    url: current.url,
    tags: current.tags,
    selector: codedSelector(current.selector, coding),
    head: codedFields(current.head, coding, 200),
  }
  const kept = store.put({ ...factsOf(current), flags: current.flags | flags.codedHere }, texts, {
    bytes,
    ranges: [0, bytes.length],
    total: bytes.length,
  })
  // If it is evicted, it is made again; one that is no shorter, or has no room, is not.
  const { codings } = preparedOf(entry)
  if (kept !== null) codings.splice(codings.indexOf(coding), 1)
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
