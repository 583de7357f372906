// Who has which row of shared memory, over configurations: what keeps its name keeps its row.

export interface RowBookOptions {
  /** Whether a row whose name has gone may be given away now; default: it may. */
  readonly mayReuse?: (row: number) => boolean
  /** It is about to be. */
  readonly onReuse?: (row: number) => void
}

export class RowBook {
  /** Names that are gone longest first. */
  readonly #rows = new Map<string, number>()
  readonly #capacity: number
  readonly #o: RowBookOptions
  /** Null = not known yet: nothing is given away. */
  #inForce: ReadonlySet<string> | null = null

  constructor(capacity: number, options: RowBookOptions = {}) {
    this.#capacity = capacity
    this.#o = options
  }

  /** These are used by what runs now: their rows are not given away, whatever is asked for next. */
  keep(names: Iterable<string>): void {
    this.#inForce = new Set(names)
    for (const name of this.#inForce) this.#refresh(name)
  }

  /**
   * A row for each name. Names that are gone keep theirs for their return until the room is needed.
   * @throws RangeError when there are more names than rows; then nobody has lost any.
   */
  assign(names: readonly string[]): ReadonlyMap<string, number> {
    const fresh = names.filter((name) => !this.#rows.has(name))
    for (const name of names) this.#refresh(name)
    const rows = this.#freeRows(fresh.length, new Set(names))
    if (rows.length < fresh.length) throw new RangeError(`${names.length} names for ${this.#capacity} rows`)
    for (const [i, name] of fresh.entries()) this.#take(name, rows[i]!)
    return new Map(names.map((name) => [name, this.#rows.get(name)!]))
  }

  /** As many rows as are asked for, if there are so many: never used ones first, then those of names gone longest. */
  #freeRows(count: number, wanted: ReadonlySet<string>): number[] {
    const taken = new Set(this.#rows.values())
    const rows: number[] = []
    for (let row = 0; row < this.#capacity && rows.length < count; row++) if (!taken.has(row)) rows.push(row)
    for (const [name, row] of this.#rows) {
      if (rows.length >= count || this.#inForce === null) break
      if (wanted.has(name) || this.#inForce.has(name) || !(this.#o.mayReuse?.(row) ?? true)) continue
      rows.push(row)
    }
    return rows
  }

  #take(name: string, row: number): void {
    for (const [before, of] of this.#rows) {
      if (of !== row) continue
      this.#rows.delete(before)
      this.#o.onReuse?.(row)
    }
    this.#rows.set(name, row)
  }

  #refresh(name: string): void {
    const row = this.#rows.get(name)
    if (row === undefined) return
    this.#rows.delete(name)
    this.#rows.set(name, row)
  }
}
