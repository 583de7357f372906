// Lines in the Combined Log Format of Apache and nginx.
import type { AccessEntry, TcpEntry } from '../access-entry.ts'
import { escaped } from './escape.ts'
import type { LineTime } from './numbers.ts'
import type { Redaction } from './redaction.ts'

export class CombinedLines {
  readonly #redaction: Redaction

  constructor(redaction: Redaction) {
    this.#redaction = redaction
  }

  http(entry: AccessEntry, time: LineTime): string {
    const { method, minor, referer, userAgent } = entry
    const request = method === '' ? '-' : `${method} ${this.#redaction.target(entry.target)} HTTP/1.${minor}`
    return (
      `${entry.client} - - [${time.clf}] "${escaped(request)}" ${entry.status} ${entry.sent} ` +
      `"${referer === '' ? '-' : escaped(this.#redaction.url(referer))}" "${userAgent === '' ? '-' : escaped(userAgent)}"`
    )
  }

  /** The pool stands where a request has its target. */
  tcp(entry: TcpEntry, time: LineTime): string {
    return `${entry.client} - - [${time.clf}] "TCP ${escaped(entry.pool)}" ${entry.status} ${entry.sent} "-" "-"`
  }
}
