// What Cache-Control of an answer, or a targeted field in its place, says (RFC 9111 §5.2.2, RFC 9213, RFC 5861, RFC 8246).
import { DirectiveReader } from './directives.ts'
import type { Member } from './structured-dictionary.ts'

/** Seconds are -1 where nothing is said. */
export class ResponseDirectives {
  noStore = false
  /** private without field names. */
  isPrivate = false
  /** no-cache without field names. */
  noCache = false
  /** Lower case: fields that private or no-cache name; they are not kept. */
  readonly withheld: string[] = []
  isPublic = false
  mustRevalidate = false
  proxyRevalidate = false
  mustUnderstand = false
  noTransform = false
  immutable = false
  maxAge = -1
  sMaxAge = -1
  /** s-maxage could be read: a permission must not come from a mistake. */
  hasValidSMaxAge = false
  staleWhileRevalidate = -1
  staleIfError = -1
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** An answer without these is another answer: whoever names them had better have said it without names. */
const INDISPENSABLE = /^(?:content-(?!security-policy).*|vary|location|transfer-encoding)$/

/** Of what is said twice the stricter counts, and what cannot be read is taken for the strictest (RFC 9111 §4.2.1). */
export function readCacheControl(value: string, into: ResponseDirectives): void {
  const reader = new DirectiveReader(value)
  while (reader.next()) {
    if (reader.isMalformed) readMalformed(reader.member.toLowerCase(), into)
    else apply(into, reader.name, reader.argument, reader.seconds())
  }
}

/** RFC 9213 §2.1. A value of the wrong type is as one that cannot be read. */
export function readTargeted(members: ReadonlyMap<string, Member>, into: ResponseDirectives): void {
  for (const [name, member] of members) {
    // Said not to hold.
    if (member.kind === 'boolean' && !member.value) continue
    const argument = member.kind === 'boolean' ? null : member.kind === 'string' ? member.value : ''
    const seconds = member.kind === 'integer' && member.value >= 0 ? Math.min(member.value, 2 ** 31) : -1
    apply(into, name, argument, seconds)
  }
}

function apply(into: ResponseDirectives, name: string, argument: string | null, seconds: number): void {
  switch (name) {
    case 'no-store':
      into.noStore = true
      break
    case 'private':
      if (!withhold(into.withheld, argument)) into.isPrivate = true
      break
    case 'no-cache':
      if (!withhold(into.withheld, argument)) into.noCache = true
      break
    case 'public':
      into.isPublic = true
      break
    case 'must-revalidate':
      into.mustRevalidate = true
      break
    case 'proxy-revalidate':
      into.proxyRevalidate = true
      break
    case 'must-understand':
      into.mustUnderstand = true
      break
    case 'no-transform':
      into.noTransform = true
      break
    case 'immutable':
      into.immutable = true
      break
    case 'max-age':
      into.maxAge = lesser(into.maxAge, seconds)
      break
    case 's-maxage':
      into.sMaxAge = lesser(into.sMaxAge, seconds)
      into.hasValidSMaxAge = seconds >= 0
      break
    case 'stale-while-revalidate':
      into.staleWhileRevalidate = lesser(into.staleWhileRevalidate, seconds)
      break
    case 'stale-if-error':
      into.staleIfError = lesser(into.staleIfError, seconds)
      break
  }
}

/** Of two the lesser, where -1 as `before` = not said yet and as `seconds` = not to be read. */
function lesser(before: number, seconds: number): number {
  const valid = Math.max(0, seconds)
  return before < 0 ? valid : Math.min(before, valid)
}

/** The fields that the argument names; false = it names none, or one without which the answer is another. */
function withhold(withheld: string[], argument: string | null): boolean {
  if (argument === null) return false
  const names = argument
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0 || names.some((name) => !NAME.test(name) || INDISPENSABLE.test(name))) return false
  withheld.push(...names)
  return true
}

/** Two directives without a comma between them, a `;` in its place, blanks around `=`: whatever it forbids counts. */
function readMalformed(member: string, into: ResponseDirectives): void {
  if (member.includes('no-store')) into.noStore = true
  if (member.includes('private')) into.isPrivate = true
  if (member.includes('no-cache')) into.noCache = true
  if (member.includes('must-revalidate')) into.mustRevalidate = true
  if (member.includes('proxy-revalidate')) into.proxyRevalidate = true
  if (member.includes('max-age')) into.maxAge = 0
  if (member.includes('s-maxage')) into.sMaxAge = 0
}
