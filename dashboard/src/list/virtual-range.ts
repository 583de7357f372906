// Which rows of a long list have to be drawn: those in sight, and some above and below them.

/** Where each row begins; the last entry is the height of all. */
export function offsetsOf(heights: readonly number[]): Float64Array {
  const offsets = new Float64Array(heights.length + 1)
  for (let i = 0; i < heights.length; i++) offsets[i + 1] = offsets[i]! + heights[i]!
  return offsets
}

/** Index of the row at that height; the first or last one beyond the ends. */
export function rowAt(offsets: Float64Array, y: number): number {
  let low = 0
  let high = Math.max(0, offsets.length - 2)
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (offsets[middle]! <= y) low = middle
    else high = middle - 1
  }
  return low
}

export interface Range {
  readonly from: number
  /** Not part of it. */
  readonly to: number
}

/** Rows between `top` and `top + height`, and as many more on both sides as fit into `beyond` pixels. */
export function visibleRange(offsets: Float64Array, top: number, height: number, beyond: number): Range {
  const count = offsets.length - 1
  if (count <= 0) return { from: 0, to: 0 }
  return { from: rowAt(offsets, top - beyond), to: Math.min(count, rowAt(offsets, top + height + beyond) + 1) }
}
