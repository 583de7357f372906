// The whole run: traffic, changes in a row, and what is left of them.
import { setTimeout as wait } from 'node:timers/promises'
import { changes } from './changes.ts'
import type { Document, Footprint, Stage } from './stage.ts'
import type { TrafficReport } from './traffic.ts'

export interface RunOptions {
  readonly changes: number
  readonly perSecond: number
  /** From the start of the traffic to the first measure. */
  readonly warmUpMs: number
  readonly onChange?: (n: number, name: string, tookMs: number) => void
}

export interface RunReport {
  readonly traffic: TrafficReport
  /** Milliseconds of each change, by its name. */
  readonly took: ReadonlyMap<string, readonly number[]>
  readonly before: Measure
  readonly after: Measure
}

/** What there is, and what it takes. */
export interface Measure {
  readonly footprint: Footprint
  /** In use once garbage is collected. */
  readonly heapBytes: number
  readonly listeners: readonly string[]
  readonly pools: readonly string[]
  readonly backends: readonly string[]
  readonly metrics: number
}

/** Makes the changes one after another, from the first to the last kind and again. */
export async function run(stage: Stage, o: RunOptions): Promise<RunReport> {
  await stage.startTraffic({ perSecond: o.perSecond, connections: 64, webSockets: 50, tcpSockets: 20 })
  // Code that has run, and buffers that are in use, are there for good.
  const kinds = changes.length
  await wait(o.warmUpMs)
  for (let n = 0; n < kinds; n++) await changes[n]!.make(stage, n)
  const before = await settled(stage)
  const took = new Map<string, number[]>()
  for (let n = kinds; n < kinds + o.changes; n++) {
    const { name, make } = changes[n % kinds]!
    const startedMs = performance.now()
    await make(stage, n).catch((error: Error) => {
      throw new Error(`change ${n}, ${name}: ${error.message}`, { cause: error })
    })
    const tookMs = performance.now() - startedMs
    took.set(name, [...(took.get(name) ?? []), tookMs])
    o.onChange?.(n, name, tookMs)
  }
  const after = await settled(stage)
  return { traffic: await stage.endTraffic(), took, before, after }
}

/** When what has left has drained, and the least of some looks at the memory: garbage comes and goes. */
async function settled(stage: Stage): Promise<Measure> {
  const looks: Footprint[] = []
  const heapBytes = await stage.heapBytes()
  for (let i = 0; i < 10; i++) {
    await wait(100)
    looks.push(stage.footprint())
  }
  const names = async (path: string, key: string): Promise<string[]> =>
    ((await stage.call('GET', path)).body as Document[]).map((one) => `${one.pool ?? ''} ${one[key]}`.trim()).sort()
  return {
    heapBytes,
    footprint: looks.reduce((least, one) => (one.rssBytes < least.rssBytes ? one : least)),
    listeners: await names('/listeners', 'name'),
    pools: await names('/pools', 'name'),
    backends: await names('/backends', 'url'),
    metrics: (await stage.metrics()).split('\n').length,
  }
}
