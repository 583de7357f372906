// Paths as routes name them: `/exact`, `/prefix/*`, `/users/{id}`; as written, and taken apart for the router.
import { canonicalTarget } from './canonical-target.ts'
import { variables } from './template.ts'

export type PathKind = 'any' | 'exact' | 'parts' | 'prefix'

/** A pattern as it is compiled into `MatchSpec.paths`. */
export interface PathPattern {
  /** Canonical; `/*` for every path. */
  readonly pattern: string
  /** Names of its parts, from the left. */
  readonly parts: readonly string[]
  readonly kind: PathKind
}

/** A canonical pattern taken apart. */
export interface PathShape {
  readonly kind: PathKind
  /** Without the `*` of a prefix; null = a named part. */
  readonly segments: readonly (string | null)[]
  readonly parts: readonly { readonly name: string; readonly segment: number }[]
}

const PART_NAME = /^[A-Za-z][A-Za-z0-9_]*$/

/** Why a named part, or a named group of a `path_regex`, cannot be called that: the end of a sentence; null = it can. */
export function partNameProblem(name: string): string | null {
  if (!PART_NAME.test(name)) return 'must begin with a letter and go on with letters, digits or "_"'
  const isTaken = variables.some((variable) => variable.name === name)
  return isTaken ? `is taken: {${name}} has a meaning of its own` : null
}

/** Checks a pattern as it was written. Throws an `Error` whose message is a sentence with a hint. */
export function pathPattern(written: string): PathPattern {
  if (written === '*' || written === '/*') return { pattern: '/*', parts: [], kind: 'any' }
  if (!written.startsWith('/')) throw new Error(`a path begins with "/": write ${quoted(`/${written}`)}`)
  const pattern = canonicalPattern(written)
  const segments = pattern.slice(1).split('/')
  const isPrefix = segments.at(-1) === '*'
  const parts: string[] = []
  for (const segment of isPrefix ? segments.slice(0, -1) : segments) {
    const name = partOf(segment, pattern)
    if (name !== null && parts.includes(name)) throw new Error(`two parts are called ${quoted(`{${name}}`)}`)
    if (name !== null) parts.push(name)
  }
  return { pattern, parts, kind: isPrefix ? 'prefix' : parts.length > 0 ? 'parts' : 'exact' }
}

/** Takes a canonical pattern apart. */
export function pathShape(pattern: string): PathShape {
  if (pattern === '/*') return { kind: 'any', segments: [], parts: [] }
  const isPrefix = pattern.endsWith('/*')
  const segments = (isPrefix ? pattern.slice(0, -2) : pattern)
    .slice(1)
    .split('/')
    .map((segment) => (segment.startsWith('{') ? null : segment))
  const parts = pattern
    .slice(1)
    .split('/')
    .flatMap((segment, index) => (segment.startsWith('{') ? [{ name: segment.slice(1, -1), segment: index }] : []))
  return { kind: isPrefix ? 'prefix' : parts.length > 0 ? 'parts' : 'exact', segments, parts }
}

function canonicalPattern(written: string): string {
  if (/[?#]/.test(written))
    throw new Error(`a path ends before "?" and "#": match the query with "query", or write "%3F" or "%23"`)
  if (written.includes('\\')) throw new Error(`a path has no backslashes: write "/", or "%5C" for the character itself`)
  // What a client can send only encoded.
  const encoded = written.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text.toWellFormed()))
  const target = canonicalTarget(encoded)
  if (target === null) throw new Error(percentProblem(encoded))
  return target.path
}

function percentProblem(text: string): string {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0]
  return bad === undefined
    ? 'a path with encoded control characters is always refused, so that nothing could match it'
    : `${quoted(bad)} encodes nothing: a percent sign itself is written "%25"`
}

/** The name of a segment that is a part; null for a literal one. */
function partOf(segment: string, pattern: string): string | null {
  if (segment.includes('*')) throw new Error(starProblem(segment, pattern))
  if (!/[{}]/.test(segment)) return null
  const name = /^\{([^{}]*)\}$/.exec(segment)?.[1]
  if (name === undefined)
    throw new Error(`${quoted(segment)} must be a part like "{id}" as a whole, between slashes; or use "path_regex"`)
  const problem = partNameProblem(name)
  if (problem !== null) throw new Error(`the part ${quoted(segment)} ${problem}`)
  return name
}

function starProblem(segment: string, pattern: string): string {
  if (segment === '*')
    return `"*" stands only at the end: name a part instead, as in ${quoted(pattern.replace('*', '{name}'))}`
  if (segment.endsWith('*') && pattern.endsWith(segment) && segment.indexOf('*') === segment.length - 1)
    return `${quoted(pattern)} is no prefix: write ${quoted(`${pattern.slice(0, -1)}/*`)}, which takes ${quoted(pattern.slice(0, -1))} too`
  return `"*" stands only for whole segments at the end, as in "/api/*": use "path_regex", or write "%2A" for the character itself`
}

const quoted = (text: string): string => JSON.stringify(text)
