// Lines as the configuration writes them: a template, compiled to its pieces once.
import type { TemplateSpec } from '../../core/route-spec.ts'
import type { AccessEntry, TcpEntry } from '../access-entry.ts'
import { findLogVariable, type Writer } from './log-variables.ts'
import type { LineTime } from './numbers.ts'
import type { Redaction } from './redaction.ts'

interface Piece {
  /** What stands before the variable. */
  readonly before: string
  readonly http: Writer<AccessEntry>
  readonly tcp: Writer<TcpEntry>
}

const nothing = (): string => '-'

export class TemplateLines {
  readonly #redaction: Redaction
  readonly #pieces: readonly Piece[]
  readonly #end: string

  /** Throws for a variable that there is not: the configuration has been checked. */
  constructor(template: TemplateSpec, redaction: Redaction) {
    const pieces: Piece[] = []
    let before = ''
    for (const part of template) {
      if (typeof part === 'string') {
        before += part
        continue
      }
      const variable = findLogVariable(part.name)
      if (variable === undefined) throw new Error(`there is no variable {${part.name}} for log lines`)
      pieces.push({ before, http: variable.http, tcp: variable.tcp ?? nothing })
      before = ''
    }
    this.#redaction = redaction
    this.#pieces = pieces
    this.#end = before
  }

  http(entry: AccessEntry, time: LineTime): string {
    let line = ''
    for (const { before, http } of this.#pieces) line += before + http(entry, time, this.#redaction)
    return line + this.#end
  }

  tcp(entry: TcpEntry, time: LineTime): string {
    let line = ''
    for (const { before, tcp } of this.#pieces) line += before + tcp(entry, time, this.#redaction)
    return line + this.#end
  }
}
