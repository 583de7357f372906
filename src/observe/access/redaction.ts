// Values that no log may show: of query parameters and header fields with certain names.
import type { RedactionSpec } from '../../core/spec.ts'

/** What stands in the place of a value. */
export const hidden = '***'

/** What is hidden where the configuration says nothing else. Lower case; `-` and `_` are the same. */
export const redactedByDefault: RedactionSpec = {
  query: [
    'access_token',
    'api_key',
    'apikey',
    'auth',
    'authorization',
    'client_secret',
    'code_verifier',
    'id_token',
    'jwt',
    'key',
    'passwd',
    'password',
    'pwd',
    'refresh_token',
    'secret',
    'session',
    'sessionid',
    'sig',
    'signature',
    'token',
    'x_amz_security_token',
    'x_amz_signature',
    'x_goog_signature',
  ],
  headers: [
    'authorization',
    'cookie',
    'proxy-authorization',
    'set-cookie',
    'x-api-key',
    'x-auth-token',
    'x-csrf-token',
  ],
}

export class Redaction {
  readonly #query: ReadonlySet<string>
  readonly #headers: ReadonlySet<string>
  /** Any of the names, or what may hide one, somewhere: where it is not found there is nothing to do. */
  readonly #suspect: RegExp | null

  constructor(spec: RedactionSpec) {
    this.#query = new Set(spec.query.map(folded))
    this.#headers = new Set(spec.headers.map(folded))
    this.#suspect =
      this.#query.size === 0 ? null : new RegExp(`%[^%&;=]*=|${[...this.#query].map(asPattern).join('|')}`, 'i')
  }

  /** A request target, or any URL: the values of such parameters replaced. */
  target(target: string): string {
    if (this.#suspect === null) return target
    const mark = target.indexOf('?')
    if (mark < 0) return target
    const query = target.slice(mark + 1)
    return this.#suspect.test(query) ? `${target.slice(0, mark + 1)}${this.#withoutSecrets(query)}` : target
  }

  /** A query with its `?`, or ''. */
  query(query: string): string {
    return this.target(query)
  }

  /** As `target`; a fragment may hold parameters, too (OAuth's implicit grant), and user information stands in front. */
  url(url: string): string {
    if (url === '') return url
    const withoutUser = url.includes('@') ? url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, `$1${hidden}@`) : url
    const hash = withoutUser.indexOf('#')
    if (hash < 0) return this.target(withoutUser)
    const fragment = withoutUser.slice(hash + 1)
    const shown = this.#suspect?.test(fragment) === true ? this.#withoutSecrets(fragment) : fragment
    return `${this.target(withoutUser.slice(0, hash))}#${shown}`
  }

  /** The value of a header field with that (lower-case) name. */
  header(name: string, value: string): string {
    return value !== '' && this.#headers.has(folded(name)) ? hidden : value
  }

  /** Cookies are secrets as long as their field is one. */
  cookie(value: string): string {
    return this.header('cookie', value)
  }

  /** The value of a query parameter. */
  parameter(name: string, value: string): string {
    return value !== '' && this.#hides(name) ? hidden : value
  }

  #withoutSecrets(query: string): string {
    return query.replace(PARAMETER, (all, name: string) => (this.#hides(name) ? `${name}=${hidden}` : all))
  }

  /** `token`, but also `user[token]` and `%74oken`, which backends take for it. */
  #hides(name: string): boolean {
    const plain = folded(decoded(name))
    if (this.#query.has(plain)) return true
    const inner = /[[.]([^[\].]+)\]?(?:\[\d*\])?$/.exec(plain)
    return (inner !== null && this.#query.has(inner[1]!)) || this.#query.has(plain.replace(/\[\d*\]$/, ''))
  }
}

const PARAMETER = /([^&;=?]+)=([^&;]*)/g

const folded = (name: string): string => name.toLowerCase().replaceAll('-', '_')
const asPattern = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('_', '[-_]')

function decoded(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

export const defaultRedaction = new Redaction(redactedByDefault)
