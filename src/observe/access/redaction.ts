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

/** Names of parameters that are remembered, so that most are looked at once. */
const MAX_KNOWN = 512
const MAX_KNOWN_LENGTH = 64

const AMPERSAND = 0x26
const SEMICOLON = 0x3b
const EQUALS = 0x3d

export class Redaction {
  readonly #query: ReadonlySet<string>
  readonly #headers: ReadonlySet<string>
  /** By name as it came: whether its value is hidden. */
  readonly #known = new Map<string, boolean>()

  constructor(spec: RedactionSpec) {
    this.#query = new Set(spec.query.map(folded))
    this.#headers = new Set(spec.headers.map(folded))
  }

  /** A request target: the values of such parameters replaced. */
  target(target: string): string {
    const mark = target.indexOf('?')
    return mark < 0 || this.#query.size === 0 ? target : this.#withoutSecrets(target, mark + 1)
  }

  /** As `target`; a fragment may hold parameters, too (OAuth's implicit grant), and user information stands in front. */
  url(url: string): string {
    const withoutUser = url.includes('@') ? url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, `$1${hidden}@`) : url
    const hash = withoutUser.indexOf('#')
    if (hash < 0) return this.target(withoutUser)
    const fragment = this.#query.size === 0 ? withoutUser : this.#withoutSecrets(withoutUser, hash + 1)
    return this.target(withoutUser.slice(0, hash)) + fragment.slice(hash)
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

  /** From `start` on there are parameters: `name=value`, with `&` or `;` between them. */
  #withoutSecrets(text: string, start: number): string {
    let shown = ''
    let from = 0
    let nameAt = start
    let equals = -1
    for (let at = start; at <= text.length; at++) {
      const code = at === text.length ? AMPERSAND : text.charCodeAt(at)
      if (code === EQUALS && equals < 0) equals = at
      if (code !== AMPERSAND && code !== SEMICOLON) continue
      if (equals >= 0 && equals + 1 < at && this.#hides(text.slice(nameAt, equals))) {
        shown += text.slice(from, equals + 1) + hidden
        from = at
      }
      nameAt = at + 1
      equals = -1
    }
    return from === 0 ? text : shown + text.slice(from)
  }

  #hides(name: string): boolean {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const hides = this.#isSecret(folded(decoded(name)))
    if (name.length <= MAX_KNOWN_LENGTH) {
      // Names are the client's: nobody is to fill memory with them.
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      this.#known.set(name, hides)
    }
    return hides
  }

  /** `token`, but also `user[token]`, `user.token` and `token[]`. */
  #isSecret(name: string): boolean {
    if (this.#query.has(name)) return true
    const bare = name.replace(/\[\d*\]$/, '')
    const last = bare.slice(Math.max(bare.lastIndexOf('['), bare.lastIndexOf('.')) + 1)
    return this.#query.has(bare) || this.#query.has(last.endsWith(']') ? last.slice(0, -1) : last)
  }
}

const folded = (name: string): string => name.toLowerCase().replaceAll('-', '_')

function decoded(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

export const defaultRedaction = new Redaction(redactedByDefault)
