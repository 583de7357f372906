// A process that writes to a disk tier with two threads until it is killed: argument 1 is the folder. Each line that it prints is
// `URL version`: of that URL nothing older than this version may ever be found again, as it was purged.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { silentLog } from '../../src/core/log.ts'
import { attachDisk } from '../../src/disk/attach-disk.ts'
import { openDisk } from '../../src/disk/open-disk.ts'
import { storedEntry } from './disk-entries.ts'

export const writerUrls = Array.from({ length: 60 }, (_, i) => `http://a.example/${i}`)
export const writerBytes = 16 * 1024 ** 2

/** For each thread of a writer. */
export interface WriterInput {
  readonly shared: SharedArrayBuffer
  readonly lane: number
  /** The next version is drawn from the first cell; the others, one for each lane, have what is being kept at least, or 0. */
  readonly versions: SharedArrayBuffer
  readonly firstVersion: number
}

/** The file itself, to be run. */
export const writerFile = fileURLToPath(import.meta.url)

async function write({ shared, lane, versions, firstVersion }: WriterInput): Promise<void> {
  const tier = attachDisk({ shared, lane, now: Date.now })
  const drawn = new Int32Array(versions)
  Atomics.add(drawn, 0, 1)
  for (let i = lane * 7; ; i++) {
    const url = writerUrls[i % writerUrls.length]!
    Atomics.store(drawn, lane + 1, Atomics.load(drawn, 0))
    const version = firstVersion + Atomics.add(drawn, 0, 1)
    tier.keep(storedEntry({ url, version, bodyLength: (version * 977) % 40_000, tags: `t${i % 5}` }))
    Atomics.store(drawn, lane + 1, 0)
    if (i % 50 === 0) parentPort!.postMessage('kept')
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function run(path: string, firstVersion: number): Promise<void> {
  const disk = await openDisk({ path, size: writerBytes, lanes: 2, log: silentLog, now: Date.now }, { tickMs: 5 })
  const versions = new SharedArrayBuffer(12)
  const drawn = new Int32Array(versions)
  const start = (lane: number): Worker =>
    new Worker(writerFile, { workerData: { shared: disk.shared, lane, versions, firstVersion } satisfies WriterInput })
  await Promise.all([0, 1].map((lane) => once(start(lane), 'message')))
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const url = writerUrls[(i * 13) % writerUrls.length]!
    const next = Atomics.load(drawn, 0)
    const underWay = [1, 2].map((cell) => Atomics.load(drawn, cell)).filter((version) => version > 0)
    const version = firstVersion + Math.min(next, ...underWay)
    await disk.tier.purge({ kind: 'url', url }, false)
    process.stdout.write(`${url} ${version}\n`)
  }
}

if (!isMainThread && (workerData as Partial<WriterInput> | null)?.versions !== undefined) void write(workerData)
else if (isMainThread && process.argv[1] === writerFile) void run(process.argv[2]!, Number(process.argv[3]))
