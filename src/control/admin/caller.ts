// Who calls the admin API and what they may do there: tokens and certificates, judged by rules that may change meanwhile.

import { createHash, timingSafeEqual } from 'node:crypto'
import { FailedTokens, type Failure } from './failed-tokens.ts'

/** `read`: looks, explains and tries out, but changes nothing; `none`: only what is open to anybody. */
export type Role = 'full' | 'read' | 'none'

/** For handlers: `c.get('caller')`. */
export interface Caller {
  /** As logs and histories name it: `admin API (127.0.0.1)`, `admin API (10.0.0.7, CN=alice)`. */
  readonly who: string
  readonly role: Role
  readonly address: string
  /** It showed a token or a certificate: nothing that a browser would send for a page from elsewhere by itself. */
  readonly isProven: boolean
}

/** What the configuration says of it. */
export interface AdminAccess {
  /** Address the API is bound to; a name here is a known Host. */
  readonly host: string
  readonly token: string | null
  readonly readToken: string | null
  /** What callers without a token may do where there is one. */
  readonly anonymous: 'none' | 'read'
  /** `optional`: a certificate counts as the full token; `required`: without one nobody is heard, tokens or not. */
  readonly clientAuth: 'optional' | 'required' | null
}

/** What is known of a call before anything is answered. */
export interface Credentials {
  readonly address: string
  /** The `Authorization` field. */
  readonly authorization: string | undefined
  /** Subject of a certificate that our authorities have signed, or null. */
  readonly certificate: string | null
}

export interface Verdict {
  /** null = its token was not even looked at: too many others wait. */
  readonly caller: Caller | null
  /** It showed a wrong token. */
  readonly failure: Failure | null
  /** More than 0: too many wrong tokens came from its address, this one included; come again after that. */
  readonly retryAfterSeconds: number
}

/** Whoever is asked for nothing: a loopback address, no token. */
export const openAccess: AdminAccess = {
  host: '127.0.0.1',
  token: null,
  readToken: null,
  anonymous: 'none',
  clientAuth: null,
}

/** Texts of any length come to 32 bytes, so that comparing takes the same time whatever they are. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** RFC 6750, section 2.1; '' = there is none. */
function bearerOf(field = ''): string {
  return /^bearer /i.test(field) ? field.slice(7).trim() : ''
}

interface KnownToken {
  readonly digest: Buffer
  readonly role: Role
  readonly name: string
}

export class Gate {
  readonly #failed: FailedTokens
  #access!: AdminAccess
  #tokens: readonly KnownToken[] = []

  constructor(access: AdminAccess, failed: FailedTokens = new FailedTokens()) {
    this.#failed = failed
    this.update(access)
  }

  get access(): AdminAccess {
    return this.#access
  }

  /** From the next call on these rules hold, on connections that are open too. */
  update(access: AdminAccess): void {
    const known = (token: string | null, role: Role, name: string): KnownToken[] =>
      token === null ? [] : [{ digest: digest(token), role, name }]
    this.#access = access
    this.#tokens = [...known(access.token, 'full', 'token'), ...known(access.readToken, 'read', 'read token')]
  }

  /** Resolves late where too many wrong tokens have come from that address. */
  async judge({ address, authorization, certificate }: Credentials): Promise<Verdict> {
    const { anonymous, clientAuth } = this.#access
    const caller = (role: Role, names: readonly (string | null)[], isProven: boolean): Verdict => {
      const shown = names.filter((name) => name !== null)
      const who = `admin API (${[address, ...shown].join(', ')})`
      return { caller: { who, role, address, isProven }, failure: null, retryAfterSeconds: 0 }
    }
    if (clientAuth === 'required' && certificate === null) return caller('none', [], false)
    if (this.#tokens.length === 0) {
      const isOpen = clientAuth === null || certificate !== null
      return caller(isOpen ? 'full' : 'none', [certificate], certificate !== null)
    }
    if (clientAuth === 'optional' && certificate !== null) return caller('full', [certificate], true)
    const given = bearerOf(authorization)
    if (given === '') return caller(anonymous === 'read' ? 'read' : 'none', [certificate], false)

    const refusedFor = await this.#failed.admit(address)
    if (refusedFor > 0) return { caller: null, failure: null, retryAfterSeconds: refusedFor }
    const known = this.#find(given)
    if (known !== undefined) return caller(known.role, [certificate, known.name], true)
    const failure = this.#failed.failed(address)
    return { ...caller('none', [certificate], false), failure, retryAfterSeconds: failure.retryAfterSeconds }
  }

  /** All are compared, whichever matches. */
  #find(given: string): KnownToken | undefined {
    const shown = digest(given)
    return this.#tokens.filter((known) => timingSafeEqual(shown, known.digest))[0]
  }
}
