// Finds the route of a request, for one listener: a map of hosts, in each a table of paths.
import type { RouteSpec } from '../core/route-spec.ts'
import { noPlugins, type PluginRegistry } from '../plugins/registry.ts'
import { compileConditions, conditionCount, type RouteQuestion } from './conditions.ts'
import { linearRegex } from './linear-regex.ts'
import { type Candidate, type Entry, PathTable, Walk } from './path-table.ts'

export { MatcherFailure, type RouteQuestion } from './conditions.ts'

/** All of a route that matters here. */
type Matched = Pick<RouteSpec, 'match'>
type Params = Readonly<Record<string, string>>

const noParams: Params = Object.freeze(Object.create(null))

/** Immutable but for what it remembers of the last match. */
export class Router {
  readonly #hosts = new Map<string, PathTable>()
  /** By suffix, with the dot: `.example.com`. */
  readonly #wildcards = new Map<string, PathTable>()
  #anyHost: PathTable | null = null
  readonly #walk = new Walk()
  #entry: Entry | null = null
  #path = ''

  /**
   * @param routes all routes of a configuration, in its order
   * @param listener those that are limited to other listeners are left out
   */
  constructor(routes: readonly Matched[], listener: string, plugins: PluginRegistry = noPlugins) {
    const order = routes
      .map((_, index) => index)
      .filter((index) => isFor(routes[index]!, listener))
      .sort((a, b) => conditionCount(routes[a]!.match) - conditionCount(routes[b]!.match) || b - a)
    for (const index of order) this.#add(index, routes[index]!, plugins)
  }

  /**
   * Index of the route that takes the request, or -1. Throws MatcherFailure where one of a plug-in fails. What `params` and
   * `rest` tell is of the last match: read them before the next one.
   */
  match(question: RouteQuestion): number {
    const { host, path } = question
    this.#path = path
    this.#entry = null
    const entry = this.#find(question, host, path)
    this.#entry = entry
    return entry === null ? -1 : entry.route
  }

  /** Values of the named parts, or named groups of the regular expression, of the last match, as they stand in the path. */
  get params(): Params {
    const entry = this.#entry
    if (entry === null) return noParams
    if (entry.parts !== null) return partValues(entry.parts.names, entry.parts.segments, this.#path)
    return entry.regex === null || entry.regex.names.length === 0 ? noParams : groupValues(entry.regex, this.#path)
  }

  /**
   * What the `*` of the prefix stood for in the last match, without the slash before it; for other routes the whole
   * path without its first slash.
   */
  get rest(): string {
    const path = this.#path
    let at = 0
    for (let segments = this.#entry?.prefixLength ?? -1; segments > 0 && at >= 0; segments--)
      at = path.indexOf('/', at + 1)
    if (at < 0) return ''
    return path.charCodeAt(at) === 0x2f /* / */ ? path.slice(at + 1) : path
  }

  #find(question: RouteQuestion, host: string, path: string): Entry | null {
    if (host !== '') {
      const found = this.#hosts.get(host)?.match(question, path, this.#walk) ?? null
      if (found !== null) return found
      if (this.#wildcards.size > 0) {
        // The longest suffix first; at least one character stands before it.
        for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
          const found = this.#wildcards.get(host.slice(dot))?.match(question, path, this.#walk) ?? null
          if (found !== null) return found
        }
      }
    }
    return this.#anyHost === null ? null : this.#anyHost.match(question, path, this.#walk)
  }

  #add(route: number, { match }: Matched, plugins: PluginRegistry): void {
    const regex = match.pathRegex === null ? null : linearRegex(match.pathRegex)
    const candidate: Candidate = { route, tests: compileConditions(match, plugins), regex }
    const paths = regex === null && match.paths.length > 0 ? new Set(match.paths) : ['/*']
    for (const table of this.#tablesOf(new Set(match.hosts))) {
      for (const path of paths) table.add(candidate, path)
    }
  }

  #tablesOf(hosts: ReadonlySet<string>): PathTable[] {
    if (hosts.size === 0) return [(this.#anyHost ??= new PathTable())]
    return [...hosts].map((host) =>
      host.startsWith('*.') ? tableAt(this.#wildcards, host.slice(1)) : tableAt(this.#hosts, host),
    )
  }
}

const isFor = ({ match }: Matched, listener: string): boolean =>
  match.listeners.length === 0 || match.listeners.includes(listener)

function tableAt(tables: Map<string, PathTable>, key: string): PathTable {
  let table = tables.get(key)
  if (table === undefined) tables.set(key, (table = new PathTable()))
  return table
}

function partValues(names: readonly string[], segments: readonly number[], path: string): Params {
  const params: Record<string, string> = Object.create(null)
  const values = path.split('/')
  for (let index = 0; index < names.length; index++) params[names[index]!] = values[segments[index]! + 1]!
  return params
}

function groupValues(regex: NonNullable<Entry['regex']>, path: string): Params {
  const params: Record<string, string> = Object.create(null)
  const values = regex.captures(path) ?? []
  for (let index = 0; index < values.length; index++) params[regex.names[index]!] = values[index]!
  return params
}
