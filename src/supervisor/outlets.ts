// What leaves the process besides traffic: lines of the access log, and spans. Both follow the snapshot that is in force.
import { isDeepStrictEqual } from 'node:util'
import type { Prepared } from '../control/port.ts'
import type { Log } from '../core/log.ts'
import type { Snapshot, TracingSpec } from '../core/spec.ts'
import type { SpanBatch, SpanCounts } from '../observe/tracing/tracer.ts'
import { AccessSink } from './access-sink.ts'
import { SpanExporter } from './span-exporter.ts'

export interface OutletsOptions {
  readonly version: string
  readonly log: Log
}

type Observed = Pick<Snapshot, 'accessLog' | 'tracing' | 'instanceId'>

/** Where lines go: null = stdout, undefined = nowhere. */
const placeOf = ({ accessLog }: Observed): string | null | undefined =>
  accessLog === null ? undefined : accessLog.file

export class Outlets {
  readonly #o: OutletsOptions
  readonly #sink: AccessSink
  #tracing: TracingSpec | null = null
  #exporter: SpanExporter | null = null
  /** Of another endpoint than now: what they still have is on its way. */
  readonly #leaving = new Set<Promise<void>>()
  #before = { exported: 0, dropped: 0 }

  constructor(options: OutletsOptions) {
    this.#o = options
    const onProblem = (message: string): void => options.log.event('error', 'access_log_failed', message)
    this.#sink = new AccessSink({ path: undefined, onProblem })
  }

  /** Before the workers go by it: what they send from then on finds its place. */
  open(snapshot: Observed): void {
    const place = placeOf(snapshot)
    if (place !== undefined) this.#sink.update(place)
    if (snapshot.tracing?.export != null) this.#export(snapshot)
  }

  /** When the workers go by it: nothing comes any more for what it does not have. */
  settle(snapshot: Observed): void {
    this.#sink.update(placeOf(snapshot))
    if (snapshot.tracing?.export == null) this.#leave()
  }

  /** The same change, with these steps before and after it. */
  around(prepared: Prepared, snapshot: Observed): Prepared {
    return {
      commit: async () => {
        this.open(snapshot)
        await prepared.commit()
        this.settle(snapshot)
      },
      abandon: () => prepared.abandon(),
    }
  }

  access(lines: string): void {
    this.#sink.write(lines)
  }

  spans(batch: SpanBatch): void {
    this.#exporter?.add(batch)
  }

  /** Since the start, over all endpoints. */
  get spanCounts(): SpanCounts {
    const now = this.#exporter?.counts ?? { exported: 0, dropped: 0, waiting: 0 }
    const { exported, dropped } = this.#before
    return { exported: exported + now.exported, dropped: dropped + now.dropped, waiting: now.waiting }
  }

  /** After a rotation of the access log. */
  reopen(): void {
    this.#sink.reopen()
  }

  /** Resolves when what was written is in its file, and spans are at their collector, or a short time is over. */
  async close(): Promise<void> {
    this.#leave()
    await Promise.all([this.#sink.close(), ...this.#leaving])
  }

  #export({ tracing, instanceId }: Observed): void {
    if (this.#exporter !== null && isDeepStrictEqual(this.#tracing, tracing)) return
    this.#leave()
    const { export: to, resource } = tracing!
    this.#tracing = tracing
    this.#exporter = new SpanExporter({ to: to!, resource, instanceId, ...this.#o })
  }

  #leave(): void {
    const exporter = this.#exporter
    if (exporter === null) return
    this.#exporter = null
    this.#tracing = null
    const left = exporter.close().then(() => {
      const { exported, dropped } = exporter.counts
      this.#before = { exported: this.#before.exported + exported, dropped: this.#before.dropped + dropped }
      this.#leaving.delete(left)
    })
    this.#leaving.add(left)
  }
}
