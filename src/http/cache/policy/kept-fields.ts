// Which fields of an answer are kept with it (RFC 9111 §3.1).
import type { CacheSpec } from '../../../core/cache-spec.ts'
import type { AnswerDirectives } from './answer.ts'

/** What tells of the hop it came by, of its age then, or is for a proxy. */
const NEVER_KEPT: ReadonlySet<string> = new Set([
  'age',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
])

/**
 * The lines to keep: without Age and what is a proxy's, without what no-cache and private name (§5.2.2.4, §5.2.2.7), without
 * tags, and without Set-Cookie where it is not stored. Target fields stay: another cache may go by them (RFC 9213 §3). An
 * answer without Date gets one (RFC 9110 §6.6.1).
 */
export function keptFields(
  fields: string,
  answer: AnswerDirectives,
  spec: Pick<CacheSpec, 'setCookie' | 'tagFields'>,
  responseTime: number,
): string {
  const { withheld } = answer.directives
  const dropsCookies = answer.hasSetCookie && spec.setCookie !== 'store'
  let kept = fields
  if (answer.hasUnkept || dropsCookies || withheld.length > 0) {
    kept = withoutFields(
      fields,
      (name) =>
        NEVER_KEPT.has(name) ||
        (dropsCookies && name === 'set-cookie') ||
        withheld.includes(name) ||
        spec.tagFields.includes(name),
    )
  }
  return Number.isNaN(answer.date) ? `${withoutDate(kept)}Date: ${new Date(responseTime).toUTCString()}\r\n` : kept
}

/** One that cannot be read would be read in another way by somebody else. */
function withoutDate(fields: string): string {
  return withoutFields(fields, (name) => name === 'date')
}

/** A field block without the lines whose (lower-case) names are meant; the same string where none is. */
export function withoutFields(block: string, isMeant: (name: string) => boolean): string {
  let kept = ''
  let runStart = 0
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const next = block.indexOf('\r\n', colon) + 2
    if (isMeant(block.slice(position, colon).toLowerCase())) {
      kept += block.slice(runStart, position)
      runStart = next
    }
    position = next
  }
  return runStart === 0 ? block : kept + block.slice(runStart)
}

/** Whether a name is of those that no stored answer has. */
export function isNeverKept(name: string): boolean {
  return NEVER_KEPT.has(name)
}
