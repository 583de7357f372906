// Latency buckets: fixed bounds, the same everywhere, so that lanes of all workers can be summed cell by cell.

const steps = [1, 1.5, 2.5, 3.5, 5, 7.5]

/** Upper bounds in microseconds, inclusive (Prometheus `le`): six a decade, from 50 µs to 75 s. */
export const boundsUs: readonly number[] = Object.freeze(
  [10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap((decade) => steps.map((step) => step * decade)).filter((us) => us >= 50),
)

/** Cells a histogram needs: one per bound, and one for what is above the last. */
export const bucketCount: number = boundsUs.length + 1

/** Bounds shown in /metrics, in seconds. Each is also one of `boundsUs`. */
export const exportBounds: readonly number[] = Object.freeze([
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50,
])

const bounds = Float64Array.from([...boundsUs, Number.POSITIVE_INFINITY])

// First bucket that can hold a number of so many bits: at most three comparisons are left from there.
const firstByBits = Uint8Array.from({ length: 33 }, (_, bits) => {
  const smallest = bits === 0 ? 0 : 2 ** (bits - 1)
  return bounds.findIndex((bound) => smallest <= bound)
})

/** The bucket of a duration in microseconds; negative counts as 0. */
export function bucketIndex(us: number): number {
  const whole = us < 0x7fffffff ? Math.max(0, Math.ceil(us)) : 0x7fffffff
  let index = firstByBits[32 - Math.clz32(whole)]!
  while (whole > bounds[index]!) index++
  return index
}

/**
 * The duration (µs) below which the share `q` (0–1) of the observations lies, interpolated inside its bucket.
 * 0 without observations; what is above the last bound counts as the last bound.
 */
export function quantile(counts: ArrayLike<number>, q: number): number {
  let total = 0
  for (let i = 0; i < bucketCount; i++) total += counts[i] ?? 0
  if (total === 0) return 0
  const rank = Math.min(1, Math.max(0, q)) * total
  let below = 0
  for (let i = 0; i < boundsUs.length; i++) {
    const here = counts[i] ?? 0
    if (here > 0 && below + here >= rank) {
      const lower = i === 0 ? 0 : boundsUs[i - 1]!
      return lower + (boundsUs[i]! - lower) * ((rank - below) / here)
    }
    below += here
  }
  return boundsUs[boundsUs.length - 1]!
}

/** Cumulative counts for `exportBounds`, in their order; the total (`+Inf`) is not among them. */
export function cumulative(counts: ArrayLike<number>): number[] {
  const out: number[] = []
  let sum = 0
  let i = 0
  for (const seconds of exportBounds) {
    const us = Math.round(seconds * 1e6)
    for (; i < boundsUs.length && boundsUs[i]! <= us; i++) sum += counts[i] ?? 0
    out.push(sum)
  }
  return out
}
