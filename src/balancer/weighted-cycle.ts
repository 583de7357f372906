// Lays out the order in which weighted backends take turns, once per snapshot, so that a turn is one look-up.

/** Up to so many steps nginx's own walk is run; beyond, turns are spaced evenly, which costs a sort instead. */
const maxWalkSteps = 1 << 20
const minLengthBound = 1 << 16
const turnsPerBackend = 16
/** An index fits below the position in the 53 bits of a sort key. */
const indexRange = 2 ** 20

/**
 * A cycle of indices in which each occurs in proportion to its weight (whole numbers; 0 = never), smoothly mixed:
 * 5,1,1 gives a a b a c a a, as nginx. Weights are divided by their gcd; a cycle that would still be longer than
 * max(65,536, 16 × backends) is shortened by rounding, every backend keeping at least one turn.
 */
export function weightedCycle(weights: ArrayLike<number>): Int32Array {
  const turns = reduce(weights)
  const length = sum(turns)
  const backends = turns.reduce((n, t) => (t > 0 ? n + 1 : n), 0)
  if (length === backends) return Int32Array.from(turns.keys()).filter((index) => turns[index] === 1)
  return turns.length * length <= maxWalkSteps ? walk(turns, length) : space(turns, length)
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

function reduce(weights: ArrayLike<number>): Float64Array {
  const turns = Float64Array.from(weights)
  const bound = Math.max(minLengthBound, turnsPerBackend * turns.length)
  divideByGcd(turns)
  const total = sum(turns)
  if (total <= bound) return turns
  for (let i = 0; i < turns.length; i++)
    if (turns[i]! > 0) turns[i] = Math.max(1, Math.round((turns[i]! * bound) / total))
  divideByGcd(turns)
  return turns
}

function divideByGcd(values: Float64Array): void {
  let divisor = 0
  for (let i = 0; i < values.length && divisor !== 1; i++) divisor = gcd(divisor, values[i]!)
  if (divisor > 1) for (let i = 0; i < values.length; i++) values[i]! /= divisor
}

/** Greatest common divisor of whole numbers ≥ 0. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** nginx's smooth weighted round robin (ngx_http_upstream_get_peer), run for one cycle. */
function walk(turns: Float64Array, length: number): Int32Array {
  const current = new Float64Array(turns.length)
  const cycle = new Int32Array(length)
  for (let step = 0; step < length; step++) {
    let best = -1
    for (let i = 0; i < turns.length; i++) {
      if (turns[i] === 0) continue
      current[i]! += turns[i]!
      if (best < 0 || current[i]! > current[best]!) best = i
    }
    current[best]! -= length
    cycle[step] = best
  }
  return cycle
}

/** Stride order: the k-th turn of a backend stands at (k + ½) / its turns. */
function space(turns: Float64Array, length: number): Int32Array {
  const keys = new Float64Array(length)
  let at = 0
  for (let i = 0; i < turns.length; i++)
    for (let k = 0; k < turns[i]!; k++) keys[at++] = Math.floor(((k + 0.5) / turns[i]!) * 2 ** 32) * indexRange + i
  keys.sort()
  return Int32Array.from(keys, (key) => key % indexRange)
}
