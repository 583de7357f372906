// Which content coding a client wants most of those that are offered. RFC 9110 §12.5.3.

export type Coding = 'zstd' | 'br' | 'gzip'

/** `coding` with an optional weight: at most three decimals, never above 1. */
const MEMBER = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[\t ]*;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/

/**
 * The offered coding of the highest weight, of equal ones the first; null = the answer stays as it is. `accepted`: all
 * values of Accept-Encoding, in one list. A client without that field gets no coding: those that write none rarely
 * read one, though §12.5.3 would allow it.
 */
export function chooseCoding(accepted: string, offered: readonly Coding[]): Coding | null {
  if (accepted === '') return null
  const weights = weightsOf(accepted)
  const anyOther = weights.get('*') ?? 0
  // Whoever writes `*` alone can seldom do more than gzip.
  const othersAreGzip = offered.includes('gzip') && !weights.has('gzip')
  let best: Coding | null = null
  let bestWeight = weights.get('identity') ?? 0
  for (const coding of offered) {
    const weight = weights.get(coding) ?? (othersAreGzip && coding !== 'gzip' ? 0 : anyOther)
    if (weight > 0 && (best === null ? weight >= bestWeight : weight > bestWeight)) {
      best = coding
      bestWeight = weight
    }
  }
  return best
}

/** By coding, the first of each that can be read. */
function weightsOf(accepted: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const member of accepted.toLowerCase().split(',')) {
    const match = MEMBER.exec(member.trim())
    if (match === null) continue
    const name = match[1] === 'x-gzip' ? 'gzip' : match[1]!
    if (!weights.has(name)) weights.set(name, match[2] === undefined ? 1 : Number(match[2]))
  }
  return weights
}
