// The head of an answer as middleware sees it before the client does, and what it has asked for instead.
import type { RequestView, ResponseView } from '../../core/plugin.ts'
import { FieldChanges } from '../hygiene/field-changes.ts'
import { fieldValues } from '../hygiene/field-values.ts'

export class ResponseRecord implements ResponseView {
  readonly request: RequestView
  readonly backend: string
  /** What the client gets changed; null = nothing. */
  changes: FieldChanges | null = null
  #status: number
  readonly #block: string

  /** `block`: end-to-end fields, a line each. */
  constructor(request: RequestView, status: number, block: string, backend: string) {
    this.request = request
    this.#status = status
    this.#block = block
    this.backend = backend
  }

  get status(): number {
    return this.#status
  }

  set status(status: number) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new TypeError(`${String(status)} is not a status that an answer can have; use 200 to 599`)
    }
    // Each of them is framed in its own way.
    if (status !== this.#status && (hasNoBody(status) || hasNoBody(this.#status))) {
      throw new TypeError(`a ${this.#status} cannot become a ${status}: they do not both have a body; return an answer`)
    }
    this.#status = status
  }

  header(name: string): string | undefined {
    return this.headers(name)[0]
  }

  headers(name: string): string[] {
    const block = this.changes === null ? this.#block : this.changes.applyTo(this.#block)
    return fieldValues(block, name.toLowerCase())
  }

  setHeader(name: string, value: string): void {
    this.changes ??= new FieldChanges()
    this.changes.set(name, value)
  }

  addHeader(name: string, value: string): void {
    this.changes ??= new FieldChanges()
    this.changes.add(name, value)
  }

  removeHeader(name: string): void {
    this.changes ??= new FieldChanges()
    this.changes.remove(name)
  }
}

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304
