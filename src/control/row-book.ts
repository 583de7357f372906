// Who has which row of shared memory, over configurations: what keeps its name keeps its row.

export class RowBook {
  readonly #rows = new Map<string, number>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /**
   * A row for each name. Names that are gone keep theirs for their return until the room is needed.
   * @throws RangeError when there are more names than rows.
   */
  assign(names: readonly string[]): ReadonlyMap<string, number> {
    if (names.length > this.#capacity) throw new RangeError(`${names.length} names for ${this.#capacity} rows`)
    const known = new Set(names)
    const fresh = names.filter((name) => !this.#rows.has(name))
    if (this.#rows.size + fresh.length > this.#capacity) {
      for (const name of this.#rows.keys()) if (!known.has(name)) this.#rows.delete(name)
    }
    const taken = new Set(this.#rows.values())
    let row = 0
    for (const name of fresh) {
      while (taken.has(row)) row++
      taken.add(row)
      this.#rows.set(name, row)
    }
    return new Map(names.map((name) => [name, this.#rows.get(name)!]))
  }
}
