// A request as middleware sees it, and what middleware has asked for instead. Made only where a route needs one.
import type { ClientView, RequestView } from '../../core/plugin.ts'
import type { TlsFacts } from '../../net/arrival.ts'
import { cookieValue } from '../../pool/affinity.ts'
import { canonicalTarget } from '../../routing/canonical-target.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { FieldChanges } from '../hygiene/field-changes.ts'
import { fieldNames, fieldValues } from '../hygiene/field-values.ts'
import type { TemplateFacts } from '../route/render-template.ts'

/** Of the client's connection. */
export interface ClientFactsOfStep {
  readonly address: string
  readonly port: number
  readonly trusted: boolean
  readonly isSecure: boolean
  readonly tls: TlsFacts | null
}

export interface RecordParts {
  readonly head: RequestHead
  readonly client: ClientFactsOfStep
  readonly id: string
  readonly route: string
  readonly listener: string
  /** Of the counters of route and listener. */
  readonly trafficRow: number
  /** In normal form. */
  readonly host: string
  readonly path: string
  readonly query: string
  readonly params: Readonly<Record<string, string>>
  readonly rest: string
}

export class RequestRecord implements RequestView, TemplateFacts {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly id: string
  readonly route: string
  readonly listener: string
  readonly params: Readonly<Record<string, string>>
  readonly rest: string
  readonly trafficRow: number
  /** What goes to backends changed; null = nothing. */
  changes: FieldChanges | null = null
  /** Path and query that go to backends instead; null = those of the client. */
  target: string | null = null
  readonly #head: RequestHead
  readonly #client: ClientFactsOfStep
  #view: ClientView | null = null
  #state: Map<string, unknown> | null = null

  constructor(parts: RecordParts) {
    this.#head = parts.head
    this.#client = parts.client
    this.method = parts.head.method
    this.host = parts.host
    this.path = parts.path
    this.query = parts.query
    this.id = parts.id
    this.route = parts.route
    this.listener = parts.listener
    this.params = parts.params
    this.rest = parts.rest
    this.trafficRow = parts.trafficRow
  }

  get scheme(): 'http' | 'https' {
    return this.#client.isSecure ? 'https' : 'http'
  }

  get client(): ClientView {
    const { port, trusted, tls } = this.#client
    const { clientAddress } = this.#head.fields
    this.#view ??= {
      address: this.address,
      // Nobody tells of the port behind a proxy.
      port: clientAddress === '' ? port : 0,
      trusted,
      tls: tls === null ? null : { version: tls.version, serverName: tls.serverName },
    }
    return this.#view
  }

  get state(): Map<string, unknown> {
    this.#state ??= new Map()
    return this.#state
  }

  get fields(): string {
    return this.#head.fields.lookup
  }

  get cookies(): string {
    return this.#head.fields.cookie
  }

  get address(): string {
    return this.#head.fields.clientAddress || this.#client.address
  }

  get port(): number {
    return this.#client.port
  }

  get tlsVersion(): string {
    return this.#client.tls?.version ?? ''
  }

  get serverName(): string {
    return this.#client.tls?.serverName ?? ''
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase()
    // Host is no end-to-end field, but everybody asks for it.
    if (wanted === 'host') return this.#head.host === '' ? undefined : this.#head.host
    if (this.changes !== null) return this.headers(wanted)[0]
    const value = fieldValue(this.fields, wanted)
    return value === '' ? fieldValues(this.fields, wanted)[0] : value
  }

  headers(name: string): string[] {
    const wanted = name.toLowerCase()
    const { changes } = this
    if (changes === null) return fieldValues(this.fields, wanted)
    const added = fieldValues(changes.lines, wanted)
    return changes.removes(wanted) ? added : [...fieldValues(this.fields, wanted), ...added]
  }

  headerNames(): string[] {
    return fieldNames(this.fields)
  }

  cookie(name: string): string | undefined {
    const value = cookieValue(this.cookies, name)
    return value === '' ? undefined : value
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

  rewrite(target: string): void {
    const canonical = canonicalTarget(target)
    if (canonical === null || !canonical.path.startsWith('/') || canonical.path.startsWith('//')) {
      throw new TypeError(`${JSON.stringify(target)} is not a path with an optional query`)
    }
    this.target = canonical.path + canonical.query
  }
}
