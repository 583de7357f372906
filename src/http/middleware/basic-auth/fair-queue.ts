// A short queue in which everybody has a turn: those waiting are served client by client, and when it is full whoever
// has most in it gives way. One client that floods it waits behind itself.

export class FairQueue<T> {
  readonly #max: number
  /** By client; the one whose turn is next comes first. No list is empty. */
  readonly #waiting = new Map<string, T[]>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** Puts it in, and returns what had to give way: something of the longest list, maybe this very item; null = nothing. */
  push(client: string, item: T): T | null {
    const own = this.#waiting.get(client)
    if (this.#size < this.#max) {
      this.#add(client, own, item)
      return null
    }
    const [longestOf, longest] = this.#longest()
    if (longest.length <= (own?.length ?? 0) + 1) return item
    const out = longest.pop() ?? null
    if (longest.length === 0) this.#waiting.delete(longestOf)
    this.#size--
    this.#add(client, own, item)
    return out
  }

  /** The next in turn. */
  shift(): T | undefined {
    for (const [client, items] of this.#waiting) {
      const item = items.shift()
      this.#waiting.delete(client)
      if (items.length > 0) this.#waiting.set(client, items)
      this.#size--
      return item
    }
    return undefined
  }

  #add(client: string, own: T[] | undefined, item: T): void {
    if (own === undefined) this.#waiting.set(client, [item])
    else own.push(item)
    this.#size++
  }

  #longest(): [string, T[]] {
    let found: [string, T[]] = ['', []]
    for (const entry of this.#waiting) if (entry[1].length > found[1].length) found = entry
    return found
  }
}
