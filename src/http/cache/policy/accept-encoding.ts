// Accept-Encoding in one way of writing, so that what clients mean alike is alike (RFC 9110 §12.5.3, RFC 9111 §4.1).
import { findField, trimmed } from '../../../util/field-block.ts'
import { unsliced } from '../../../util/unsliced.ts'

const NAME = 'accept-encoding'
/** In the order in which equal ones are written. */
const CODINGS = ['zstd', 'br', 'gzip'] as const
const MEMBER = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[\t ]*;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/

/** Clients send a handful of different values; this many are remembered, if they are no longer. */
const MAX_KNOWN = 256
const MAX_KNOWN_LENGTH = 256
const known = new Map<string, Normal>()

/** A value as it is written here. */
interface Normal {
  readonly text: string
  /** With the `:` of a line in a selector. */
  readonly selecting: string
}

/**
 * The codings among zstd, br, gzip that a client takes and that it likes no less than the plain form, those it likes most
 * first, `identity` where there is none; '' where the field is not there. It is what backends are to be sent, too: then none
 * answers in a coding that is not named here. Some 30 different values can come out.
 */
export function normalisedAcceptEncoding(lookup: string): string {
  return normalOf(lookup)?.text ?? ''
}

/** The same as it stands in selectors (see `selectingValue`). */
export function selectingAcceptEncoding(lookup: string): string {
  return normalOf(lookup)?.selecting ?? ''
}

function normalOf(lookup: string): Normal | null {
  const at = findField(lookup, NAME)
  if (at < 0) return null
  const end = lookup.indexOf('\r', at)
  const value = trimmed(lookup, at + NAME.length + 1, end)
  const next = findField(lookup, NAME, end + 2)
  return next < 0 ? normalise(value) : normalise(`${value},${restOf(lookup, next)}`)
}

function restOf(lookup: string, from: number): string {
  const values: string[] = []
  for (let at = from; at >= 0; ) {
    const end = lookup.indexOf('\r', at)
    values.push(trimmed(lookup, at + NAME.length + 1, end))
    at = findField(lookup, NAME, end + 2)
  }
  return values.join(',')
}

function normalise(value: string): Normal {
  const before = known.get(value)
  if (before !== undefined) return before
  const text = written(weightsOf(value))
  const normal = { text, selecting: `:${text}` }
  if (value.length > MAX_KNOWN_LENGTH) return normal
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(unsliced(value), normal)
  return normal
}

/** By coding, the first of each that can be read. */
function weightsOf(value: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const member of value.toLowerCase().split(',')) {
    const match = MEMBER.exec(member.trim())
    if (match === null) continue
    const name = match[1] === 'x-gzip' ? 'gzip' : match[1]!
    if (!weights.has(name)) weights.set(name, match[2] === undefined ? 1 : Number(match[2]))
  }
  return weights
}

function written(weights: ReadonlyMap<string, number>): string {
  const others = weights.get('*')
  // Not named, it is taken, but whatever is named is liked better.
  const plain = weights.get('identity') ?? (others === 0 ? 0 : 0.0005)
  const taken: { name: string; weight: number }[] = []
  for (const name of CODINGS) {
    // Whoever writes `*` without gzip can seldom do more than that.
    const isMeant = name === 'gzip' || weights.has('gzip')
    const weight = weights.get(name) ?? (isMeant ? (others ?? 0) : 0)
    if (weight > 0 && weight >= plain) taken.push({ name, weight })
  }
  const levels = [...new Set(taken.map(({ weight }) => weight))].sort((a, b) => b - a)
  const members = levels.flatMap((level, rank) =>
    taken.filter(({ weight }) => weight === level).map(({ name }) => name + RANKS[rank]!),
  )
  if (plain === 0) members.push('identity;q=0')
  return members.length === 0 ? 'identity' : members.join(', ')
}

/** How much the first, second and third are liked: their order is all that counts. */
const RANKS = ['', ';q=0.8', ';q=0.6'] as const
