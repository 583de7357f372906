// Why a route does not take a request: each condition that does not hold, in words. For people; the router decides by itself.
import { everyRequest, type MatchSpec, type ValueCondition } from '../core/route-spec.ts'
import { noPlugins } from '../plugins/registry.ts'
import { isSecretField, isSecretName, redactedText } from '../util/secret-names.ts'
import { compileConditions, type RouteQuestion } from './conditions.ts'
import { matchesHost } from './host-pattern.ts'
import { linearRegex } from './linear-regex.ts'
import { PathTable, Walk } from './path-table.ts'

/** What of a request a condition is about: how near a route was is told by it. */
export interface Miss {
  readonly what: 'listener' | 'host' | 'path' | 'condition'
  readonly words: string
}

/** All that does not hold; none = the route takes the request, unless one before it does. A plug-in's matcher is not asked. */
export function missesOf(match: MatchSpec, question: RouteQuestion, listener: string): Miss[] {
  const misses: Miss[] = []
  const add = (what: Miss['what'], words: string): void => void misses.push({ what, words })
  if (match.listeners.length > 0 && !match.listeners.includes(listener)) {
    add('listener', `is for ${oneOf('listener', match.listeners)}`)
  }
  if (match.hosts.length > 0 && !matchesHost(match.hosts, question.host)) {
    add('host', `is for ${oneOf('host', match.hosts)}`)
  }
  if (!takesPath(match, question)) {
    add('path', match.pathRegex === null ? `is for ${oneOf('path', match.paths)}` : `is for paths ~ ${match.pathRegex}`)
  }
  for (const { spec, words } of conditionsOf(match)) {
    const tests = compileConditions({ ...everyRequest, ...spec }, noPlugins) ?? []
    if (!tests.every((test) => test(question))) add('condition', words)
  }
  return misses
}

function takesPath({ paths, pathRegex }: MatchSpec, question: RouteQuestion): boolean {
  if (pathRegex !== null) return linearRegex(pathRegex).matches(question.path)
  if (paths.length === 0) return true
  const table = new PathTable()
  for (const path of new Set(paths)) table.add({ route: 0, tests: null, regex: null }, path)
  return table.match(question, question.path, new Walk()) !== null
}

/** Each condition alone, with the words for its not being met. */
function conditionsOf(match: MatchSpec): { readonly spec: Partial<MatchSpec>; readonly words: string }[] {
  const { methods, clients, serverNames, headers, query } = match
  return [
    { spec: { methods }, words: `asks for ${oneOf('method', methods)}` },
    { spec: { serverNames }, words: `asks for ${oneOf('server name', serverNames)}` },
    ...headers.map((one) => ({
      spec: { headers: [one] },
      words: `asks for ${valueWords('header', one, isSecretField)}`,
    })),
    ...query.map((one) => ({
      spec: { query: [one] },
      words: `asks for ${valueWords('query parameter', one, isSecretName)}`,
    })),
    { spec: { clients }, words: `asks for ${oneOf('client', clients)}` },
  ]
}

function valueWords(what: string, { name, values }: ValueCondition, isSecret: (name: string) => boolean): string {
  if (values.length === 0) return `the ${what} ${name}`
  return `${what} ${name}: ${isSecret(name) ? redactedText : values.slice(0, 3).join(' or ')}`
}

function oneOf(what: string, values: readonly string[]): string {
  const more = values.length > 3 ? ` or ${values.length - 3} others` : ''
  return `${what} ${values.slice(0, 3).join(' or ')}${more}`
}
