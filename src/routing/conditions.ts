// What a route asks for besides host and path, compiled: all of it must hold.
import type { Matcher, MatchView } from '../core/plugin.ts'
import type { MatchSpec, ValueCondition } from '../core/route-spec.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import { isStrayPromise } from '../plugins/stray-promise.ts'
import { compileCidrs } from '../util/cidr.ts'
import { findField, trimmed } from '../util/field-block.ts'
import { matchesHost } from './host-pattern.ts'
import { compileValues } from './value-pattern.ts'

/** What a router asks about a request. Members may be getters: each is read only where a route needs it. */
export interface RouteQuestion {
  readonly method: string
  /** Normal form, see host-name.ts; '' = there is none. */
  readonly host: string
  /** Canonical, see canonical-target.ts. */
  readonly path: string
  /** With its `?`; '' = none. */
  readonly query: string
  /** The header section: lines `Name: value CRLF`. */
  readonly fields: string
  /** Of the client, as util/cidr.ts has it. */
  readonly address: string
  /** Of TLS (SNI), normal form; '' = none. */
  readonly serverName: string
  /** For matchers of plug-ins. */
  view(): MatchView
}

type Test = (question: RouteQuestion) => boolean

/** The tests of a route, the cheapest first; null = it asks for nothing else. Throws an `Error` for an unknown matcher. */
export function compileConditions(match: MatchSpec, plugins: PluginRegistry): readonly Test[] | null {
  const tests: Test[] = []
  if (match.methods.length > 0) tests.push(methodTest(match.methods))
  if (match.serverNames.length > 0) tests.push(({ serverName }) => matchesHost(match.serverNames, serverName))
  for (const condition of match.headers) tests.push(headerTest(condition))
  for (const condition of match.query) tests.push(queryTest(condition))
  if (match.clients.length > 0) tests.push(clientTest(match.clients))
  if (match.custom !== null) tests.push(customTest(match.custom.name, match.custom.options, plugins))
  return tests.length === 0 ? null : tests
}

/** How many kinds of conditions there are besides host and path: the more, the earlier a route is tried. */
export function conditionCount(match: MatchSpec): number {
  const lists = [match.methods, match.clients, match.listeners, match.serverNames]
  const given = lists.filter((list) => list.length > 0).length
  return given + match.headers.length + match.query.length + (match.custom === null ? 0 : 1)
}

/** The matcher of a plug-in threw, or said neither yes nor no. */
export class MatcherFailure extends Error {
  readonly matcher: string
  constructor(matcher: string, cause: unknown) {
    super(`the matcher ${matcher} failed`, { cause })
    this.matcher = matcher
  }
}

function methodTest(methods: readonly string[]): Test {
  const [only] = methods
  return methods.length === 1 ? ({ method }) => method === only : ({ method }) => methods.includes(method)
}

function clientTest(blocks: readonly string[]): Test {
  const isIn = compileCidrs(blocks)
  return ({ address }) => isIn(address)
}

/** Any field of that name will do. Field names are compared as everywhere: '_' is '-'. */
function headerTest({ name, values }: ValueCondition): Test {
  const folded = name.toLowerCase().replaceAll('_', '-')
  const test = compileValues(values.map(asReceived))
  return ({ fields }) => {
    for (let position = findField(fields, folded); position >= 0; ) {
      const colon = position + folded.length
      const end = fields.indexOf('\r\n', colon)
      if (test(trimmed(fields, colon + 1, end))) return true
      position = findField(fields, folded, end + 2)
    }
    return false
  }
}

/** As the bytes of its UTF-8 form look in a header section. */
const asReceived = (text: string): string => Buffer.from(text).latin1Slice()

/** Any parameter of that name will do. Names and values are compared decoded, as forms encode them. */
function queryTest({ name, values }: ValueCondition): Test {
  const test = compileValues(values)
  return ({ query }) => {
    for (let start = 1; start < query.length; ) {
      let end = query.indexOf('&', start)
      if (end < 0) end = query.length
      const equals = query.indexOf('=', start)
      const nameEnd = equals < 0 || equals > end ? end : equals
      if (decoded(query.slice(start, nameEnd)) === name && test(decoded(query.slice(nameEnd + 1, end)))) return true
      start = end + 1
    }
    return false
  }
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

function customTest(name: string, options: unknown, plugins: PluginRegistry): Test {
  const factory = plugins.matcher(name)
  if (factory === undefined) throw new Error(`no plug-in brings a matcher ${JSON.stringify(name)}`)
  const matcher: Matcher = factory(options)
  return (question) => {
    let takes: unknown
    try {
      takes = matcher(question.view())
    } catch (cause) {
      throw new MatcherFailure(name, cause)
    }
    if (typeof takes === 'boolean') return takes
    // A promise would be true, whatever it comes to.
    isStrayPromise(takes)
    throw new MatcherFailure(name, new TypeError('a matcher must return true or false'))
  }
}
