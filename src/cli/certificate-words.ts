// What is known of certificates, authorities and revocation lists, in words for tables.
import type { MaterialStatus } from '../control/certificates/certificate-status.ts'
import { plural } from './terminal.ts'

const SHORT_NAMES = 2

/** Names a certificate is good for, whatever their kind, its subject where it has none; who is trusted; what a list is. */
export function namesOf(material: MaterialStatus): string {
  if (material.kind === 'revocation_list') return 'revocation list'
  if (material.kind === 'authorities') return short(material.authorities.map(({ subject }) => subject))
  const { names, alternative_names: all, subject } = material
  return short(names.length > 0 ? names : all.length > 0 ? all : [subject])
}

/** `web, pool api`. */
export const usersOf = ({ listeners, pools }: MaterialStatus): string =>
  [...listeners, ...pools.map((pool) => `pool ${pool}`)].join(', ')

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

function short(names: readonly string[]): string {
  const more = names.length > SHORT_NAMES ? ` and ${names.length - SHORT_NAMES} more` : ''
  return `${names.slice(0, SHORT_NAMES).join(', ')}${more}`
}
