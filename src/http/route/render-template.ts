// The text of a template for one exchange. Which variables there are is checked when the configuration is loaded.
import type { TemplateSpec } from '../../core/route-spec.ts'
import { cookieValue } from '../../pool/affinity.ts'
import { fieldValue } from '../http1/grammar.ts'

/** Where variables come from. */
export interface TemplateFacts {
  readonly method: string
  readonly host: string
  readonly scheme: string
  readonly path: string
  readonly query: string
  readonly id: string
  readonly route: string
  readonly listener: string
  /** What the `*` of the matched prefix stood for. */
  readonly rest: string
  readonly params: Readonly<Record<string, string>>
  /** The header section as received. */
  readonly fields: string
  readonly cookies: string
  readonly address: string
  readonly port: number
  readonly tlsVersion: string
  readonly serverName: string
}

/** Of an answer, where there is one. */
export interface AnswerFacts {
  readonly status: number
  readonly backend: string
  readonly pool: string
}

/** The text; variables of an answer are '' without one. */
export function renderTemplate(template: TemplateSpec, facts: TemplateFacts, answer: AnswerFacts | null): string {
  let text = ''
  for (const part of template) text += typeof part === 'string' ? part : variable(part.name, facts, answer)
  return text
}

function variable(name: string, facts: TemplateFacts, answer: AnswerFacts | null): string {
  switch (name) {
    case 'client.ip':
      return facts.address
    case 'client.port':
      return String(facts.port)
    case 'request.id':
      return facts.id
    case 'request.method':
      return facts.method
    case 'request.path':
      return facts.path
    case 'request.query':
      return facts.query
    case 'request.uri':
      return facts.path + facts.query
    case 'request.host':
      return facts.host
    case 'request.scheme':
      return facts.scheme
    case 'route':
      return facts.route
    case 'listener':
      return facts.listener
    case 'tls.version':
      return facts.tlsVersion
    case 'tls.server_name':
      return facts.serverName
    case 'path':
      return facts.rest
    case 'status':
      return answer === null ? '' : String(answer.status)
    case 'backend':
      return answer === null ? '' : answer.backend
    case 'pool':
      return answer === null ? '' : answer.pool
  }
  if (name.startsWith('header.')) return fieldValue(facts.fields, name.slice(7).toLowerCase())
  if (name.startsWith('cookie.')) return cookieValue(facts.cookies, name.slice(7))
  if (name.startsWith('query.')) return queryValue(facts.query, name.slice(6))
  return facts.params[name] ?? ''
}

/** The first value of that parameter, still percent-encoded. */
function queryValue(query: string, name: string): string {
  for (const pair of query.slice(1).split('&')) {
    if (pair.startsWith(name) && pair.charCodeAt(name.length) === 0x3d) return pair.slice(name.length + 1)
  }
  return ''
}
