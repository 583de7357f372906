// Routes that answer by themselves: redirects and fixed answers.
import type { RedirectSpec, RespondSpec } from '../../core/route-spec.ts'
import { safeValue } from '../hygiene/field-changes.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { reasonOf } from '../own-answer.ts'
import { renderTemplate, type TemplateFacts } from './render-template.ts'

export function redirectAnswer({ to, status, keepQuery }: RedirectSpec, facts: TemplateFacts): OwnAnswer {
  let location = renderTemplate(to, facts, null)
  // What stood behind `/old/` may begin with a slash: `//evil.example` would be another host.
  if (startsWithPath(to)) location = location.replace(/^\/\/+/, '/')
  if (keepQuery && !location.includes('?')) location = withQuery(location, facts.query)
  const fields = `Location: ${uriText(location)}\r\nContent-Type: text/plain; charset=utf-8\r\n`
  return { status, fields, body: `${status} ${reasonOf(status)}\n` }
}

export function respondAnswer({ status, headers, body }: RespondSpec, facts: TemplateFacts): OwnAnswer {
  const answer = { status, backend: '', pool: '' }
  let fields = ''
  for (const { name, value } of headers) fields += `${name}: ${safeValue(renderTemplate(value, facts, answer))}\r\n`
  return { status, fields, body: renderTemplate(body, facts, answer) }
}

/** `/…` is a path of this host; `//…` was written for another one on purpose. */
function startsWithPath(to: RedirectSpec['to']): boolean {
  const [first] = to
  return typeof first === 'string' && first.startsWith('/') && !first.startsWith('//')
}

function withQuery(location: string, query: string): string {
  const fragment = location.indexOf('#')
  return fragment < 0 ? location + query : location.slice(0, fragment) + query + location.slice(fragment)
}

/** Location is a URI reference: visible ASCII (RFC 3986 §2). */
function uriText(text: string): string {
  return text.replace(/[^\x21-\x7e]|["<>\\^`{|}]/g, (char) =>
    [...Buffer.from(char, 'latin1')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
