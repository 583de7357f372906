// Hashes of passwords as text: scrypt in PHC form, `$scrypt$ln=15,r=8,p=3$salt$hash`, and bcrypt as htpasswd writes it.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

export interface ScryptHash {
  readonly kind: 'scrypt'
  /** Binary logarithm of N. */
  readonly ln: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly expected: Buffer
}

export interface BcryptHash {
  readonly kind: 'bcrypt'
  /** `$2b$10$` and the salt. */
  readonly settings: string
  readonly expected: string
}

export type PasswordHash = ScryptHash | BcryptHash

const SCRYPT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})={0,2}\$([A-Za-z0-9+/]{22,86})={0,2}$/
const BCRYPT = /^(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/

/** What one verification may take: 128·r·2^ln bytes of memory, and about so many times two seconds' work. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024
const MAX_SCRYPT_WORK = 2 ** 23
const MAX_BCRYPT_COST = 16

/**
 * About 170 ms and 32 MiB for each verification. OWASP holds it for as strong as ln=17, p=1; that would take 128 MiB at
 * once in each worker, and a proxy in a small container must not be ended by somebody who logs in.
 */
const DEFAULT_COST = { ln: 15, r: 8, p: 3 } as const

/** What nginx and Apache take too, and why we do not. */
const TOO_WEAK: readonly (readonly [RegExp, string])[] = [
  [/^\$apr1\$|^\$1\$/, 'an MD5 hash (htpasswd makes these unless told otherwise)'],
  [/^\{S?SHA\}/i, 'a plain SHA-1 hash'],
  [/^\$[56]\$/, 'a hash of crypt(3)'],
  [/^\$argon2/, 'an Argon2 hash'],
]

/** Reads a hash. Throws an `Error` whose message is a sentence; it never repeats what was given. */
export function parsePasswordHash(text: string): PasswordHash {
  const scryptParts = SCRYPT.exec(text)
  if (scryptParts !== null) return scryptHash(scryptParts)
  const bcryptParts = BCRYPT.exec(text)
  if (bcryptParts !== null) return bcryptHash(bcryptParts)
  const found = TOO_WEAK.find(([pattern]) => pattern.test(text))?.[1] ?? 'no hash of a password'
  throw new Error(`this is ${found}; scrypt ("frontdesk hash-password") and bcrypt ("htpasswd -nB NAME") are taken`)
}

function scryptHash([, ln = '', r = '', p = '', salt = '', expected = '']: readonly string[]): ScryptHash {
  const hash: ScryptHash = {
    kind: 'scrypt',
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64'),
    expected: Buffer.from(expected, 'base64'),
  }
  const blocks = 2 ** hash.ln * hash.r
  if (hash.ln === 0 || hash.r === 0 || hash.p === 0) throw new Error('ln, r and p of a scrypt hash are at least 1')
  // Else scrypt itself refuses (RFC 7914 §2).
  if (hash.ln >= 16 * hash.r) throw new Error('ln of a scrypt hash is less than 16 times r')
  if (blocks * 128 > MAX_SCRYPT_BYTES || blocks * hash.p > MAX_SCRYPT_WORK) {
    throw new Error(
      'this scrypt hash takes more than 256 MB or some seconds for each login; choose a smaller ln, r or p',
    )
  }
  return hash
}

function bcryptHash([, settings = '', cost = '', expected = '']: readonly string[]): BcryptHash {
  if (Number(cost) < 4 || Number(cost) > MAX_BCRYPT_COST) {
    throw new Error(`the cost of a bcrypt hash is 4 to ${MAX_BCRYPT_COST} here; each step doubles the time of a login`)
  }
  return { kind: 'bcrypt', settings, expected }
}

/** Whether a password has that hash. Blocks for as long as the hash is dear: not for a thread that serves. */
export function verifyScrypt(password: string, hash: ScryptHash): boolean {
  return timingSafeEqual(derive(password, hash, hash.expected.length), hash.expected)
}

/** A new hash, with a salt of its own. Blocks, too. */
export function hashPassword(password: string): string {
  const salt = randomBytes(16)
  const derived = derive(passwordForm(password), { ...DEFAULT_COST, salt }, 32)
  const { ln, r, p } = DEFAULT_COST
  return `$scrypt$ln=${ln},r=${r},p=${p}$${phcText(salt)}$${phcText(derived)}`
}

/** The same letters typed on different systems are the same password and the same name (RFC 7617 §2.1, RFC 8265). */
export function passwordForm(text: string): string {
  return text.normalize('NFC')
}

/** Base64 without padding. */
function phcText(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function derive(password: string, cost: Pick<ScryptHash, 'ln' | 'r' | 'p' | 'salt'>, length: number): Buffer {
  const { r, p, salt } = cost
  const N = 2 ** cost.ln
  return scryptSync(password, salt, length, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 * 1024 })
}
