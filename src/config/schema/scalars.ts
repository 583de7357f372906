// The kinds of value that keys of the configuration have: each parses, explains itself, and knows its JSON Schema.
import { z } from 'zod'
import type { TlsVersion } from '../../core/spec.ts'
import { byteSizePattern, parseByteSize } from '../../util/byte-size.ts'
import { parseCidr, unixPeers } from '../../util/cidr.ts'
import { durationPattern, formatDuration, parseDuration } from '../../util/duration.ts'

type Context = z.core.$RefinementCtx

/** A transform out of a parser that throws a sentence. */
export function parsing<I, O>(parse: (value: I) => O): (value: I, context: Context) => O {
  return (value, context) => {
    try {
      return parse(value)
    } catch (error) {
      context.issues.push({ code: 'custom', message: (error as Error).message, input: value })
      return z.NEVER
    }
  }
}

/** Longest delay that Node's timers take, rounded down to whole days. */
const longestTimerMs = 24 * 86_400_000

/** Milliseconds, at least `minMs` (0), at most `maxMs` (24 days: what a timer takes). */
export function duration(range: { minMs?: number; maxMs?: number } = {}) {
  const { minMs = 0, maxMs = longestTimerMs } = range
  const parse = (value: string | number): number => {
    const ms = parseDuration(value)
    if (ms >= minMs && ms <= maxMs) return ms
    const limits = `use ${formatDuration(minMs)} to ${formatDuration(maxMs)}`
    throw new Error(`${JSON.stringify(value)} is out of range; ${limits}`)
  }
  return z
    .union([z.string().meta({ pattern: durationPattern }), z.number().meta({ minimum: 0, type: 'integer' })], {
      error: 'a duration like "30s", "1h30m" or "100ms", or whole seconds',
    })
    .transform(parsing(parse))
    .meta({ title: 'duration' })
}

/** Bytes, at least `min`, at most `max`. */
export function byteSize(min: number, max: number, limits: string) {
  const parse = (value: string | number): number => {
    const bytes = parseByteSize(value)
    if (bytes >= min && bytes <= max) return bytes
    throw new Error(`${JSON.stringify(value)} is out of range; use ${limits}`)
  }
  return z
    .union([z.string().meta({ pattern: byteSizePattern }), z.number().meta({ minimum: 0, type: 'integer' })], {
      error: 'a size like "64KB" or "10MB", or a number of bytes',
    })
    .transform(parsing(parse))
    .meta({ title: 'size' })
}

/** 0–1 of "20%". Throws an `Error` with a sentence. */
export function parsePercent(text: string): number {
  const match = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text)
  const percent = Number(match?.[1])
  if (match === null || percent > 100) throw new Error(`${JSON.stringify(text)} is not a share from "0%" to "100%"`)
  return percent / 100
}

/** The other way round: `parsePercent(formatPercent(share)) === share`. */
export const formatPercent = (share: number): string => `${Number((share * 100).toFixed(9))}%`

/** A whole number; zod's own message is replaced by the hint that says the whole range. */
export function whole(min: number, max: number) {
  const error = `use ${min} to ${max}`
  return z
    .number()
    .int()
    .min(min, { error })
    .max(max, { error })
    .meta({ title: `${min}–${max}` })
}

export const port = whole(1, 65_535).meta({ title: 'port' })

/** A name used in logs, metrics and the API. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
export const name = z
  .string()
  .regex(namePattern, {
    error: 'is not a name; use up to 64 letters, digits, "-", "_" or ".", a letter or digit first',
  })
  .meta({ title: 'name' })

/** `token` of RFC 9110, section 5.6.2: names of header fields and cookies. */
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/
export const fieldNameAsWritten = z
  .string()
  .regex(tokenPattern, { error: 'is not the name of a header field' })
  .meta({ title: 'header name' })
export const fieldName = fieldNameAsWritten.transform((text) => text.toLowerCase()).meta({ title: 'header name' })
export const cookieName = z
  .string()
  .regex(tokenPattern, { error: 'is not the name of a cookie' })
  .meta({ title: 'cookie name' })

function parsePeers(text: string): string {
  if (text === unixPeers) return text
  if (/[.:]/.test(text)) return parseCidr(text).text
  throw new Error(`${JSON.stringify(text)} is not an IP address, a block like "10.0.0.0/8" or "${unixPeers}"`)
}

/** Whose connections are meant: a block of addresses in normal form, or `unix` for those on a Unix socket. */
export const peers = z.string().transform(parsing(parsePeers)).meta({ title: 'IP address, block or "unix"' })

/** As it is written; relative ones are meant from the folder of the configuration file. */
export function fileName(options: { error?: z.core.$ZodErrorMap } = {}) {
  return z
    .string(options)
    .min(1, { error: 'name a file' })
    .regex(/^[^\0]*$/, { error: 'is not the name of a file' })
    .meta({ title: 'file' })
}
export const filePath = fileName()

/** A version of TLS, as Node names it. */
export const tlsVersion = z
  .enum(['1.2', '1.3'])
  .transform((version): TlsVersion => `TLSv${version}`)
  .meta({ title: '1.2 | 1.3' })

/** A protocol name of ALPN (RFC 7301): up to 255 bytes; those in use are ASCII. */
export const alpnName = z
  .string()
  .regex(/^[!-~]{1,255}$/, { error: 'is not the name of an application protocol, such as "http/1.1"' })
  .meta({ title: 'protocol' })

/** A host as it stands in a Host field: name or IP literal, with or without a port; no white space, no path. */
export const hostField = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/, { error: 'is not a value for the Host field' })
  .meta({ title: 'host' })

/** Origin-form of RFC 9112, section 3.2.1. */
export const requestPath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/, {
    error: 'is not a path; start with "/", and percent-encode spaces and other special characters',
  })
  .meta({ title: 'path' })
