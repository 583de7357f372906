// The routes of one host pattern by path: exact ones in a map, named parts and prefixes in a trie, the rest in lists.
import type { RouteQuestion } from './conditions.ts'
import type { LinearRegex } from './linear-regex.ts'
import { pathShape } from './path-pattern.ts'

/** One path of one route. */
export interface Entry {
  readonly route: number
  readonly tests: readonly ((question: RouteQuestion) => boolean)[] | null
  readonly regex: LinearRegex | null
  /** Segments before the `*` of a prefix; -1 = it is none. */
  readonly prefixLength: number
  /** The named parts, or null. */
  readonly parts: PartNames | null
  /** The next in rank at the same place. */
  next: Entry | null
}

/** Named parts and where they stand; makes the objects that hold their values, all of one shape. */
export interface PartNames {
  readonly segments: readonly number[]
  readonly names: readonly string[]
}

/** A route as it is put into tables. */
export interface Candidate {
  readonly route: number
  readonly tests: Entry['tests']
  readonly regex: LinearRegex | null
}

class TrieNode {
  /** The only literal segment below, until there is a second one. */
  key = ''
  child: TrieNode | null = null
  children: Map<string, TrieNode> | null = null
  part: TrieNode | null = null
  /** Of patterns that end here. */
  whole: Entry | null = null
  /** Of prefixes whose `*` follows. */
  below: Entry | null = null

  /** The child for `path[start..end)`, or null. */
  literal(path: string, start: number, end: number): TrieNode | null {
    if (this.children !== null) return this.children.get(path.slice(start, end)) ?? null
    const { key, child } = this
    return child !== null && key.length === end - start && path.startsWith(key, start) ? child : null
  }

  /** The child for a segment (null = a named part), made where there is none. */
  add(segment: string | null): TrieNode {
    if (segment === null) return (this.part ??= new TrieNode())
    if (this.children === null) {
      if (this.child === null) {
        this.key = segment
        return (this.child = new TrieNode())
      }
      if (this.key === segment) return this.child
      this.children = new Map([[this.key, this.child]])
      this.child = null
    }
    let child = this.children.get(segment)
    if (child === undefined) this.children.set(segment, (child = new TrieNode()))
    return child
  }
}

/** What a walk through a trie has visited, level by level; kept between walks, so that none makes garbage. */
export class Walk {
  readonly visited: TrieNode[] = []
  readonly levelStarts: number[] = []
}

export class PathTable {
  #exact: Map<string, Entry> | null = null
  #trie: TrieNode | null = null
  #regexes: Entry | null = null
  #any: Entry | null = null

  /** Puts a route before all that are at the same place already: routes come in reverse order of rank. */
  add(candidate: Candidate, pattern: string): void {
    const { kind, segments, parts } = pathShape(pattern)
    const names = parts.length === 0 ? null : partNames(parts)
    const make = (next: Entry | null): Entry => {
      return { ...candidate, prefixLength: kind === 'prefix' ? segments.length : -1, parts: names, next }
    }
    if (kind === 'any') {
      if (candidate.regex === null) this.#any = make(this.#any)
      else this.#regexes = make(this.#regexes)
    } else if (kind === 'exact') {
      this.#exact ??= new Map()
      this.#exact.set(pattern, make(this.#exact.get(pattern) ?? null))
    } else {
      let node = (this.#trie ??= new TrieNode())
      for (const segment of segments) node = node.add(segment)
      if (kind === 'parts') node.whole = make(node.whole)
      else node.below = make(node.below)
    }
  }

  /** The first route, by rank, that takes the request; null = none. */
  match(question: RouteQuestion, path: string, walk: Walk): Entry | null {
    let found: Entry | null = null
    if (this.#exact !== null) found = firstOf(this.#exact.get(path) ?? null, question, path)
    if (found === null && this.#trie !== null) found = matchTrie(this.#trie, question, path, walk)
    if (found === null && this.#regexes !== null) found = firstOf(this.#regexes, question, path)
    return found ?? firstOf(this.#any, question, path)
  }
}

function firstOf(first: Entry | null, question: RouteQuestion, path: string): Entry | null {
  for (let entry = first; entry !== null; entry = entry.next) {
    if (entry.tests === null && entry.regex === null) return entry
    if (entry.regex !== null && !entry.regex.matches(path)) continue
    if (holds(entry, question)) return entry
  }
  return null
}

function holds({ tests }: Entry, question: RouteQuestion): boolean {
  if (tests === null) return true
  for (let index = 0; index < tests.length; index++) {
    if (!tests[index]!(question)) return false
  }
  return true
}

/**
 * Walks level by level; within a level, literal segments come before parts, from the left. So the patterns that end
 * with the path come in order of rank in the last level, and the prefixes from the last level to the first.
 */
function matchTrie(root: TrieNode, question: RouteQuestion, path: string, walk: Walk): Entry | null {
  if (path.charCodeAt(0) !== 0x2f /* / */) return null
  const { visited, levelStarts } = walk
  let levels = 0
  let count = 1
  visited[0] = root
  let from = 0
  let isWhole = false
  for (let start = 1; ; ) {
    let end = path.indexOf('/', start)
    if (end < 0) end = path.length
    const to = count
    for (let index = from; index < to; index++) {
      const node = visited[index]!
      const literal = node.literal(path, start, end)
      if (literal !== null) visited[count++] = literal
      // An empty segment is nothing that could have a name.
      if (node.part !== null && end > start) visited[count++] = node.part
    }
    if (count === to) break
    levelStarts[levels++] = to
    from = to
    isWhole = end === path.length
    if (isWhole) break
    start = end + 1
  }
  const found = isWhole ? firstWhole(walk, levelStarts[levels - 1]!, count, question, path) : null
  return found ?? firstBelow(walk, levels, count, question, path)
}

function firstWhole(walk: Walk, from: number, to: number, question: RouteQuestion, path: string): Entry | null {
  for (let index = from; index < to; index++) {
    const { whole } = walk.visited[index]!
    const found = whole === null ? null : firstOf(whole, question, path)
    if (found !== null) return found
  }
  return null
}

function firstBelow(walk: Walk, levels: number, count: number, question: RouteQuestion, path: string): Entry | null {
  let to = count
  for (let level = levels - 1; level >= 0; level--) {
    const from = walk.levelStarts[level]!
    for (let index = from; index < to; index++) {
      const { below } = walk.visited[index]!
      const found = below === null ? null : firstOf(below, question, path)
      if (found !== null) return found
    }
    to = from
  }
  return null
}

function partNames(parts: readonly { readonly name: string; readonly segment: number }[]): PartNames {
  return { names: parts.map(({ name }) => name), segments: parts.map(({ segment }) => segment) }
}
