// Whether every request that meets the conditions of one route meets those of another. Where it cannot tell: no.
import { isDeepStrictEqual } from 'node:util'
import type { MatchSpec, ValueCondition } from '../core/route-spec.ts'
import { parseCidr, unixPeers } from '../util/cidr.ts'
import { compileValues, valueText } from './value-pattern.ts'

/** Whether the conditions of `narrow`, besides host and path, imply those of `wide`. */
export function implies(narrow: MatchSpec, wide: MatchSpec, listeners: readonly string[]): boolean {
  return (
    isAmong(narrow.methods, wide.methods, (a, b) => a === b) &&
    valuesImply(narrow.headers, wide.headers) &&
    valuesImply(narrow.query, wide.query) &&
    isAmong(narrow.listeners.length === 0 ? listeners : narrow.listeners, wide.listeners, (a, b) => a === b) &&
    isAmong(narrow.serverNames, wide.serverNames, hostIsAmong) &&
    isAmong(narrow.clients, wide.clients, blockIsAmong) &&
    (wide.custom === null || isDeepStrictEqual(narrow.custom, wide.custom))
  )
}

/** Whether each of some alternatives is within one of others; no alternatives = everything. */
function isAmong(
  narrow: readonly string[],
  wide: readonly string[],
  isWithin: (narrow: string, wide: string) => boolean,
): boolean {
  if (wide.length === 0) return true
  return narrow.length > 0 && narrow.every((one) => wide.some((other) => isWithin(one, other)))
}

/** Whether a host pattern stands for nothing that the other one does not stand for. */
function hostIsAmong(narrow: string, wide: string): boolean {
  if (narrow === wide) return true
  return wide.startsWith('*.') && narrow.length >= wide.length && narrow.endsWith(wide.slice(1))
}

function blockIsAmong(narrow: string, wide: string): boolean {
  if (narrow === unixPeers || wide === unixPeers) return narrow === wide
  const [inner, outer] = [parseCidr(narrow), parseCidr(wide)]
  if (inner.family !== outer.family || inner.prefix < outer.prefix) return false
  const hostBits = BigInt((outer.family === 4 ? 32 : 128) - outer.prefix)
  return inner.network >> hostBits === outer.network >> hostBits
}

function valuesImply(narrow: readonly ValueCondition[], wide: readonly ValueCondition[]): boolean {
  return wide.every((condition) =>
    narrow.some((other) => {
      if (other.name !== condition.name) return false
      if (condition.values.length === 0) return true
      // A condition without values is met by any.
      const values = other.values.length === 0 ? ['*'] : other.values
      return values.every((value) => condition.values.some((pattern) => valueIsAmong(value, pattern)))
    }),
  )
}

function valueIsAmong(narrow: string, wide: string): boolean {
  if (narrow === wide || wide === '*') return true
  const [starts, ends] = [narrow.startsWith('*'), narrow.endsWith('*')]
  if (!starts && !ends) return compileValues([wide])(narrow)
  const [inner, outer] = [valueText(narrow), valueText(wide)]
  const [wideStarts, wideEnds] = [wide.startsWith('*'), wide.endsWith('*')]
  if (wideStarts && wideEnds) return inner.includes(outer)
  if (wideEnds) return !starts && inner.startsWith(outer)
  return wideStarts && !ends && inner.endsWith(outer)
}
