// An answer of the data plane, given to the response object of node:http or of the compatibility API of node:http2.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { cutVisibly } from './cut.ts'

export class NodeAnswer {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #isHttp2: boolean
  readonly #isOld: boolean

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req
    this.#res = res
    this.#isHttp2 = req.httpVersionMajor >= 2
    this.#isOld = req.httpVersionMajor === 1 && req.httpVersionMinor === 0
  }

  /** 100, 102 and 103; Node has no way to send others, and 102 only over HTTP/1.1. */
  interim({ status, forward }: ResponseHead): void {
    const res = this.#res
    if (this.#isOld || res.headersSent) return
    try {
      if (status === 100) res.writeContinue()
      else if (status === 102 && !this.#isHttp2) res.writeProcessing()
      else if (status === 103) {
        const hints = [...fieldsOf(forward)].map(([name, { values }]) => [name, values] as const)
        res.writeEarlyHints(Object.fromEntries(hints))
      }
    } catch {
      // Node is stricter about Link than its grammar is; hints may be lost.
    }
  }

  /**
   * Fields that the program has set before stay, unless the answer has one of that name. Throws what Node throws: a
   * response that the program has begun already, for one.
   */
  head(head: ResponseHead, hasBody: boolean): void {
    const res = this.#res
    if (res.hasHeader('Content-Length')) res.removeHeader('Content-Length')
    // Not without need: Node takes it as a wish for an answer that the end of the connection ends.
    if (head.contentLength >= 0 && res.hasHeader('Transfer-Encoding')) res.removeHeader('Transfer-Encoding')
    for (const { name, values } of fieldsOf(head.forward).values()) {
      res.setHeader(name, values.length === 1 ? values[0]! : values)
    }
    if (hasBody && head.chunked && head.trailer !== '' && !this.#isOld) res.setHeader('Trailer', head.trailer)
    // After Content-Disposition: Node re-encodes that one where it knows a length, and throws for what is no Latin-1.
    if (head.contentLength >= 0) res.setHeader('Content-Length', head.contentLength)
    if (this.#isHttp2) res.writeHead(head.status)
    else res.writeHead(head.status, head.reason)
  }

  /** The head goes out by itself, as the body may take its time. */
  flushHead(): void {
    this.#res.flushHeaders()
  }

  end(last: Buffer | null, trailers: string): void {
    if (trailers !== '' && !this.#isOld) {
      const fields = [...fieldsOf(trailers).values()].map(({ name, values }) => [name, values] as const)
      this.#res.addTrailers(Object.fromEntries(fields) as unknown as OutgoingHttpHeaders)
    }
    if (last === null) this.#res.end()
    else this.#res.end(last)
  }

  /** The client must see that the answer is incomplete, or that there is none. */
  cut(): void {
    cutVisibly(this.#req, this.#res)
  }
}

interface Field {
  /** As written, of the first one. */
  readonly name: string
  readonly values: string[]
}

/** Fields by lower-case name, of whole lines. */
function fieldsOf(lines: string): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (let position = 0; position < lines.length; ) {
    const colon = lines.indexOf(':', position)
    const end = lines.indexOf('\r\n', colon)
    const name = lines.slice(position, colon)
    const value = lines.slice(colon + 1, end).trim()
    const known = fields.get(name.toLowerCase())
    if (known === undefined) fields.set(name.toLowerCase(), { name, values: [value] })
    else known.values.push(value)
    position = end + 2
  }
  return fields
}
