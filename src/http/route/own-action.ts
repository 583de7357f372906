// Routes that answer by themselves: redirects and fixed answers.
import { errors } from '../../core/errors.ts'
import type { RedirectSpec, RespondSpec, TemplateSpec } from '../../core/route-spec.ts'
import { renderBody } from '../error-pages/render-body.ts'
import { safeValue } from '../hygiene/field-changes.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { reasonOf } from '../own-answer.ts'
import { renderTemplate, type TemplateFacts } from './render-template.ts'

export function redirectAnswer({ to, status, keepQuery }: RedirectSpec, facts: TemplateFacts): OwnAnswer {
  let location = renderTemplate(to, facts, null)
  // What stood behind `/old/` may begin with a slash, and so may a path behind its own: `//evil.example` is another host.
  if (startsWithPath(to)) location = location.replace(/^\/\/+/, '/')
  // `https:///x` is another host to browsers. Only HTTP/1.0 may leave out the Host.
  if (facts.host === '' && WITHOUT_HOST.test(location)) return badHost
  if (keepQuery && !location.includes('?')) location = withQuery(location, facts.query)
  const fields = `Location: ${uriText(location)}\r\nContent-Type: text/plain; charset=utf-8\r\n`
  return { status, fields, body: `${status} ${reasonOf(status)}\n` }
}

export function respondAnswer({ status, headers, body }: RespondSpec, facts: TemplateFacts): OwnAnswer {
  const answer = { status, backend: '', pool: '' }
  const render = (template: TemplateSpec): string => renderTemplate(template, facts, answer)
  let fields = ''
  let type = ''
  for (const { name, value } of headers) {
    const text = safeValue(render(value))
    fields += `${name}: ${text}\r\n`
    if (name.toLowerCase() === 'content-type') type = text
  }
  // What a client has written is text in the body, whatever its form.
  return { status, fields, body: renderBody(body, type, render) }
}

const WITHOUT_HOST = /^[a-z]+:\/\/(?:[/?#:]|$)/i
const badHost: OwnAnswer = { status: 400, fields: '', body: '', refusal: { error: errors.bad_host, details: '' } }

/** `/…` is a path of this host; `//…` was written for another one on purpose. */
function startsWithPath([first]: RedirectSpec['to']): boolean {
  if (typeof first === 'string') return first.startsWith('/') && !first.startsWith('//')
  return first?.name === 'request.path' || first?.name === 'request.uri'
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
