// Random interleavings of requests, purges, changes of the origin, failures and time against what the rules allow at all:
// never a stale answer that they forbid, never one client's private answer to another, never a mixed body, never too many bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheStoreApi } from '../../src/state/cache/types.ts'
import { type CacheStand, cacheStand, type Got } from '../support/cache-stand.ts'
import { Random } from '../support/random.ts'

const MEMORY = 2 * 1024 * 1024
const PATHS = ['/a', '/b?x=1', '/c;p', '/d%2Fe', '/f']
const LANGUAGES = ['de', 'fr']
const CLIENTS = 6

/** How the origin answers for a path now. */
interface Manner {
  readonly control: string
  /** What Cache-Control allows, in seconds; -1 = it must not be stored. */
  readonly lifetime: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly mayBeStale: boolean
  readonly isPrivate: boolean
  readonly varies: boolean
  readonly hasTag: boolean
  readonly size: number
  readonly fault: 'none' | 'error' | 'cut' | 'reset'
}

/** An answer that the origin gave. */
interface Issued {
  readonly path: string
  readonly at: number
  readonly client: string
  readonly language: string
  readonly manner: Manner
  readonly hasCredentials: boolean
}

function randomManner(random: Random): Manner {
  const base = {
    staleWhileRevalidate: 0,
    staleIfError: 0,
    mayBeStale: true,
    isPrivate: false,
    varies: random.chance(0.3),
    hasTag: random.chance(0.4),
    size: random.pick([10, 800, 20_000, 70_000, 200_000, 600_000]),
    fault: random.chance(0.85) ? ('none' as const) : random.pick(['error', 'cut', 'reset'] as const),
  }
  const seconds = random.pick([1, 10, 100])
  switch (random.below(8)) {
    case 0:
      return { ...base, control: 'no-store', lifetime: -1, isPrivate: true }
    case 1:
      return { ...base, control: `private, max-age=${seconds}`, lifetime: -1, isPrivate: true }
    case 2:
      return { ...base, control: `max-age=${seconds}, must-revalidate`, lifetime: seconds, mayBeStale: false }
    case 3:
      return { ...base, control: `s-maxage=${seconds}`, lifetime: seconds, mayBeStale: false }
    case 4:
      return { ...base, control: 'no-cache', lifetime: 0, mayBeStale: false }
    case 5:
      return {
        ...base,
        control: `max-age=${seconds}, stale-while-revalidate=20`,
        lifetime: seconds,
        staleWhileRevalidate: 20,
      }
    case 6:
      return { ...base, control: `max-age=${seconds}, stale-if-error=50`, lifetime: seconds, staleIfError: 50 }
    default:
      return { ...base, control: `max-age=${seconds}`, lifetime: seconds }
  }
}

class Model {
  readonly #stand: CacheStand
  readonly #store: CacheStoreApi
  readonly #random: Random
  readonly #manners = new Map<string, Manner>()
  readonly #issued: Issued[] = []
  /** By path: answers up to this number were purged, hard. */
  readonly #purged = new Map<string, number>()
  /** The same for those with the tag. */
  #purgedTag = 0

  constructor(stand: CacheStand, store: CacheStoreApi, random: Random) {
    this.#stand = stand
    this.#store = store
    this.#random = random
    for (const path of PATHS) this.#manners.set(path, randomManner(random))
    stand.answer((request, response) => {
      const path = request.url ?? ''
      const manner = this.#manners.get(path)!
      if (manner.fault === 'reset') {
        request.socket.destroy()
        return
      }
      if (manner.fault === 'error') {
        response.writeHead(503, { 'Cache-Control': 'no-store' })
        response.end('failed')
        return
      }
      const id = this.#issued.length
      const client = String(request.headers['x-client'])
      const language = String(request.headers['accept-language'] ?? '')
      const hasCredentials = request.headers.authorization !== undefined
      this.#issued.push({ path, at: this.#store.now(), client, language, manner, hasCredentials })
      response.writeHead(200, {
        'Cache-Control': manner.control,
        Date: new Date(this.#store.now()).toUTCString(),
        'X-Id': id,
        'Content-Length': manner.size,
        ...(manner.varies && { Vary: 'Accept-Language' }),
        ...(manner.hasTag && { 'Cache-Tag': 'tagged' }),
      })
      const body = bodyOf(id, manner.size)
      if (manner.fault === 'cut') {
        response.write(body.subarray(0, manner.size >> 1), () => response.destroy())
      } else response.end(body)
    })
  }

  async step(): Promise<void> {
    const random = this.#random
    const asks = Array.from({ length: 1 + random.below(8) }, () => this.#ask())
    const change = random.below(10)
    const before = this.#issued.length
    if (change === 0) this.#purgeSome(before)
    if (change <= 3) this.#manners.set(random.pick(PATHS), randomManner(random))
    await Promise.all(asks)
    const { used, memory } = this.#store.totals()
    assert.ok(used <= memory, `${used} bytes of ${memory}`)
  }

  #purgeSome(before: number): void {
    const random = this.#random
    const path = random.pick(PATHS)
    const host = this.#stand.proxy.url
    switch (random.below(4)) {
      case 0:
        this.#store.purge({ kind: 'all' }, false)
        for (const each of PATHS) this.#purged.set(each, before)
        return
      case 1:
        this.#store.purge({ kind: 'tag', tag: 'tagged' }, false)
        this.#purgedTag = before
        return
      case 2:
        this.#store.purge({ kind: 'url', url: host + path }, false)
        this.#purged.set(path, before)
        return
      default:
        this.#store.purge({ kind: 'prefix', prefix: `${host}${path.slice(0, 2)}` }, false)
        this.#purged.set(path, before)
    }
  }

  async #ask(): Promise<void> {
    const random = this.#random
    const path = random.pick(PATHS)
    const client = String(random.below(CLIENTS))
    const language = random.pick(LANGUAGES)
    const hasCredentials = random.chance(0.1)
    const headers = {
      'X-Client': client,
      'Accept-Language': language,
      ...(hasCredentials && { Authorization: `Basic ${client}` }),
      ...(random.chance(0.1) && { 'Cache-Control': 'no-cache' }),
      ...(random.chance(0.1) && { Range: 'bytes=2-6' }),
    }
    const purged = this.#purged.get(path) ?? 0
    const purgedTag = this.#purgedTag
    const asked = this.#issued.length
    const isReload = headers['Cache-Control'] !== undefined
    let got: Got
    try {
      got = await this.#stand.get(path, headers)
    } catch {
      // A body that was cut.
      return
    }
    if (got.status >= 500) return
    const id = Number(got.headers['x-id'])
    const issued = this.#issued[id]
    assert.ok(issued !== undefined, `no answer ${id}`)
    const words = `answer ${id} (${JSON.stringify(issued)}) to client ${client}, ${language}: ${got.cache}`
    assert.equal(issued.path, path, words)
    const whole = bodyOf(id, issued.manner.size)
    const wanted = got.status === 206 ? whole.subarray(2, 7) : whole
    assert.ok(got.body.equals(wanted), `a mixed body: ${words}`)
    if (issued.manner.varies) assert.equal(issued.language, language, words)
    // What was issued while this one waited is its own, or that of one who asked with it.
    const isOwn = id >= asked
    if (issued.manner.isPrivate) assert.ok(isOwn && issued.client === client, `private: ${words}`)
    if (
      issued.hasCredentials &&
      issued.manner.lifetime >= 0 &&
      !/s-maxage|must-revalidate/.test(issued.manner.control)
    ) {
      assert.equal(issued.client, client, `credentials: ${words}`)
    }
    if (isOwn) return
    assert.ok(id >= purged, `purged: ${words}`)
    if (issued.manner.hasTag) assert.ok(id >= purgedTag, `purged by tag: ${words}`)
    this.#checkAge(issued, isReload, got, words)
  }

  /** The clock stands still while requests are under way. */
  #checkAge(issued: Issued, isReload: boolean, got: Got, words: string): void {
    const { manner } = issued
    const stale = (this.#store.now() - issued.at) / 1000 - manner.lifetime
    const isStale = stale > 1
    const failed = / detail=| fwd-status=5/.test(got.cache)
    if (!isStale) {
      if (manner.lifetime === 0 || isReload) assert.ok(failed || /fwd=/.test(got.cache), `not validated: ${words}`)
      return
    }
    assert.ok(manner.mayBeStale, `stale: ${words}`)
    if (failed) return
    assert.ok(
      stale <= manner.staleWhileRevalidate + 1 && manner.staleWhileRevalidate > 0,
      `stale by ${stale}: ${words}`,
    )
  }
}

/** Every eight bytes say whose they are. */
function bodyOf(id: number, size: number): Buffer {
  return Buffer.alloc(size, `${String(id).padStart(7, '.')}|`)
}

for (const workers of [0, 2]) {
  test(`nothing that the rules forbid, in any interleaving (${workers} workers)`, async () => {
    const seed = Date.now() & 0xffff
    const random = new Random(seed)
    await using stand = await cacheStand(
      { stale_when_down: '5m' },
      { workers, config: { cache_store: { memory: `${MEMORY}B`, max_object: '500KB' } } },
    )
    const store = stand.cache
    const model = new Model(stand, store, random)
    try {
      for (let step = 0; step < 150; step++) {
        await model.step()
        if (random.chance(0.5)) stand.moveClock(random.pick([100, 900, 5000, 40_000]))
      }
    } catch (error) {
      throw new Error(`with seed ${seed}`, { cause: error })
    }
    assert.ok(stand.asked.length > 100 && store.totals().stored > 50, 'it was put to use')
  })
}
