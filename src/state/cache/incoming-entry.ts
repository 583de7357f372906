// What is known of an answer whose body is coming in: decoded from the flight's own chunk, which stays while this lane waits.
import type { CacheThread } from './cache-thread.ts'
import { DecodedEntry } from './stored-entry.ts'
import type { BodyReading, Incoming } from './types.ts'

export class IncomingEntry implements Incoming {
  readonly status: number
  readonly flags: number
  readonly responseTime: number
  readonly initialAge: number
  readonly lifetime: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly url: string
  readonly selector: string
  readonly tags: string
  readonly head: string
  readonly body: BodyReading

  constructor(thread: CacheThread, ref: number, body: BodyReading) {
    const entry = new DecodedEntry(thread, thread.shardAt(ref), { ref, serial: 0, urlHash: 0 })
    entry.decode()
    this.status = entry.status
    this.flags = entry.flags
    this.responseTime = entry.responseTime
    this.initialAge = entry.initialAge
    this.lifetime = entry.lifetime
    this.staleWhileRevalidate = entry.staleWhileRevalidate
    this.staleIfError = entry.staleIfError
    this.url = entry.url
    this.selector = entry.selector
    this.tags = entry.tags
    this.head = entry.head
    this.body = body
  }
}
