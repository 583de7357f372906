// Bodies with variables. What a variable stands for comes from whoever sent the request: in a page it is text, never
// markup, and in JSON it is part of a string.
import type { TemplateSpec } from '../../core/route-spec.ts'

/** The text of a template, see route/render-template.ts. */
export type Render = (template: TemplateSpec) => string

/** The body (UTF-8 bytes as a latin1 string) with every variable made harmless for that type. */
export function renderBody(body: TemplateSpec, contentType: string, render: Render): string {
  const harmless = escapeFor(contentType)
  let text = ''
  for (const part of body) text += typeof part === 'string' ? part : harmless(render([part]))
  return text
}

function escapeFor(contentType: string): (value: string) => string {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (/^text\/html$|[/+]xml$|^$/.test(type)) return htmlText
  return /[/+]json$|javascript$/.test(type) ? jsonText : (value) => value
}

const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function htmlText(value: string): string {
  return utf8(value).replace(/[&<>"']/g, (char) => MARKUP[char]!)
}

/** What may stand between the quotes of a JSON string, also where that stands in a script of a page. */
function jsonText(value: string): string {
  const text = JSON.stringify(Buffer.from(value, 'latin1').toString('utf8')).slice(1, -1)
  const safe = text.replace(/[<>&'\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return utf8Bytes(safe)
}

/** Bytes that are no UTF-8 must not swallow what stands behind them. */
function utf8(value: string): string {
  for (let at = 0; at < value.length; at++) {
    if (value.charCodeAt(at) > 0x7e) return utf8Bytes(Buffer.from(value, 'latin1').toString('utf8'))
  }
  return value
}

function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').latin1Slice()
}
