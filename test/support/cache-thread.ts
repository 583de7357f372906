// A worker thread that uses the store of cached answers as hard as it can, or follows one flight many times over.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { CacheStore } from '../../src/state/cache/cache-store.ts'
import type { BodyReading, EntryFacts, Incoming, Lead, StoredEntry } from '../../src/state/cache/types.ts'
import { Random } from './random.ts'

export type CacheTask =
  /** Puts, leads, follows, reads, purges without end; tells when it reads what nobody has written. */
  | { readonly kind: 'storm'; readonly seed: number; readonly urls: number; readonly withPurges: boolean }
  /** So many turns for one key at once; whoever leads answers with `length` bytes in pieces, when told to. */
  | { readonly kind: 'follow'; readonly times: number; readonly length: number; readonly isLengthKnown: boolean }

export interface CacheThreadInput {
  readonly buffer: SharedArrayBuffer
  readonly lane: number
  readonly task: CacheTask
}

/** A thread, and what it says in the order in which it says it. */
export interface CacheThreadHandle {
  readonly worker: Worker
  readonly heard: string[]
  say(word: string): void
}

export async function startCacheThread(input: CacheThreadInput): Promise<CacheThreadHandle> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { cacheThread: input } })
  await once(worker, 'message')
  const heard: string[] = []
  worker.on('message', (word: string) => heard.push(word))
  worker.on('error', (error) => heard.push(`bad: ${String(error)}`))
  return { worker, heard, say: (word) => worker.postMessage(word) }
}

/** The body of an answer: everywhere in it stands whose it is. */
export function markedBody(url: string, version: number, length: number): string {
  const mark = `[${url} ${version}]`
  return mark.repeat(Math.ceil(length / mark.length)).slice(0, length)
}

export function markedFacts(version: number): EntryFacts {
  const never = { initialAge: 0, lifetime: 1000, staleWhileRevalidate: 0, staleIfError: 0 }
  return { status: 200, flags: version | 0, responseTime: version, ...never }
}

/** Whether an entry is what was once put for its URL, whole. Null = it has gone. */
export function isWhole(entry: StoredEntry): boolean | null {
  const reading = entry.open()
  if (reading === null) return null
  const text = textOf(reading)
  reading.release()
  const isBody = text === markedBody(entry.url, entry.flags, entry.bodyLength)
  return isBody && entry.responseTime === (entry.flags | 0) && entry.head === headOf(entry.url, entry.flags)
}

export function headOf(url: string, version: number): string {
  return `Link: ${url} ${version | 0}\r\n`.repeat(1 + (version % 9))
}

function textOf(reading: BodyReading): string {
  let text = ''
  for (let bytes = reading.read(0); bytes !== null; bytes = reading.read(text.length)) text += bytes.latin1Slice()
  return text
}

/** What a thread does in a storm, one of many things at a time. */
class Storm {
  private readonly store: CacheStore
  private readonly random: Random
  private readonly urls: number
  private readonly withPurges: boolean
  private readonly held: { reading: BodyReading; expected: string }[] = []
  private version = 0

  constructor(store: CacheStore, task: Extract<CacheTask, { kind: 'storm' }>) {
    this.store = store
    this.random = new Random(task.seed)
    this.version = task.seed % 1e6
    this.urls = task.urls
    this.withPurges = task.withPurges
  }

  step(): void {
    const { store, random } = this
    const url = `http://storm/${random.between(1, this.urls)}`
    const what = random.between(1, 100)
    if (what <= 40) this.look(url)
    else if (what <= 60) this.put(url, (facts, texts, body) => store.put(facts, texts, body))
    else if (what <= 88) this.turn(url)
    else if (what <= 92) for (const entry of store.variants(url)) this.refresh(entry)
    else if (what <= 95) this.hold(url)
    else if (what <= 98) this.letGo()
    else if (this.withPurges) this.purge(url)
  }

  private look(url: string): void {
    for (const entry of this.store.variants(url)) {
      if (entry.url !== url || isWhole(entry) === false)
        parentPort!.postMessage(`bad: ${url} ${entry.url} ${entry.flags}`)
      this.store.hit(entry)
    }
  }

  private put(
    url: string,
    put: (
      facts: EntryFacts,
      texts: { url: string; selector: string; tags: string; head: string },
      body: string,
    ) => void,
  ) {
    const version = ++this.version
    const { random } = this
    const length = random.between(0, 9) === 0 ? random.between(10_000, 300_000) : random.between(0, 4000)
    const texts = { url, selector: `${version & 1}`, tags: 'all', head: headOf(url, version) }
    put(markedFacts(version), texts, markedBody(url, version, length))
  }

  private turn(url: string): void {
    const turn = this.store.turn(url, url)
    if (turn.kind === 'follow') this.follow(url, turn)
    if (turn.kind === 'lead') this.lead(url, turn)
  }

  private follow(url: string, turn: Extract<ReturnType<CacheStore['turn']>, { kind: 'follow' }>): void {
    if (this.random.between(0, 3) === 0) turn.cancel()
    else
      turn.when((outcome) => {
        if (typeof outcome !== 'string') this.stream(url, outcome)
      })
  }

  private stream(url: string, incoming: Incoming): void {
    let text = ''
    const pump = (): void => {
      for (let bytes = incoming.body.read(text.length); bytes !== null; bytes = incoming.body.read(text.length))
        text += bytes.latin1Slice()
      if (incoming.body.state === 'filling') incoming.body.whenMore(pump)
      else {
        const isRight = incoming.url === url && text === markedBody(url, incoming.flags, text.length)
        if (!isRight) parentPort!.postMessage(`bad: streamed ${url} ${incoming.url} ${incoming.flags}`)
        incoming.body.release()
      }
    }
    pump()
  }

  private lead(url: string, turn: Lead): void {
    const how = this.random.between(0, 9)
    if (how < 3) this.put(url, (facts, texts, body) => turn.put(facts, texts, body))
    else if (how < 8) this.put(url, (facts, texts, body) => this.open(turn, facts, texts, body))
    else turn.end(how === 8 ? 'retry' : 'alone', how === 8 ? 0 : 1)
  }

  private open(
    turn: Lead,
    facts: EntryFacts,
    texts: { url: string; selector: string; tags: string; head: string },
    body: string,
  ) {
    const bytes = Buffer.from(body, 'latin1')
    const writing = turn.open(facts, texts, this.random.between(0, 1) === 0 ? -1 : bytes.length)
    if (writing === null) return
    let at = 0
    const write = (): void => {
      const end = Math.min(bytes.length, at + this.random.between(1, 100_000))
      if (!writing.write(bytes, at, end)) return
      at = end
      if (at < bytes.length) setImmediate(write)
      else if (this.random.between(0, 9) === 0) writing.fail()
      else writing.end()
    }
    write()
  }

  private refresh(entry: StoredEntry): void {
    this.store.refresh(entry, entry, entry.head)
  }

  private hold(url: string): void {
    const [entry] = this.store.variants(url)
    const reading = entry?.open()
    if (reading) this.held.push({ reading, expected: markedBody(url, entry!.flags, entry!.bodyLength) })
    if (this.held.length > 20) this.letGo()
  }

  private letGo(): void {
    const held = this.held.shift()
    if (held !== undefined && textOf(held.reading) !== held.expected)
      parentPort!.postMessage('bad: what was held has changed')
    held?.reading.release()
  }

  private purge(url: string): void {
    const how = this.random.between(0, 20)
    if (how === 0) this.store.purge({ kind: 'all' }, false)
    else if (how === 1) this.store.purge({ kind: 'prefix', prefix: url }, this.random.between(0, 1) === 0)
    else this.store.purge({ kind: 'url', url }, how < 10)
  }
}

const followedUrl = 'http://example.com/followed'

/**
 * Reports `turns L F A`; a lead that is told `write` writes the first half, and the rest when it is told again. Reports `half`
 * when all followers here have the first half, and `read N` when all have the whole body, N as it should be.
 */
function followMany(store: CacheStore, task: Extract<CacheTask, { kind: 'follow' }>): void {
  const expected = markedBody(followedUrl, 7, task.length)
  const counts = { lead: 0, follow: 0, alone: 0 }
  const half = Math.floor(task.length / 2)
  let right = 0
  let open = 0
  let reading = 0
  for (let i = 0; i < task.times; i++) {
    const turn = store.turn(followedUrl, 'key')
    counts[turn.kind]++
    if (turn.kind === 'lead') parentPort!.once('message', () => writeHalves(turn, expected, task))
    if (turn.kind !== 'follow') continue
    open++
    reading++
    turn.when((outcome) => {
      if (typeof outcome === 'string') parentPort!.postMessage(`bad: ${outcome}`)
      else
        readSlowly(outcome, (text, isWhole) => {
          if (!isWhole && text.length === half && --reading === 0) parentPort!.postMessage('half')
          if (!isWhole) return
          if (text === expected && outcome.url === followedUrl) right++
          if (--open === 0) parentPort!.postMessage(`read ${right}`)
        })
    })
  }
  parentPort!.postMessage(`turns ${counts.lead} ${counts.follow} ${counts.alone}`)
}

function writeHalves(turn: Lead, body: string, task: { length: number; isLengthKnown: boolean }): void {
  const bytes = Buffer.from(body, 'latin1')
  const texts = { url: followedUrl, selector: '', tags: '', head: headOf(followedUrl, 7) }
  const writing = turn.open(markedFacts(7), texts, task.isLengthKnown ? task.length : -1)
  const half = Math.floor(task.length / 2)
  let at = 0
  const write = (to: number): void => {
    const end = Math.min(to, at + 50_000)
    if (writing?.write(bytes, at, end) !== true) parentPort!.postMessage('bad: not written')
    at = end
    if (at < to) setImmediate(() => write(to))
    else if (at < task.length) parentPort!.once('message', () => write(task.length))
    else parentPort!.postMessage(writing?.end() ? 'stored' : 'bad: not stored')
  }
  write(half)
}

/** Tells whenever nothing more is there. */
function readSlowly(incoming: Incoming, tell: (text: string, isWhole: boolean) => void): void {
  let text = ''
  const pump = (): void => {
    const bytes = incoming.body.read(text.length)
    if (bytes !== null) {
      text += bytes.latin1Slice()
      setImmediate(pump)
    } else if (incoming.body.state === 'filling') {
      tell(text, false)
      incoming.body.whenMore(pump)
    } else {
      incoming.body.release()
      tell(text, true)
    }
  }
  pump()
}

function blow(storm: Storm): void {
  for (let i = 0; i < 200; i++) storm.step()
  setImmediate(() => blow(storm))
}

if (!isMainThread && workerData?.cacheThread !== undefined) {
  const { buffer, lane, task } = workerData.cacheThread as CacheThreadInput
  const store = new CacheStore(buffer, lane)
  // Waiting in shared memory keeps no thread alive.
  parentPort!.on('message', () => {})
  parentPort!.postMessage('ready')
  parentPort!.once('message', () => {
    if (task.kind === 'follow') followMany(store, task)
    else blow(new Storm(store, task))
  })
}
