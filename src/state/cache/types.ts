// What the store of cached answers knows of an entry, and what it lets others do. Texts are latin1 strings, one character
// for each byte. All times are milliseconds since the epoch by `CacheStore.now()`.

/** Numbers of an entry; what `flags` mean is the policy's. */
export interface EntryFacts {
  readonly status: number
  readonly flags: number
  /** When the answer came (RFC 9111 §4.2.3 response_time). */
  readonly responseTime: number
  /** corrected_initial_age, ms. */
  readonly initialAge: number
  /** freshness_lifetime, ms. */
  readonly lifetime: number
  /** RFC 5861, ms after it became stale. */
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/** Texts of an entry. The store reads `url` and `tags` (purging), the others are only kept. */
export interface EntryTexts {
  /** `scheme://host/path?query`, normalised: what purging goes by. */
  readonly url: string
  /** Which requests for the URL it answers: partition, Vary names and values, coding. */
  readonly selector: string
  /** Separated by one space each; '' = none. */
  readonly tags: string
  /** Its field lines, with CRLF each. */
  readonly head: string
}

/** A complete entry as one thread read it. The same object while nothing of it has changed. */
export interface StoredEntry extends EntryFacts, EntryTexts {
  readonly bodyLength: number
  /** Marked stale by a soft purge. */
  readonly isMarkedStale: boolean
  /** For whoever uses the store: what was made of it, kept as long as the object is. */
  derived: unknown
  /** Whole body as latin1 text where it is at most SMALL_BODY bytes; kept with the object. Throws RangeError for longer ones. Null = the entry has gone meanwhile. */
  text(): string | null
  /** Takes hold of the body: its memory stays what it is until `release`. Null = the entry has gone meanwhile. */
  open(): BodyReading | null
}

/** Up to here a body is handed out as a string. */
export const SMALL_BODY = 16 * 1024

/** A body in memory, being read: of a complete entry, or of one that is still coming in. */
export interface BodyReading {
  /** -1 = not known yet (its end has not come). */
  readonly length: number
  /**
   * `filling`: more will come; `complete`; `failed`: no more will come, and what is there is no whole body; `lost`: this
   * reader was too slow for an answer that is too long to be kept.
   */
  readonly state: 'filling' | 'complete' | 'failed' | 'lost'
  /**
   * Some bytes from `at` on, at most 64 KiB; null = none are there (now, or any more: see `state`). Nobody changes them before
   * `release`, also not the next `read`: they are the body where it lies, or a copy where it may be too long to be kept. Moves this reader on to `at`: what is before it may be forgotten where it is too long to be kept.
   */
  read(at: number): Buffer | null
  /** Calls once, never from within this call, when there is more, or `state` has changed. Only while `filling`. */
  whenMore(call: () => void): void
  /** To be called once, whatever happened. A `whenMore` under way is forgotten. */
  release(): void
}

/** What came of asking to be the one that fetches. */
export type Turn = Lead | Follow | Alone

/** Go on by yourself: a marker says that answers here are for one client each, or there is no room. Nobody waits for you. May still `CacheStore.put`. */
export interface Alone {
  readonly kind: 'alone'
}

/** This request is the one that asks; others with the same key wait for what it says. Exactly one of put, open, end must be called in the end. */
export interface Lead {
  readonly kind: 'lead'
  /** Somebody waits for it, in this thread or another. */
  readonly isAwaited: boolean
  /** The whole answer at once: stored, and everybody that waits looks again. Null = there was no room, or it was purged meanwhile (then everybody asks for himself). */
  put(facts: EntryFacts, texts: EntryTexts, body: BodyParts): StoredEntry | null
  /** The head has come; the body follows. `length` -1 = not known. Null = no room: as `end('alone')`. */
  open(facts: EntryFacts, texts: EntryTexts, length: number): Writing | null
  /**
   * Ends without an entry of its own. `again`: what is stored has changed (validated), look again. `retry`: nothing came of it
   * for reasons of its own (its client left): one of the others leads. `alone`: everybody asks for himself, and for `markMs` (up to a minute)
   * nobody waits here any more.
   */
  end(outcome: 'again' | 'retry' | 'alone', markMs?: number): void
}

/** A body on its way into the store. */
export interface Writing {
  /** For the client of whoever fetches: reads what has been written. */
  reader(): BodyReading
  /** The entry as others see it who stream. */
  readonly facts: EntryFacts
  readonly texts: EntryTexts
  /** Copies `bytes[start..end)`. False = no memory could be had: the same as `fail`. */
  write(bytes: Uint8Array, start: number, end: number): boolean
  /** False = readers of an answer that is too long to be kept are all behind: stop reading until `whenRoom`. */
  readonly hasRoom: boolean
  whenRoom(call: () => void): void
  /** Nobody reads it, and it will not be kept. */
  readonly isUseless: boolean
  /** Somebody reads it as it comes, or waits for more, in whatever thread. */
  readonly isRead: boolean
  /** The body was complete: it can be found from now on. Null = it was too long, or purged meanwhile. */
  end(): StoredEntry | null
  /** It broke off: readers see `failed`. */
  fail(): void
}

/** Somebody else asks already. */
export interface Follow {
  readonly kind: 'follow'
  /**
   * Calls once, never from within this call, when it is known: a body to be read as it comes; `again` = look again; `retry` =
   * ask for a turn again; `alone`.
   */
  when(call: (outcome: Incoming | 'again' | 'retry' | 'alone') => void): void
  /** Not interested any more. */
  cancel(): void
}

/** An answer that is coming in. Its `url` and `selector` are to be compared: nothing else says that it is the right one. */
export interface Incoming extends EntryFacts, EntryTexts {
  readonly body: BodyReading
}

/** Runs of one or several buffers, or latin1 text. */
export type BodyParts =
  | string
  | { readonly bytes: Uint8Array; readonly ranges: readonly number[]; readonly total: number }

/** Totals over all threads. */
export interface CacheTotals {
  /** Size of the memory. */
  readonly memory: number
  /** Of it in use, metadata and index included. */
  readonly used: number
  readonly entries: number
  /** Bytes of heads and bodies alone. */
  readonly payload: number
  readonly stored: number
  readonly evicted: number
  readonly purged: number
  /** Answers on their way in. */
  readonly filling: number
}

/** An entry in a list for people. */
export interface ListedEntry extends EntryFacts {
  readonly url: string
  readonly selector: string
  readonly tags: string
  readonly bodyLength: number
  readonly hits: number
  readonly isMarkedStale: boolean
}

/** What is purged. */
export type PurgeWhat =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'all' }

/** What one part of a purge came to. */
export interface PurgedPart {
  readonly purged: number
  /** Where to go on; -1 = that was all. */
  readonly next: number
}

/** One thread's way into the store (class CacheStore in cache-store.ts). */
export interface CacheStoreApi {
  now(): number
  readonly maxObject: number
  /** All complete entries of a URL, the youngest first; the same array while nothing has changed. */
  variants(url: string): readonly StoredEntry[]
  /** It was used: for eviction and counts. */
  hit(entry: StoredEntry): void
  /** `key`: URL and everything known to tell requests for it apart. */
  turn(url: string, key: string): Turn
  /** Moves on with every purge, whatever it means. */
  readonly purges: number
  /**
   * Stores without having led. `since`: of `purges`, when the answer was asked for; after a purge that came in between nothing is
   * stored. Null = it was not.
   */
  put(facts: EntryFacts, texts: EntryTexts, body: BodyParts, since?: number): StoredEntry | null
  /** Replaces facts and head of an entry (RFC 9111 §3.2), if it is still there; its body stays. */
  refresh(entry: StoredEntry, facts: EntryFacts, head: string): StoredEntry | null
  /** Takes one entry out. */
  remove(entry: StoredEntry): void
  /** In force for all threads when it returns (of a URL: a little later if its part of the memory cannot be had); answers on their way in that are meant are not kept. Returns how many entries. `soft`: marked stale instead. */
  purge(what: PurgeWhat, soft: boolean): number
  /**
   * The same a part at a time, from 0 on until `next` is -1: then it is in force. Where `next` is `from` again, other things are
   * to be done first. For the main thread, as `list`. @throws Error if that lasts two seconds.
   */
  purgePart(what: PurgeWhat, soft: boolean, from: number): PurgedPart
  totals(): CacheTotals
  /**
   * Entries from the place `from` (0 = the first) on, lock by lock, until the callback says false, or `most` buckets have been
   * looked at (default all), of which there is about one for each entry that there is room for. Returns the place to go on at;
   * -1 = that were all. For the main thread, which has other things to do in between.
   */
  list(each: (entry: ListedEntry) => boolean, from?: number, most?: number): number
  /** A worker has died: everything that it held is given back. For the main thread. */
  reclaim(lane: number): void
}
