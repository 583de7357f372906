// What the parts of the store share within one thread.
import { CacheMemory } from './cache-memory.ts'
import { DecodedUrls } from './decoded-urls.ts'
import { headerNumbers } from './geometry.ts'
import { LocalFlights } from './local-flights.ts'
import { Pins } from './pins.ts'
import { Shard } from './shard.ts'
import { TextHash } from './text-hash.ts'

export class CacheThread {
  readonly memory: CacheMemory
  readonly shards: readonly Shard[]
  readonly hash: TextHash
  readonly pins: Pins
  readonly decoded: DecodedUrls
  readonly flights: LocalFlights
  private readonly shardCount: number
  private readonly skew: number
  /** The bucket that was looked at last, and its version then. */
  private lookedCell = 0
  private lookedVersion = 0
  private lastUrl = ''
  private lastHash: number
  private lastSelector = ''
  private selectorHash: number

  /** `isOnlyLooking`: nothing is kept, and the lane stays whoever's it is. */
  constructor(buffer: SharedArrayBuffer, lane: number, { isOnlyLooking = false } = {}) {
    this.memory = new CacheMemory(buffer, lane)
    this.hash = new TextHash(this.memory.seed)
    this.pins = new Pins(this.memory)
    this.decoded = new DecodedUrls(this.memory)
    if (!isOnlyLooking) this.decoded.begin()
    this.shardCount = this.memory.geometry.shards
    this.shards = Array.from({ length: this.shardCount }, (_, number) => new Shard(this.memory, number))
    this.flights = new LocalFlights(this)
    this.skew = headerNumbers.skew
    this.lastHash = this.hash.of('')
    this.selectorHash = this.lastHash
  }

  now(): number {
    return Date.now() + this.memory.numbers[this.skew]!
  }

  /** Hash of a URL. The last one is remembered: it is asked for several times for one request. */
  hashOf(url: string): number {
    if (url === this.lastUrl) return this.lastHash
    this.lastUrl = url
    return (this.lastHash = this.hash.of(url))
  }

  /** Hash of URL and selector. Most entries of a route have the same selector: the last one is remembered. */
  keyHashOf(urlHash: number, selector: string): number {
    if (selector !== this.lastSelector) {
      this.lastSelector = selector
      this.selectorHash = this.hash.of(selector)
    }
    return this.hash.join(urlHash, this.selectorHash)
  }

  shardOf(urlHash: number): Shard {
    return this.shards[((urlHash >>> 16) * this.shardCount) >>> 16]!
  }

  looked(versionCell: number, version: number): void {
    this.lookedCell = versionCell
    this.lookedVersion = version
  }

  /** Whether a bucket has changed since this thread looked there, as far as that is still known. */
  hasChanged(versionCell: number): boolean {
    return this.lookedCell === versionCell && this.memory.cells[versionCell] !== this.lookedVersion
  }

  /** The shard that a place belongs to. */
  shardAt(ref: number): Shard {
    return this.shards.find((shard) => shard.holds(ref))!
  }
}
