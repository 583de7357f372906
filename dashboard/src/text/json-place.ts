// Where a value stands in a JSON text: the API names what is wrong by its path, people look for lines.

/** Splits `pools.api.backends.0.url` and `pools.api.backends[0].url` alike. */
export function pathParts(path: string): string[] {
  return path
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((part) => part !== '' && part !== '$')
}

/** Offset of the value at that path, or of the deepest part of the path that is there; null where the text is no JSON. */
export function offsetOfPath(text: string, path: string): number | null {
  const reader = new PlaceReader(text)
  return reader.find(pathParts(path))
}

/** Its line, from 1. */
export function lineOfPath(text: string, path: string): number | null {
  const offset = offsetOfPath(text, path)
  return offset === null ? null : lineOfOffset(text, offset)
}

export function lineOfOffset(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** Offset of the first character of a line, from 1; of the end where the text has fewer. */
export function offsetOfLine(text: string, line: number): number {
  let at = 0
  for (let n = 1; n < line; n++) {
    const next = text.indexOf('\n', at)
    if (next < 0) return text.length
    at = next + 1
  }
  return at
}

/** Why a text is not JSON, and where: the engine's own words, with the line found from its offset. */
export function jsonProblem(text: string): { message: string; line: number | null } | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    const { message } = error as Error
    const line = /line (\d+)/.exec(message)?.[1]
    const position = /position (\d+)/.exec(message)?.[1]
    if (line !== undefined) return { message, line: Number(line) }
    if (position !== undefined) return { message, line: lineOfOffset(text, Number(position)) }
    return { message, line: /end of/i.test(message) ? lineOfOffset(text, text.length) : null }
  }
}

/** Walks over JSON without building it. */
class PlaceReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  find(path: readonly string[]): number | null {
    this.#space()
    if (this.#at >= this.#text.length) return null
    let found = this.#at
    for (const part of path) {
      const next = this.#enter(part)
      if (next === null) return found
      found = next
    }
    return found
  }

  /** Goes to the child of the value that begins here; null where there is none of that name. */
  #enter(part: string): number | null {
    const open = this.#text[this.#at]
    if (open !== '{' && open !== '[') return null
    this.#at++
    for (let index = 0; ; index++) {
      this.#space()
      const c = this.#text[this.#at]
      if (c === undefined || c === '}' || c === ']') return null
      const place = this.#at
      let name = String(index)
      if (open === '{') {
        name = this.#string()
        this.#space()
        if (this.#text[this.#at] !== ':') return null
        this.#at++
        this.#space()
      }
      // A key's place is what people look for; the walk goes on at its value.
      if (name === part) return place
      this.#skip()
      this.#space()
      if (this.#text[this.#at] !== ',') return null
      this.#at++
    }
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++
  }

  #string(): string {
    const from = this.#at++
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1
    this.#at++
    try {
      return String(JSON.parse(this.#text.slice(from, this.#at)))
    } catch {
      return ''
    }
  }

  /** Over the value that begins here. */
  #skip(): void {
    let depth = 0
    do {
      const c = this.#text[this.#at]
      if (c === undefined) return
      if (c === '"') {
        this.#string()
        continue
      }
      if (c === '{' || c === '[') depth++
      else if (c === '}' || c === ']') {
        if (depth === 0) return
        depth--
      } else if (c === ',' && depth === 0) return
      this.#at++
    } while (depth > 0 || !',]}'.includes(this.#text[this.#at] ?? ','))
  }
}
