// Requests and answers as middleware sees them, without a proxy: each says afterwards what a backend or client would get.
import type { ClientView, RequestView, ResponseView } from '../../src/core/plugin.ts'
import { framesOrRoutes } from '../../src/http/hygiene/field-changes.ts'
import { foldedName } from '../../src/http/hygiene/reserved-fields.ts'

/** Name and value, in order. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** What is not said is an ordinary GET of a client on the loopback address. */
export interface TestRequestOptions {
  readonly method?: string
  /** Path and query. */
  readonly target?: string
  readonly fields?: Fields
  readonly host?: string
  readonly scheme?: 'http' | 'https'
  readonly client?: Partial<ClientView>
}

/** A list of fields with the edits that both views have. */
class FieldList {
  #fields: Fields

  constructor(fields: Fields) {
    this.#fields = fields
  }

  get all(): Fields {
    return this.#fields
  }

  values(name: string): string[] {
    return this.#fields.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  }

  set(name: string, value: string): void {
    check(name, value)
    this.remove(name)
    this.#fields = [...this.#fields, [name, value]]
  }

  add(name: string, value: string): void {
    check(name, value)
    this.#fields = [...this.#fields, [name, value]]
  }

  remove(name: string): void {
    check(name, '')
    this.#fields = this.#fields.filter(([other]) => foldedName(other) !== foldedName(name))
  }
}

function check(name: string, value: string): void {
  if (framesOrRoutes(name)) throw new TypeError(`${name} frames or routes the message`)
  if (!/^[\w!#$%&'*+\-.^`|~]+$/.test(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw new TypeError('no field')
}

export class TestRequest implements RequestView {
  readonly method: string
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly path: string
  readonly query: string
  readonly id = 'test-request-id'
  readonly route = 'test'
  readonly params = {}
  readonly client: ClientView
  readonly state = new Map<string, unknown>()
  /** As `rewrite` left it; null = as it came. */
  target: string | null = null
  readonly #sent: FieldList
  readonly #forBackend: FieldList

  constructor(options: TestRequestOptions = {}) {
    const target = options.target ?? '/'
    const end = target.indexOf('?') < 0 ? target.length : target.indexOf('?')
    this.method = options.method ?? 'GET'
    this.path = target.slice(0, end)
    this.query = target.slice(end)
    this.host = options.host ?? 't.example'
    this.scheme = options.scheme ?? 'http'
    this.client = { address: '127.0.0.1', port: 50_000, trusted: false, tls: null, ...options.client }
    const fields = options.fields ?? []
    const hasHost = fields.some(([name]) => name.toLowerCase() === 'host')
    this.#sent = new FieldList(hasHost ? fields : [['Host', this.host], ...fields])
    this.#forBackend = new FieldList(fields)
  }

  /** The end-to-end fields as edited. */
  get forBackend(): Fields {
    return this.#forBackend.all
  }

  header(name: string): string | undefined {
    return this.#sent.values(name)[0]
  }

  headers(name: string): string[] {
    return this.#sent.values(name)
  }

  headerNames(): string[] {
    return [...new Set(this.#sent.all.map(([name]) => name.toLowerCase()))]
  }

  cookie(name: string): string | undefined {
    const pairs = this.headers('cookie').flatMap((value) => value.split(/; */))
    return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
  }

  setHeader(name: string, value: string): void {
    this.#forBackend.set(name, value)
  }

  addHeader(name: string, value: string): void {
    this.#forBackend.add(name, value)
  }

  removeHeader(name: string): void {
    this.#forBackend.remove(name)
  }

  rewrite(target: string): void {
    if (!/^\/(?!\/)/.test(target)) throw new TypeError('no origin-form target')
    this.target = target
  }
}

export class TestResponse implements ResponseView {
  readonly request: RequestView
  readonly backend: string
  status: number
  readonly #fields: FieldList

  constructor(request: RequestView, fields: Fields = [], status = 200) {
    this.request = request
    this.status = status
    this.backend = 'http://127.0.0.1:1'
    this.#fields = new FieldList(fields)
  }

  /** As edited. */
  get forClient(): Fields {
    return this.#fields.all
  }

  header(name: string): string | undefined {
    return this.#fields.values(name)[0]
  }

  headers(name: string): string[] {
    return this.#fields.values(name)
  }

  setHeader(name: string, value: string): void {
    this.#fields.set(name, value)
  }

  addHeader(name: string, value: string): void {
    this.#fields.add(name, value)
  }

  removeHeader(name: string): void {
    this.#fields.remove(name)
  }
}
