// The header edits of a route, prepared: names to take out, and lines to put in that are the same for every exchange
// or are rendered for each.
import type { FieldEditSpec, HeaderEditsSpec } from '../../core/route-spec.ts'
import { framesOrRoutes, safeValue } from '../hygiene/field-changes.ts'
import { foldedName } from '../hygiene/reserved-fields.ts'
import { type AnswerFacts, renderTemplate, type TemplateFacts } from './render-template.ts'

export class HeaderEdits {
  /** Folded names of what is removed or replaced. */
  readonly removed: ReadonlySet<string>
  /** Whole lines without variables. */
  readonly constant: string
  /** Lines with variables; null = none. */
  readonly variable: readonly FieldEditSpec[] | null

  constructor(spec: HeaderEditsSpec) {
    const edits = [...spec.set, ...spec.add]
    const variable = edits.filter(({ value }) => value.some((part) => typeof part !== 'string'))
    const removed = [...spec.remove, ...spec.set.map(({ name }) => name)].map(foldedName)
    // `content_length` is `Content-Length` folded: what frames the message stays.
    this.removed = new Set(removed.filter((name) => !framesOrRoutes(name)))
    this.constant = edits
      .filter((edit) => !variable.includes(edit))
      .map(({ name, value }) => `${name}: ${safeValue(value.join(''))}\r\n`)
      .join('')
    this.variable = variable.length === 0 ? null : variable
  }

  /** The lines with variables. A field whose value comes out empty is not sent. */
  render(facts: TemplateFacts, answer: AnswerFacts | null): string {
    if (this.variable === null) return ''
    let lines = ''
    for (const { name, value } of this.variable) {
      const text = safeValue(renderTemplate(value, facts, answer))
      if (text !== '') lines += `${name}: ${text}\r\n`
    }
    return lines
  }
}

/** Null where there is nothing to edit. */
export function headerEdits(spec: HeaderEditsSpec | null): HeaderEdits | null {
  if (spec === null || spec.remove.length + spec.set.length + spec.add.length === 0) return null
  return new HeaderEdits(spec)
}
