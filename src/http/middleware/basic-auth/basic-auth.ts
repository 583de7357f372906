// The `basic_auth` of a route: a user name and a password, or 401. RFC 7617.
import { hash as digest } from 'node:crypto'
import { errors } from '../../../core/errors.ts'
import type { Answer, Middleware, RequestView } from '../../../core/plugin.ts'
import type { BasicAuthSpec } from '../../../core/route-spec.ts'
import { passwordForm } from '../../../util/password-hash.ts'
import { encodedValue } from '../../hygiene/client-certificate.ts'
import { refusal } from '../refusal.ts'
import { type Credentials, readCredentials } from './credentials.ts'
import type { PasswordVerifier, Verdict } from './password-verifier.ts'

/** Under this name `RequestView.state` tells later steps who it is. */
export const USER_STATE = 'user'

/** Longer than a full queue of the dearest hashes that people use. */
const TIMEOUT_MS = 30_000

export function basicAuth(spec: BasicAuthSpec, verifier: PasswordVerifier): Middleware {
  return new BasicAuth(spec, verifier)
}

class BasicAuth implements Middleware {
  readonly name = 'basic_auth'
  readonly timeoutMs = TIMEOUT_MS
  readonly #verifier: PasswordVerifier
  readonly #userHeader: string
  readonly #hashes: ReadonlyMap<string, string>
  readonly #decoys: readonly string[]
  readonly #decoyKey: string
  readonly #unauthorized: Answer

  constructor(spec: BasicAuthSpec, verifier: PasswordVerifier) {
    this.#verifier = verifier
    this.#userHeader = spec.userHeader
    this.#hashes = new Map(spec.users.map(({ name, hash }) => [passwordForm(name), hash]))
    this.#decoys = spec.users.map(({ hash }) => decoyOf(hash))
    this.#decoyKey = digest('sha256', spec.users.map(({ hash }) => hash).join())
    this.#unauthorized = refusal(errors.unauthorized, { 'WWW-Authenticate': challenge(spec.realm) })
  }

  onRequest(request: RequestView): Answer | undefined | Promise<Answer | undefined> {
    const fields = request.headers('authorization')
    // Whatever comes of it: nobody but this step says who it is (CVE-2026-30851).
    if (this.#userHeader !== '') request.removeHeader(this.#userHeader)
    const credentials = fields.length === 1 ? readCredentials(fields[0]!) : null
    if (credentials === null || this.#decoys.length === 0) return this.#unauthorized
    const hash = this.#hashes.get(credentials.user) ?? this.#decoyFor(credentials.user)
    const verdict = this.#verifier.verify({ ...credentials, hash, client: request.client.address })
    if (typeof verdict !== 'object') return this.#decide(request, credentials, verdict)
    return verdict.then((settled) => this.#decide(request, credentials, settled))
  }

  #decide(request: RequestView, { user }: Credentials, verdict: Verdict): Answer | undefined {
    if (verdict === 'busy') return refusal(errors.auth_unavailable, {}, 'too many logins at once')
    if (verdict === 'failed') return refusal(errors.auth_unavailable, {}, 'the password could not be checked')
    if (!verdict) return this.#unauthorized
    request.state.set(USER_STATE, user)
    if (this.#userHeader !== '') request.setHeader(this.#userHeader, encodedValue(user))
    return undefined
  }

  /**
   * For somebody who is not in the list: a hash as dear as that of somebody who is, always the same for the same name,
   * in every worker. So the time that a 401 takes does not tell who is in the list, even where hashes are of several kinds.
   */
  #decoyFor(user: string): string {
    const chosen = Number.parseInt(digest('sha256', `${this.#decoyKey}\0${user}`).slice(0, 12), 16)
    return this.#decoys[chosen % this.#decoys.length]!
  }
}

/** The same settings and salt, and a result that no password has. */
function decoyOf(hash: string): string {
  return hash.startsWith('$scrypt$')
    ? hash.replace(/[^$]+$/, (expected) => 'A'.repeat(expected.replace(/=+$/, '').length))
    : hash.slice(0, -31) + '.'.repeat(31)
}

function challenge(realm: string): string {
  const quoted = Buffer.from(realm, 'utf8').latin1Slice().replace(/["\\]/g, '\\$&')
  return `Basic realm="${quoted}", charset="UTF-8"`
}
