// How long answers are kept by their status: "404", "5xx", "200-299".
import { z } from 'zod'
import type { CacheSpec } from '../../../core/cache-spec.ts'
import { duration } from '../scalars.ts'

export interface StatusSpan {
  readonly from: number
  readonly to: number
}

type StatusTtl = CacheSpec['ttlByStatus'][number]

/** Throws an `Error` with a sentence. */
export function parseStatusSpan(text: string): StatusSpan {
  const family = /^([2-5])xx$/i.exec(text)?.[1]
  if (family !== undefined) return { from: Number(family) * 100, to: Number(family) * 100 + 99 }
  const match = /^([2-5]\d\d)(?:-([2-5]\d\d))?$/.exec(text)
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match !== null && to >= from) return { from, to }
  throw new Error(`${JSON.stringify(text)} is no status of an answer; write "404", "5xx" or "200-299"`)
}

/** The other way round. */
export const formatStatusSpan = ({ from, to }: StatusSpan): string => (from === to ? String(from) : `${from}-${to}`)

const isSpan = (text: string): boolean => {
  try {
    return parseStatusSpan(text).from > 0
  } catch {
    return false
  }
}

const span = z
  .string()
  .refine(isSpan, { error: 'is no status of an answer; write "404", "5xx" or "200-299"' })
  .meta({ title: 'status or range' })

/** The narrowest first, so that the first that has a status counts. */
export const statusTtls = z
  .record(span, duration({ maxMs: 3650 * 86_400_000 }))
  .superRefine((entries, context) => {
    const names = Object.keys(entries).filter(isSpan)
    names.forEach((name, i) => {
      const other = names.slice(0, i).find((earlier) => areAtOdds(parseStatusSpan(earlier), parseStatusSpan(name)))
      if (other === undefined) return
      const isSame = formatStatusSpan(parseStatusSpan(other)) === formatStatusSpan(parseStatusSpan(name))
      const message = isSame
        ? `means the same statuses as "${other}"; keep one of the two`
        : `shares statuses with "${other}", and neither lies within the other: which of them counts is not clear`
      context.addIssue({ code: 'custom', path: [name], message })
    })
  })
  .transform((entries): StatusTtl[] => {
    const list = Object.entries(entries).map(([name, ttl]) => ({ ...parseStatusSpan(name), ttl }))
    return list.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from)
  })

/** They share statuses, and none is narrower than the other, or they only overlap. */
function areAtOdds(a: StatusSpan, b: StatusSpan): boolean {
  if (a.to < b.from || b.to < a.from) return false
  const isWithin = (one: StatusSpan, other: StatusSpan): boolean => one.from >= other.from && one.to <= other.to
  return isWithin(a, b) === isWithin(b, a)
}
