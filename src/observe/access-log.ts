// The access log of one worker: lines, built by hand and handed over in batches. One costs well under a microsecond.
import type { AccessLogSpec } from '../core/spec.ts'
import { LineChoice } from './access/choice.ts'
import { CombinedLines } from './access/combined-line.ts'
import { JsonLines } from './access/json-line.ts'
import { LineTime } from './access/numbers.ts'
import { Redaction } from './access/redaction.ts'
import { TemplateLines } from './access/template-line.ts'
import type { AccessEntry, TcpEntry } from './access-entry.ts'
import type { ExchangeObserver } from './exchange-observer.ts'

export { type AccessEntry, type FailedAttempt, type TcpEntry, unreadEntry } from './access-entry.ts'

/** What makes a line of an entry, without its end. */
export interface LineBuilder {
  http(entry: AccessEntry, time: LineTime): string
  tcp(entry: TcpEntry, time: LineTime): string
}

/** Compiled once for each snapshot. Throws for a template with a variable that there is not. */
export function lineBuilder({ format, template, fields, redact }: AccessLogSpec): LineBuilder {
  const redaction = new Redaction(redact)
  if (format === 'template') return new TemplateLines(template, redaction)
  return format === 'json' ? new JsonLines(fields, redaction) : new CombinedLines(redaction)
}

const FLUSH_BYTES = 32 * 1024
const FLUSH_MS = 200

export class AccessLog implements ExchangeObserver {
  readonly #deliver: (lines: string) => void
  readonly #time = new LineTime()
  #builder: LineBuilder
  #choice: LineChoice
  #lines = ''
  #timer: NodeJS.Timeout | null = null

  /** `deliver` gets whole lines, a batch at a time. */
  constructor(spec: AccessLogSpec, deliver: (lines: string) => void) {
    this.#builder = lineBuilder(spec)
    this.#choice = new LineChoice(spec)
    this.#deliver = deliver
  }

  /** From now on lines are as this says; those that wait are as they were. */
  update(spec: AccessLogSpec): void {
    this.#builder = lineBuilder(spec)
    this.#choice = new LineChoice(spec)
  }

  wants(id: string, target: string, status: number, error: string, logged: boolean): boolean {
    return logged && this.#choice.takes(id, target, status, error)
  }

  add(entry: AccessEntry): void {
    this.#time.set(Date.now())
    this.#append(this.#builder.http(entry, this.#time))
  }

  addTcp(entry: TcpEntry): void {
    this.#time.set(Date.now())
    this.#append(this.#builder.tcp(entry, this.#time))
  }

  #append(line: string): void {
    this.#lines += `${line}\n`
    if (this.#lines.length >= FLUSH_BYTES) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref()
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#lines === '') return
    const lines = this.#lines
    this.#lines = ''
    this.#deliver(lines)
  }
}
