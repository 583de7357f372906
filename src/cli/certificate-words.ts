// What is known of certificates, authorities and revocation lists, in words for tables.
import type { MaterialStatus } from '../control/certificates/certificate-status.ts'
import { plural, type Terminal } from './terminal.ts'

const SHORT_NAMES = 2

/** Names a certificate is good for, whatever their kind, its subject where it has none; who is trusted; what a list is. */
export function namesOf(material: MaterialStatus): string {
  if (material.kind === 'revocation_list') return 'revocation list'
  if (material.kind === 'authorities') return short(material.authorities.map(({ subject }) => subject))
  const { names, alternative_names: all, subject } = material
  return short(names.length > 0 ? names : all.length > 0 ? all : [subject])
}

/** `web, pool api`. */
export const usersOf = ({ listeners, pools, admin }: MaterialStatus): string =>
  [...listeners, ...pools.map((pool) => `pool ${pool}`), ...(admin ? ['admin API'] : [])].join(', ')

/** When it ends, as ISO 8601; null = never. */
export const endOf = (material: MaterialStatus): string | null =>
  material.kind === 'revocation_list' ? material.next_update : material.expires_at

/** It has ended: what was good until then is refused. */
export const isOver = ({ days_left: days }: MaterialStatus): boolean => days !== null && days < 0

/** Of a certificate whose time has not begun. */
export const isEarly = (material: MaterialStatus): boolean =>
  material.kind === 'certificate' && Date.parse(material.not_before) > Date.now()

/** `29 days`, `expired`, `not yet valid`, `no end`. */
export function timeLeft(material: MaterialStatus): string {
  if (isOver(material)) return 'expired'
  if (isEarly(material)) return 'not yet valid'
  return material.days_left === null ? 'no end' : plural(material.days_left, 'day')
}

/** What has ended, one line each; none where nothing has. */
export function expiredLines(all: readonly MaterialStatus[], terminal: Terminal): string[] {
  return all
    .filter(isOver)
    .map((one) => `  ${terminal.paint('red', 'expired')}  ${one.name} (${usersOf(one)}): put a new one in its place\n`)
}

/** What lies in files and is not in use, one line each, and what to do about it; none where all is well. */
export function refusedLines(all: readonly MaterialStatus[], terminal: Terminal): string[] {
  const refused = all.filter(({ last_error: error }) => error !== null)
  if (refused.length === 0) return []
  const lines = refused.map(({ name, last_error: error }) => {
    const { message } = error!
    const about = message.startsWith(name) ? message : `${name}: ${message}`
    return `  ${terminal.paint('red', 'not in use')}  ${about} (the old one goes on)\n`
  })
  return [...lines, '  next  put what fits in its place; it is taken by itself\n']
}

function short(names: readonly string[]): string {
  const more = names.length > SHORT_NAMES ? ` and ${names.length - SHORT_NAMES} more` : ''
  return `${names.slice(0, SHORT_NAMES).join(', ')}${more}`
}
