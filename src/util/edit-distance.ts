// How far two words are apart, and which known word somebody probably meant.

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours, each counting 1. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

const plain = (word: string): string => word.toLowerCase().replace(/[-_\s]/g, '')

/**
 * The candidate nearest to `word`, or null if none is near enough to be worth asking about.
 * Case, '-' and '_' do not count, so that "healthCheckPath" finds "health_check_path".
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  const wanted = plain(word)
  if (wanted === '' || wanted.length > 64) return null
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
