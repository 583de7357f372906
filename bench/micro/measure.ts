// What a micro-benchmark is, and how it is measured: warm up, then the best of several rounds.

export interface Benchmark {
  readonly name: string
  /** Does the operation so many times; nothing else, so that the loop is all that is added. */
  run(times: number): void
  /** Operations in a round; by default as many as take about 50 ms. */
  readonly times?: number
}

export interface Measured {
  readonly name: string
  /** Nanoseconds per operation: the best round, and the middle one. */
  readonly bestNs: number
  readonly medianNs: number
}

const rounds = 7
const roundMs = 50

const elapsedMs = (benchmark: Benchmark, times: number): number => {
  const start = performance.now()
  benchmark.run(times)
  return performance.now() - start
}

/** Finds how many operations fill a round; that also warms the code up. */
function timesOf(benchmark: Benchmark): number {
  if (benchmark.times !== undefined) return benchmark.times
  let times = 1
  while (times < 1e9) {
    const ms = elapsedMs(benchmark, times)
    if (ms >= roundMs) return times
    times = Math.ceil(times * Math.min(10, Math.max(1.5, (roundMs * 1.2) / Math.max(ms, 0.001))))
  }
  return times
}

/** Runs one benchmark. */
export function measure(benchmark: Benchmark): Measured {
  const times = timesOf(benchmark)
  const ns = Array.from({ length: rounds }, () => (elapsedMs(benchmark, times) * 1e6) / times).sort((a, b) => a - b)
  return { name: benchmark.name, bestNs: ns[0]!, medianNs: ns[rounds >> 1]! }
}
