// Texts with variables, `https://{request.host}/new/{path}`: their parts, and which variables there are in which place.
import type { TemplateSpec, VariableSpec } from '../core/route-spec.ts'
import { closest } from '../util/edit-distance.ts'

/** Where a text stands: what is known by then differs. */
export type TemplatePlace = 'request' | 'answer' | 'response' | 'error-page'

interface Variable {
  readonly name: string
  /** With `NAME` behind it: any name may follow. */
  readonly family?: boolean
  readonly places: readonly TemplatePlace[]
  readonly meaning: string
}

const everywhere: readonly TemplatePlace[] = ['request', 'answer', 'response', 'error-page']

/** Every variable besides the named parts of the route's path; for the guide too. */
export const variables: readonly Variable[] = [
  { name: 'client.ip', places: everywhere, meaning: 'address of the client; `unix:` on a Unix socket' },
  { name: 'client.port', places: everywhere, meaning: 'its port' },
  { name: 'request.id', places: everywhere, meaning: '`X-Request-Id` of this exchange' },
  { name: 'request.method', places: everywhere, meaning: '`GET`' },
  { name: 'request.path', places: everywhere, meaning: 'the canonical path, before any rewrite: `/a/b`' },
  { name: 'request.query', places: everywhere, meaning: 'the query with its `?`; empty without one' },
  { name: 'request.uri', places: everywhere, meaning: 'path and query' },
  { name: 'request.host', places: everywhere, meaning: 'host asked for: lower case, without port' },
  { name: 'request.scheme', places: everywhere, meaning: '`http` or `https`' },
  { name: 'path', places: everywhere, meaning: 'what the `*` of the matched path stands for, without `/` in front' },
  { name: 'route', places: everywhere, meaning: 'name of the route' },
  { name: 'listener', places: everywhere, meaning: 'name of the listener' },
  { name: 'header', family: true, places: everywhere, meaning: 'a field of the request, as the client sent it' },
  {
    name: 'query',
    family: true,
    places: everywhere,
    meaning: 'the first parameter of that name in the query, percent-encoded as it came',
  },
  { name: 'cookie', family: true, places: everywhere, meaning: 'a cookie of the request' },
  { name: 'tls.version', places: everywhere, meaning: '`TLSv1.3`; empty without TLS' },
  { name: 'tls.server_name', places: everywhere, meaning: 'the name asked for in the TLS handshake' },
  { name: 'status', places: ['answer', 'response', 'error-page'], meaning: 'status of the answer' },
  {
    name: 'backend',
    places: ['response'],
    meaning: 'URL of the backend that answered; empty for an answer of our own',
  },
  { name: 'pool', places: ['response'], meaning: 'its pool' },
]

const byName = new Map(variables.map((variable) => [variable.name, variable]))

/** A variable within a text; the last part of a family's may be any name of a field, parameter or cookie. */
const reference = /\{\{|\{([A-Za-z_][\w.]*(?:\.[!#$%&'*+\-.^`|~\w]+)?)\}|\{/g

/**
 * The parts of a text. `{{` is a literal `{`. Elsewhere a `{` that begins no variable is an error; not so where `loose`,
 * for bodies, in which braces are common. Throws an `Error` with a sentence.
 */
export function parseTemplate(text: string, { loose = false }: { readonly loose?: boolean } = {}): TemplateSpec {
  const parts: (string | VariableSpec)[] = []
  let literal = ''
  let end = 0
  for (const match of text.matchAll(reference)) {
    const [all, name] = match
    literal += text.slice(end, match.index)
    end = match.index + all.length
    if (name !== undefined) {
      if (literal !== '') parts.push(literal)
      parts.push({ name: normalName(name) })
      literal = ''
    } else if (all === '{{' || loose) literal += '{'
    else
      throw new Error(
        `${JSON.stringify(text)} has a "{" that begins no variable; write {request.path}, or {{ for a "{"`,
      )
  }
  literal += text.slice(end)
  return literal === '' ? parts : [...parts, literal]
}

/** Names of fields know no case. */
const normalName = (name: string): string => (/^header\./i.test(name) ? `header.${name.slice(7).toLowerCase()}` : name)

/** The variables of a text, each once. */
export function variablesOf(template: TemplateSpec): string[] {
  return [...new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.name])))]
}

/**
 * What is wrong with a variable in this place, as message and hint; null = nothing. `params`: the named parts of the
 * route's path.
 */
export function variableProblem(
  name: string,
  place: TemplatePlace,
  params: readonly string[],
): { readonly message: string; readonly hint: string } | null {
  const dot = name.indexOf('.')
  const family = dot === -1 ? undefined : byName.get(name.slice(0, dot))
  const known = byName.get(name) ?? (family?.family === true ? family : undefined)
  if (params.includes(name)) return null
  if (known === undefined) return unknown(name, place, params)
  if (known.family === true && known !== family) {
    return { message: `{${name}} needs a name`, hint: `write {${name}.NAME}` }
  }
  if (known.places.includes(place)) return null
  const where = new Intl.ListFormat('en').format(known.places.map((one) => placeWords[one]))
  return { message: `{${name}} is not known yet when this is made`, hint: `it is for ${where}` }
}

const placeWords: Readonly<Record<TemplatePlace, string>> = {
  request: 'requests',
  answer: 'fixed answers',
  response: 'header fields of responses',
  'error-page': 'error pages',
}

function unknown(name: string, place: TemplatePlace, params: readonly string[]) {
  const here = variables.filter(({ places }) => places.includes(place))
  const names = here.filter(({ family }) => family !== true).map((one) => one.name)
  const dot = name.indexOf('.')
  const families = here.filter(({ family }) => family === true).map((one) => one.name)
  const family = dot === -1 ? null : closest(name.slice(0, dot), families)
  const guess = closest(name, [...params, ...names]) ?? (family === null ? null : `${family}${name.slice(dot)}`)
  const message = `there is no variable {${name}}`
  if (guess !== null) return { message, hint: `did you mean {${guess}}?` }
  return { message, hint: 'a literal "{" is written {{; the guide to routes lists all variables' }
}
