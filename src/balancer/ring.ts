// A consistent-hash ring: every backend owns points in proportion to its weight; a key belongs to the next point.
import { hash64, mix32 } from '../util/hash32.ts'

const pointsPerWeight = 160
const maxPoints = 2 ** 18
/** An index fits below the 32 bits of a point in the 53 bits of a sort key. */
const indexRange = 2 ** 20

/** What stands on the ring: identity (the same name has the same points everywhere) and weight (0 = nothing). */
export interface RingMember {
  readonly name: string
  readonly weight: number
}

export class Ring {
  private readonly points: Uint32Array
  private readonly owners: Int32Array
  /** For the upper bits of a hash: the first point that may be at or after it. */
  private readonly starts: Uint32Array
  private readonly shift: number

  private constructor(points: Uint32Array, owners: Int32Array) {
    this.points = points
    this.owners = owners
    const bits = Math.max(1, Math.ceil(Math.log2(points.length + 1)))
    this.shift = 32 - bits
    this.starts = new Uint32Array(2 ** bits)
    for (let bucket = 0, at = 0; bucket < this.starts.length; bucket++) {
      while (at < points.length && points[at]! >>> this.shift < bucket) at++
      this.starts[bucket] = at
    }
  }

  /**
   * 160 points for a weight of 1; halved for all as often as it takes to stay within 262,144 points altogether, so
   * that a member's remaining points never move. Removing a member moves only the keys that it had.
   */
  static build(members: readonly RingMember[]): Ring {
    const perWeight = pointsForOne(members)
    const counts = members.map(({ weight }) => pointsOf(weight, perWeight))
    const keys = new Float64Array(counts.reduce((a, b) => a + b, 0))
    let at = 0
    members.forEach(({ name }, index) => {
      const [hi, lo] = hash64(name)
      for (let k = 0; k < counts[index]!; k++)
        keys[at++] = mix32(mix32((hi + Math.imul(k, 0x9e3779b1)) | 0) ^ lo) * indexRange + index
    })
    keys.sort()
    const points = new Uint32Array(keys.length)
    const owners = new Int32Array(keys.length)
    for (let i = 0; i < keys.length; i++) {
      points[i] = Math.floor(keys[i]! / indexRange)
      owners[i] = keys[i]! - points[i]! * indexRange
    }
    return new Ring(points, owners)
  }

  get length(): number {
    return this.points.length
  }

  /** The ring with the points of some members only. `keep` has a 1 for each that stays. */
  filter(keep: Uint8Array): Ring {
    const points = new Uint32Array(this.points.length)
    const owners = new Int32Array(this.points.length)
    let length = 0
    for (let i = 0; i < this.points.length; i++) {
      const owner = this.owners[i]!
      if (keep[owner] !== 1) continue
      points[length] = this.points[i]!
      owners[length++] = owner
    }
    return new Ring(points.subarray(0, length), owners.subarray(0, length))
  }

  /** Position of the first point at or after a key's hash (u32). Only on a ring that has points. */
  find(hash: number): number {
    const spread = mix32(hash)
    let at = this.starts[spread >>> this.shift]!
    while (at < this.points.length && this.points[at]! < spread) at++
    return at === this.points.length ? 0 : at
  }

  /** The member that owns the point at a position, counted round. */
  owner(position: number): number {
    return this.owners[position < this.owners.length ? position : position % this.owners.length]!
  }
}

function pointsOf(weight: number, perWeight: number): number {
  return weight > 0 ? Math.max(1, Math.round(weight * perWeight)) : 0
}

function pointsForOne(members: readonly RingMember[]): number {
  let perWeight = pointsPerWeight
  const total = (): number => members.reduce((n, { weight }) => n + pointsOf(weight, perWeight), 0)
  // Ends: below half a point for the heaviest, every member has the one point that it always keeps.
  while (total() > Math.max(maxPoints, members.length)) perWeight /= 2
  return perWeight
}
